// Names of experiments, projects and tags. A valid name is safe as one component of a path or an object key.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"

namespace studio {

// 1 to `longest` letters, digits, '.', '_', '-'; not "." or "..".
bool valid_name(std::string_view name, std::size_t longest = 100);

// What Linux takes for a name in a directory, apart from its length: any bytes but '/' and NUL; not "." or "..".
bool valid_file_name(std::string_view name);

// `what` ("tag", "experiment name") opens the message of the error.
Result<void> check_name(std::string_view what, std::string_view name);

// A fresh experiment key: ten characters of [a-z2-7] from the system's random source, the first a letter.
Result<std::string> make_key();

// Of `candidates`, the one with the smallest edit distance to `name`, if it is near enough to be a slip; else empty.
template <class Candidates>
std::string_view nearest_name(std::string_view name, const Candidates& candidates);

std::size_t edit_distance(std::string_view a, std::string_view b);

template <class Candidates>
std::string_view nearest_name(std::string_view name, const Candidates& candidates) {
  std::string_view best;
  std::size_t best_distance = name.size() / 3 + 2;
  for (const auto& candidate : candidates) {
    const std::size_t distance = edit_distance(name, candidate);
    if (distance < best_distance) {
      best = candidate;
      best_distance = distance;
    }
  }
  return best;
}

}  // namespace studio
