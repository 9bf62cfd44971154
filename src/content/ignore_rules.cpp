#include "content/ignore_rules.hpp"

#include <algorithm>
#include <array>
#include <cstddef>
#include <utility>

namespace studio::content {

namespace {

bool in_range(unsigned char c, unsigned char first, unsigned char last) { return c >= first && c <= last; }
bool is_digit(unsigned char c) { return in_range(c, '0', '9'); }
bool is_upper(unsigned char c) { return in_range(c, 'A', 'Z'); }
bool is_lower(unsigned char c) { return in_range(c, 'a', 'z'); }
bool is_alpha(unsigned char c) { return is_upper(c) || is_lower(c); }
bool is_alnum(unsigned char c) { return is_alpha(c) || is_digit(c); }
bool is_blank(unsigned char c) { return c == ' ' || c == '\t'; }
bool is_cntrl(unsigned char c) { return c < 0x20 || c == 0x7f; }
bool is_graph(unsigned char c) { return in_range(c, 0x21, 0x7e); }
bool is_print(unsigned char c) { return in_range(c, 0x20, 0x7e); }
bool is_punct(unsigned char c) { return is_graph(c) && !is_alnum(c); }
bool is_space(unsigned char c) { return c == ' ' || in_range(c, '\t', '\r'); }
bool is_hex_digit(unsigned char c) { return is_digit(c) || in_range(c, 'a', 'f') || in_range(c, 'A', 'F'); }

using Class = bool (*)(unsigned char);
constexpr std::array<std::pair<std::string_view, Class>, 12> k_classes{{{"alnum", is_alnum},
                                                                        {"alpha", is_alpha},
                                                                        {"blank", is_blank},
                                                                        {"cntrl", is_cntrl},
                                                                        {"digit", is_digit},
                                                                        {"graph", is_graph},
                                                                        {"lower", is_lower},
                                                                        {"print", is_print},
                                                                        {"punct", is_punct},
                                                                        {"space", is_space},
                                                                        {"upper", is_upper},
                                                                        {"xdigit", is_hex_digit}}};

// Takes one part of a pattern after the other, each of which stands for one character.
class PatternReader {
 public:
  explicit PatternReader(std::string_view pattern) : pattern_(pattern) {}

  std::size_t at() const { return at_; }
  void go_to(std::size_t position) { at_ = position; }
  bool at_end() const { return at_ == pattern_.size(); }
  bool at_star() const { return !at_end() && pattern_[at_] == '*'; }

  // Whether the next part, which it takes, stands for `c`.
  bool take(unsigned char c) {
    const unsigned char part = next();
    if (part == '?') return c != '/';
    if (part == '[') return take_set(c) && c != '/';
    if (part != '\\') return part == c;
    return !at_end() && next() == c;
  }

 private:
  unsigned char next() { return static_cast<unsigned char>(pattern_[at_++]); }
  bool at_text(std::string_view text) const { return pattern_.substr(at_, text.size()) == text; }

  // After the opening bracket. A set that is not closed stands for nothing.
  bool take_set(unsigned char c) {
    const bool negated = at_text("!") || at_text("^");
    if (negated) ++at_;
    bool found = false;
    int previous = -1;  // where a range may begin
    for (bool first = true; first || !at_text("]"); first = false) {
      if (at_end()) return false;
      if (at_text("-") && previous >= 0 && at_ + 1 < pattern_.size() && pattern_[at_ + 1] != ']') {
        ++at_;
        const int last = take_literal();
        if (last < 0) return false;
        found = found || (c >= previous && c <= last);
        previous = -1;
      } else if (at_text("[:") && at_class()) {
        const std::size_t end = pattern_.find(']', at_ + 2);
        const std::string_view name = pattern_.substr(at_ + 2, end - 1 - (at_ + 2));
        const auto known =
            std::find_if(k_classes.begin(), k_classes.end(), [&](const auto& k) { return k.first == name; });
        if (known == k_classes.end()) return false;
        found = found || known->second(c);
        previous = -1;
        at_ = end + 1;
      } else {
        previous = take_literal();
        if (previous < 0) return false;
        found = found || c == previous;
      }
    }
    ++at_;
    return found != negated;
  }

