// Puts a version on disk: whole, or not at all.
#pragma once

#include <string>
#include <vector>

#include "base/result.hpp"
#include "content/chunk_store.hpp"
#include "content/restore.hpp"
#include "model/version.hpp"

namespace studio::cli {

struct Restored {
  std::string path;  // absolute: of the directory or the file
  std::vector<model::Problem> problems;
};

// A directory becomes `destination`, which must not exist or be an empty directory; a file becomes `destination`, or
// goes into it under its own name if that is a directory. Relative to `directory`. Everything is made in a directory
// beside the place, closed to others, and moved when it is complete; on any error nothing is left behind. What stands
// in the way is `invalid` and stays. With `options.update`, a destination that is there is made into the version in its
// place, file by file.
Result<Restored> restore_version(content::ChunkSource& chunks, const model::Version& version,
                                 const std::string& destination, const std::string& directory,
                                 const content::RestoreOptions& options);

}  // namespace studio::cli
