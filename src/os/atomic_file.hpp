// A file that appears under its name complete, or not at all.
#pragma once

#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "os/fd.hpp"

namespace studio::os {

// Writes a temporary file beside `path` and renames it: readers find the old file or the new one, whole. Not durable: a
// power loss may leave it lost, empty or cut. After an error `path` is as it was.
Result<void> write_file(const std::string& path, ByteView bytes);

// The same for what nobody else may read (mode 0600), and durable when the call returns.
Result<void> write_private_file(const std::string& path, ByteView bytes);

// A name in `directory` that no other process uses: PREFIX-PID-COUNTER-RANDOM. Nothing is created.
std::string unique_path(const std::string& directory, std::string_view prefix);

// Removes what writers that died left in `directory`: files whose names begin with `prefix`, untouched for a day. Best
// effort: in a directory that may only be read there is nothing to clean.
void remove_stale_files(const Fd& directory, std::string_view prefix);

}  // namespace studio::os
