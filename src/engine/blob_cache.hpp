// Restored versions that runs share, read-only: $STUDIOML_HOME/blobcache/DIGEST.
#pragma once

#include <stop_token>
#include <string>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/version.hpp"

namespace studio::engine {

// The path that stands for the artifact: the directory, or the file in it.
std::string cache_path(const Home& home, const model::Version& version);

// Restores the version, unless it is there and looks as it was left, and returns cache_path(). Several processes that
// ask at once do the work once. The cache may be deleted at any time, wholly or in part.
Result<std::string> place(const Services& services, const model::Version& version, std::stop_token stop = {});

}  // namespace studio::engine
