// The arguments of one command, taken apart into flags and the rest before CLI11 sees them: CLI11 knows no short flag
// of two letters (`-co`), takes the next argument for an empty attached value (`--capture= train.py`), and would look
// for flags behind the script of `studio run`.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"

namespace studio::cli {

struct Flag {
  std::vector<std::string> names;  // "-c", "--capture"; the last one is the canonical one
  std::string value;               // what the help calls its value ("PATH:TAG"); empty: it takes none
  bool repeatable = false;
};

// Where flags may stand.
enum class FlagsStand {
  anywhere,       // also between and behind the other arguments
  before_script,  // only before the first other argument: all from there on is taken as it stands
};

struct Arguments {
  std::vector<std::string> flags;  // canonical: "--capture", "a:b", "--quiet"
  std::vector<std::string> rest;   // the other arguments, in order
  bool after_dashes = false;       // before_script: "--" announced the rest
  bool wants_help = false;         // "-h" or "--help" was among the flags; the others were not looked at further
};

// A usage error names the flag as it was typed and shows its form. `form` is that of the whole command.
Result<Arguments> split_arguments(std::span<const std::string> arguments, std::span<const Flag> flags, FlagsStand stand,
                                  const std::string& form);

// "--capture PATH:TAG", "--quiet"
std::string form_of(const Flag& flag);

}  // namespace studio::cli
