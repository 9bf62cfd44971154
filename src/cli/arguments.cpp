#include "cli/arguments.hpp"

#include <algorithm>
#include <string_view>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "cli/exit_code.hpp"

namespace studio::cli {

namespace {

bool is_flag(std::string_view argument) { return argument.size() > 1 && argument[0] == '-'; }

class Splitter {
 public:
  Splitter(std::span<const Flag> flags, FlagsStand stand, const std::string& form)
      : flags_(flags), stand_(stand), form_(form) {}

  Result<Arguments> split(std::span<const std::string> arguments) {
    while (!arguments.empty() && !split_.wants_help) {
      const std::string& argument = arguments.front();
      if (argument == "--") {
        split_.after_dashes = stand_ == FlagsStand::before_script;
        take_rest(arguments.subspan(1));
        break;
      }
      if (is_flag(argument)) {
        TRY(take_flag(arguments));
      } else if (stand_ == FlagsStand::before_script) {
        take_rest(arguments);
        break;
      } else {
        split_.rest.push_back(argument);
        arguments = arguments.subspan(1);
      }
    }
    return std::move(split_);
  }

 private:
  void take_rest(std::span<const std::string> arguments) {
    split_.rest.insert(split_.rest.end(), arguments.begin(), arguments.end());
  }

  const Flag* find(std::string_view name) const {
    for (const Flag& flag : flags_)
      if (std::find(flag.names.begin(), flag.names.end(), name) != flag.names.end()) return &flag;
    return nullptr;
  }

  // Takes a flag and its value off the front.
  Result<void> take_flag(std::span<const std::string>& arguments) {
    const std::string_view argument = arguments.front();
    arguments = arguments.subspan(1);
    const std::size_t equals = argument.find('=');
    const std::string_view name = argument.substr(0, equals);
    if (name == "-h" || name == "--help") {
      split_.wants_help = true;
      return {};
    }
    const Flag* flag = find(name);
    if (flag == nullptr) return unknown(name);
    const bool is_repeated = std::find(taken_.begin(), taken_.end(), flag) != taken_.end();
    taken_.push_back(flag);
    if (flag->value.empty()) {
      if (equals != argument.npos) return usage_error(concat(name, " takes no value"), form_of(*flag));
      if (!is_repeated) split_.flags.push_back(flag->names.back());
      return {};
    }
    if (is_repeated && !flag->repeatable)
      return usage_error(concat(name, " is given twice"), concat("give it once: ", form_of(*flag)));
    split_.flags.push_back(flag->names.back());
    if (equals != argument.npos) return take_value(name, *flag, std::string(argument.substr(equals + 1)));
    // A flag in the place of the value means that the value was forgotten. Who means it writes --flag=VALUE.
    const bool is_missing = arguments.empty() || arguments.front() == "--" || is_known_flag(arguments.front());
    if (is_missing) return usage_error(concat(name, " needs a value"), form_of(*flag));
    const std::string& value = arguments.front();
    arguments = arguments.subspan(1);
    return take_value(name, *flag, value);
  }

  Result<void> take_value(std::string_view name, const Flag& flag, std::string value) {
    if (value.empty()) return usage_error(concat(name, " has an empty value"), form_of(flag));
    split_.flags.push_back(std::move(value));
    return {};
  }

  bool is_known_flag(std::string_view argument) const {
    return is_flag(argument) && find(argument.substr(0, argument.find('='))) != nullptr;
  }

  Error unknown(std::string_view name) const {
    std::vector<std::string> names;
    for (const Flag& flag : flags_) names.insert(names.end(), flag.names.begin(), flag.names.end());
    const std::string_view nearest = nearest_name(name, names);
    const std::string message = concat("unknown flag ", printable(name));
    // One letter for another is no slip.
    if (nearest.size() <= 2) return usage_error(message, form_);
    return usage_error(message, concat("did you mean ", form_of(*find(nearest)), "?"));
  }

  std::span<const Flag> flags_;
  FlagsStand stand_;
  const std::string& form_;
  Arguments split_;
  std::vector<const Flag*> taken_;
};

}  // namespace

Result<Arguments> split_arguments(std::span<const std::string> arguments, std::span<const Flag> flags, FlagsStand stand,
                                  const std::string& form) {
  return Splitter(flags, stand, form).split(arguments);
}

std::string form_of(const Flag& flag) {
  return flag.value.empty() ? flag.names.back() : concat(flag.names.back(), " ", flag.value);
}

}  // namespace studio::cli
