// A version as an archive to be downloaded.
#pragma once

#include <functional>

#include "base/result.hpp"
#include "content/file_content.hpp"
#include "model/version.hpp"

namespace studio::content {

enum class ArchiveFormat { tar, tar_gz };

// Streams it into the sink; the same version gives the same bytes. Names in it begin with the artifact's tag.
// `progress`, which may be empty, gets the bytes of the tar so far.
Result<void> export_archive(ChunkSource& source, const model::Version& version, ArchiveFormat format, const Sink& sink,
                            const std::function<void(std::uint64_t bytes)>& progress = {});

}  // namespace studio::content
