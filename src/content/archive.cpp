#include "content/archive.hpp"

#include "content/gzip.hpp"
#include "content/tar.hpp"

namespace studio::content {

Result<void> export_archive(ChunkSource& source, const model::Version& version, ArchiveFormat format, const Sink& sink,
                            const std::function<void(std::uint64_t bytes)>& progress) {
  GzipSink gzip(sink);
  std::uint64_t written = 0;
  const Sink into = [&](ByteView bytes) -> Result<void> {
    written += bytes.size();
    if (progress) progress(written);
    return format == ArchiveFormat::tar ? sink(bytes) : gzip.write(bytes);
  };
  const TreeEntry directory{
      .type = EntryType::directory, .name = {}, .mode = version.root_mode, .modified_ns = version.root_modified_ns};
  TRY(export_tar(source, version.root, version.tag, into, directory));
  return format == ArchiveFormat::tar ? Result<void>() : gzip.finish();
}

}  // namespace studio::content
