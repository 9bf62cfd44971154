// Which directories of a tree are, with all that is in them, as a stat cache has them: a capture need not enter those.
#pragma once

#include <cstdint>
#include <span>
#include <stop_token>
#include <vector>

#include "content/stat_cache.hpp"
#include "os/directory.hpp"

namespace studio::content {

// The blocks of these directories, sorted; of those that lie in each other only the outermost. Several threads list and
// stat what is below the open directory `root`; what lies in `root` itself is looked at by whoever walks it. Left out
// is what needs more than a look at names and times: directories in which something is no plain file of one name, has
// extended attributes or is one of `left_out`. When stopped, what was found so far.
std::vector<std::uint64_t> unchanged_directories(int root, const StatCache& cache, std::span<const os::FileId> left_out,
                                                 std::stop_token stop);

}  // namespace studio::content
