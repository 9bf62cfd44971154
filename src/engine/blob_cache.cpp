#include "engine/blob_cache.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/restore.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

namespace {

Result<void> fill(const Services& services, const model::Version& version, const std::string& temporary,
                  std::stop_token stop) {
  if (::mkdir(temporary.c_str(), 0700) != 0) return os::system_error("create directory", temporary, errno);
  TRY_ASSIGN(const auto problems, content::restore_tree(services.repository.chunks(), version.root, temporary,
                                                        {.read_only = true, .stop = stop}));
  for (const model::Problem& problem : problems)
    services.report(Severity::warning, concat("'", printable(problem.path), "': ", problem.problem));
  if (::chmod(temporary.c_str(), 0555) != 0) return os::system_error("set the mode of", temporary, errno);
  // Later uses look at names, sizes and times only: these must not survive a power loss without the data.
  TRY_ASSIGN(const os::Fd written, os::open(temporary, O_RDONLY | O_DIRECTORY));
  if (::syncfs(written.get()) != 0) return os::system_error("sync", temporary, errno);
  return {};
}

Result<void> restore(const Services& services, const model::Version& version, const std::string& directory,
                     std::stop_token stop) {
  // Only the holder of the lock uses this name: what is there is a rest of one that died.
  const std::string temporary = concat(services.home.blob_cache(), "/.new-", version.root.digest.hex());
  TRY(os::make_directories(services.home.blob_cache()));
  TRY(os::remove_tree(temporary));
  auto filled = fill(services, version, temporary, stop);
  if (!filled) {
    (void)os::remove_tree(temporary);  // the error that matters is the first
    return filled;
  }
  // A script that uses a damaged one goes on with the mended one: the path is there at every moment.
  if (::renameat2(AT_FDCWD, temporary.c_str(), AT_FDCWD, directory.c_str(), RENAME_EXCHANGE) == 0)
    return os::remove_tree(temporary);
  if (errno != ENOENT) TRY(os::remove_tree(directory));  // a file system that cannot exchange
  if (::rename(temporary.c_str(), directory.c_str()) != 0) return os::system_error("create", directory, errno);
  return {};
}

std::string directory_of(const Home& home, const model::Version& version) {
  return concat(home.blob_cache(), "/", version.root.digest.hex());
}

}  // namespace

std::string cache_path(const Home& home, const model::Version& version) {
  const std::string directory = directory_of(home, version);
  return version.kind == model::ArtifactKind::file ? concat(directory, "/", version.file_name) : directory;
}

Result<std::string> place(const Services& services, const model::Version& version, std::stop_token stop) {
  const std::string directory = directory_of(services.home, version);
  const std::string path = cache_path(services.home, version);
  content::ChunkStore& chunks = services.repository.chunks();
  TRY_ASSIGN(bool there, content::looks_restored(chunks, version.root, directory));
  if (there) return path;
  TRY_ASSIGN(const auto lock, os::FileLock::acquire(services.home.blob_cache_lock(version.root.digest.hex()), stop));
  TRY_ASSIGN(there, content::looks_restored(chunks, version.root, directory));
  if (!there) TRY(restore(services, version, directory, stop));
  return path;
}

}  // namespace studio::engine
