// A file that appears under its name complete and durable, or not at all.
#pragma once

#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::os {

enum class Replace { yes, no };
enum class Durable { yes, no };

// Writes the concatenated parts to a temporary file in `staging` (a directory on the same file system), fsyncs it,
// moves it to `path` and fsyncs the directory of `path`. Missing directories of `path` are made. With Replace::no an
// existing file is `already_exists` and stays. With Durable::no there is no fsync: the file is atomic to readers, but
// may be lost, empty or cut by a power loss. On any error nothing is left behind.
Result<void> write_file(const std::string& path, const std::string& staging, std::span<const ByteView> parts,
                        Replace replace, Durable durable, mode_t mode = 0666);

inline Result<void> write_file(const std::string& path, const std::string& staging, ByteView bytes, Replace replace,
                               Durable durable, mode_t mode = 0666) {
  return write_file(path, staging, std::span(&bytes, 1), replace, durable, mode);
}

// A name in `directory` that no other process uses: PREFIX-PID-COUNTER-RANDOM. Nothing is created.
std::string unique_path(const std::string& directory, std::string_view prefix);

}  // namespace studio::os
