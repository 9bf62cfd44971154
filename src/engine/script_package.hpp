// The Python package `studio` (fs_tracker) that every run finds, carried in the binary.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "engine/home.hpp"

namespace studio::engine {

struct PackagedFile {
  std::string_view name;  // relative to the package
  std::string_view content;
};
// Made from python/studio at build time.
extern const std::span<const PackagedFile> k_script_package;

// Returns a directory for PYTHONPATH that holds nothing but the package, written at first use under a name made of its
// content: a newer Studio uses another directory, and processes that do this at once do not disturb each other.
Result<std::string> install_script_package(const Home& home);

}  // namespace studio::engine
