// What a command gives its script: "--lr 0.1", "--lr=0.1", "-x", "lr=0.1", and the rest by its place.
#pragma once

#include <string>
#include <vector>

namespace studio::view {

struct Parameter {
  std::string name;  // without dashes; "argument N" of what has none, from 1
  std::string value;
  friend bool operator==(const Parameter&, const Parameter&) = default;
};

// Of the script and its arguments as they were typed. In their order, each name once, at most 100 (a script that is
// given thousands of files has no thousands of parameters).
//
// - A word of one or two dashes and a letter is an option. Its value is what follows its first "="; or else the next
//   word, unless that begins with a dash and is neither "-" nor a number; or else "true".
// - NAME=VALUE, with any "+" in front (Hydra), where the name is made of letters, digits and _ . - / @ and begins with
//   a letter, is the same without dashes.
// - "--" is no argument; what follows it are no options.
// - All else is an argument. The script itself is none.
// - What is given again adds its value after a comma.
//
// A letter is one of ASCII, "_", or any byte of another character.
std::vector<Parameter> parameters(const std::vector<std::string>& command);

}  // namespace studio::view