  // Whether a "[:" is closed by ":]".
  bool at_class() const {
    const std::size_t end = pattern_.find(']', at_ + 2);
    return end != pattern_.npos && end > at_ + 2 && pattern_[end - 1] == ':';
  }

  // A character of a set, perhaps escaped; -1 if there is none.
  int take_literal() {
    unsigned char c = next();
    if (c == '\\') {
      if (at_end()) return -1;
      c = next();
    }
    return c;
  }

  std::string_view pattern_;
  std::size_t at_ = 0;
};

// Trailing spaces do not count unless they are escaped.
std::string_view trim_trailing_spaces(std::string_view line) {
  std::size_t end = 0;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == ' ') continue;
    if (line[at] == '\\') ++at;
    end = at + 1;
  }
  return line.substr(0, end);
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  // Where to go on if what follows the last star does not match: the star, or the double star before it, takes in more.
  // What an earlier one took in need not be tried again: the later one can take in all that it could.
  struct Choice {
    std::size_t pattern_at = std::string_view::npos;
    std::size_t path_at = 0;
    bool is_open() const { return pattern_at != std::string_view::npos; }
  };
  Choice star;
  Choice directories;
  PatternReader reader(pattern);
  std::size_t at = 0;
  while (true) {
    if (reader.at_star()) {
      const std::size_t begin = reader.at();
      const std::size_t end = std::min(pattern.find_first_not_of('*', begin), pattern.size());
      const bool is_component =
          (begin == 0 || pattern[begin - 1] == '/') && (end == pattern.size() || pattern[end] == '/');
      if (end - begin >= 2 && is_component) {
        if (end == pattern.size()) return true;  // "a/**": everything inside
        directories = {end + 1, at};
        star = {};
        reader.go_to(end + 1);
      } else {
        star = {end, at};
        reader.go_to(end);
      }
      continue;
    }
    if (reader.at_end() && at == path.size()) return true;
    if (!reader.at_end() && at < path.size() && reader.take(static_cast<unsigned char>(path[at]))) {
      ++at;
      continue;
    }
    if (star.is_open() && star.path_at < path.size() && path[star.path_at] != '/') {
      at = ++star.path_at;
      reader.go_to(star.pattern_at);
      continue;
    }
    if (!directories.is_open()) return false;
    const std::size_t slash = path.find('/', directories.path_at);
    if (slash == path.npos) return false;
    at = directories.path_at = slash + 1;
    star = {};
    reader.go_to(directories.pattern_at);
  }
}

IgnoreRules::IgnoreRules(std::string_view text) {
  constexpr std::string_view k_byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(k_byte_order_mark)) text.remove_prefix(k_byte_order_mark.size());
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text = newline == text.npos ? std::string_view() : text.substr(newline + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    if (line.empty() || line.front() == '#') continue;
    line = trim_trailing_spaces(line);
    Rule rule;
    if (!line.empty() && line.front() == '!') {
      rule.negated = true;
      line.remove_prefix(1);
    }
    if (!line.empty() && line.back() == '/') {
      rule.directories_only = true;
      line.remove_suffix(1);
    }
    rule.anchored = line.find('/') != line.npos;
    if (!line.empty() && line.front() == '/') line.remove_prefix(1);
    if (line.empty()) continue;
    rule.pattern = line;
    rules_.push_back(std::move(rule));
  }
}

bool IgnoreRules::ignores(std::string_view path, bool is_directory) const {
  const std::string_view name = path.substr(path.find_last_of('/') + 1);
  for (auto rule = rules_.rbegin(); rule != rules_.rend(); ++rule) {
    if (rule->directories_only && !is_directory) continue;
    if (matches_pattern(rule->pattern, rule->anchored ? path : name)) return !rule->negated;
  }
  return false;
}

}  // namespace studio::content
