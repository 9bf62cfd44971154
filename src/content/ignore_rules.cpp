#include "content/ignore_rules.hpp"

#include <fnmatch.h>

namespace studio::content {

namespace {

std::string_view take_component(std::string_view& rest) {
  const std::size_t slash = rest.find('/');
  const std::string_view component = rest.substr(0, slash);
  rest = slash == rest.npos ? std::string_view() : rest.substr(slash + 1);
  return component;
}

bool component_matches(std::string_view pattern, std::string_view name) {
  return ::fnmatch(std::string(pattern).c_str(), std::string(name).c_str(), 0) == 0;
}

// Trailing spaces do not count unless they are escaped.
std::string_view trim_trailing_spaces(std::string_view line) {
  while (!line.empty() && line.back() == ' ' && !(line.size() >= 2 && line[line.size() - 2] == '\\')) line.remove_suffix(1);
  return line;
}

}  // namespace

bool matches_pattern(std::string_view pattern, std::string_view path) {
  while (!pattern.empty()) {
    const std::string_view component = take_component(pattern);
    if (component == "**") {
      if (pattern.empty()) return !path.empty();  // "a/**": everything inside
      while (true) {
        if (matches_pattern(pattern, path)) return true;
        if (path.find('/') == path.npos) return false;
        take_component(path);
      }
    }
    if (path.empty() || !component_matches(component, take_component(path))) return false;
  }
  return path.empty();
}

IgnoreRules::IgnoreRules(std::string_view text) {
  while (!text.empty()) {
    const std::size_t newline = text.find('\n');
    std::string_view line = text.substr(0, newline);
    text = newline == text.npos ? std::string_view() : text.substr(newline + 1);
    if (!line.empty() && line.back() == '\r') line.remove_suffix(1);
    line = trim_trailing_spaces(line);
    if (line.empty() || line.front() == '#') continue;
    Rule rule;
    if (line.front() == '!') {
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
    if (rule->anchored ? matches_pattern(rule->pattern, path) : component_matches(rule->pattern, name))
      return !rule->negated;
  }
  return false;
}

}  // namespace studio::content
