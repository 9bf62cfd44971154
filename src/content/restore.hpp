// Writes a tree to disk as it was captured.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "content/tree.hpp"
#include "model/version.hpp"

namespace studio::content {

struct RestoreOptions {
  bool read_only = false;  // no write permission on anything restored
  // What is there already and has the right size and time stays; other files are replaced, each when the new one is
  // complete. What is no part of the tree is left alone. A directory in the place of a file is an error.
  bool update = false;
  std::function<void(std::uint64_t files, std::uint64_t bytes)> progress = {};
  std::stop_token stop = {};
};

// Restores the tree under `root` into the directory `into`, which must exist and be no one else's to change; without
// `update` it must be empty.
// Owners are not restored, and so files lose their setuid and setgid bits. Everything is made by name beneath an open
// directory, never through a symlink: no stored name or link can reach outside. Returns what could not be made as
// it was (a device without privilege). On an error `into` is left incomplete.
Result<std::vector<model::Problem>> restore_tree(ChunkSource& source, const ContentRef& root, const std::string& into,
                                                 const RestoreOptions& options);

// Gives the directory the mode and the time of the captured one: to be called last.
Result<void> set_root_metadata(const std::string& directory, const model::Version& version);

// Whether `directory` holds exactly the names of the tree, with their types, permissions, sizes, modification times and
// link targets, as restore_tree(read_only) leaves them. Reads no content; the directory itself is not looked at.
Result<bool> looks_restored(ChunkSource& source, const ContentRef& root, const std::string& directory);

}  // namespace studio::content
