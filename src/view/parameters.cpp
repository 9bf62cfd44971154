#include "view/parameters.hpp"

#include <algorithm>
#include <optional>
#include <string_view>
#include <utility>

#include "base/concat.hpp"
#include "base/letters.hpp"

namespace studio::view {

namespace {

constexpr std::size_t k_most_parameters = 100;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_letter(char c) {
  const char small = lower(c);
  return (small >= 'a' && small <= 'z') || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

bool is_part_of_name(char c) { return is_letter(c) || is_digit(c) || c == '.' || c == '-' || c == '/' || c == '@'; }

bool begins_with_letter(std::string_view text) { return !text.empty() && is_letter(text.front()); }

// Without its dashes; nothing if it is no option.
std::optional<std::string_view> option_in(std::string_view word) {
  if (!word.starts_with('-')) return std::nullopt;
  word.remove_prefix(word.starts_with("--") ? 2 : 1);
  return begins_with_letter(word) ? std::optional(word) : std::nullopt;
}

// NAME=VALUE, from its name on; nothing if it is none.
std::optional<std::string_view> assignment_in(std::string_view word) {
  word.remove_prefix(std::min(word.find_first_not_of('+'), word.size()));
  const std::string_view name = word.substr(0, word.find('='));
  const bool is_name = begins_with_letter(name) && std::ranges::all_of(name, is_part_of_name);
  return is_name && name.size() < word.size() ? std::optional(word) : std::nullopt;
}

// "-1", "-.5", "-1e-3"
bool is_negative_number(std::string_view word) {
  if (!word.starts_with('-')) return false;
  word.remove_prefix(1);
  if (word.starts_with('.')) word.remove_prefix(1);
  return !word.empty() && is_digit(word.front());
}

bool can_be_value(std::string_view word) { return !word.starts_with('-') || word == "-" || is_negative_number(word); }

class ParameterList {
 public:
  bool is_full() const { return parameters_.size() == k_most_parameters; }

  void add(std::string_view name, std::string_view value) {
    const auto known = std::ranges::find(parameters_, name, &Parameter::name);
    if (known == parameters_.end())
      parameters_.push_back({std::string(name), std::string(value)});
    else
      known->value += concat(", ", value);
  }
  void add_assigned(std::string_view text) {
    const std::size_t sign = text.find('=');
    add(text.substr(0, sign), text.substr(sign + 1));
  }

  std::vector<Parameter> take() { return std::move(parameters_); }

 private:
  std::vector<Parameter> parameters_;
};

}  // namespace

std::vector<Parameter> parameters(const std::vector<std::string>& command) {
  ParameterList found;
  std::size_t arguments = 0;
  bool has_options = true;
  for (std::size_t at = 1; at < command.size() && !found.is_full(); ++at) {
    const std::string_view word = command[at];
    const auto option = has_options ? option_in(word) : std::nullopt;
    if (has_options && word == "--") {
      has_options = false;
    } else if (option && option->find('=') != option->npos) {
      found.add_assigned(*option);
    } else if (option && at + 1 < command.size() && can_be_value(command[at + 1])) {
      found.add(*option, command[++at]);
    } else if (option) {
      found.add(*option, "true");
    } else if (const auto assignment = assignment_in(word)) {
      found.add_assigned(*assignment);
    } else {
      found.add(concat("argument ", ++arguments), word);
    }
  }
  return found.take();
}

}  // namespace studio::view
