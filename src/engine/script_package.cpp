#include "engine/script_package.hpp"

#include <cerrno>
#include <cstdio>

#include "base/codec.hpp"
#include "base/concat.hpp"
#include "base/digest.hpp"
#include "os/atomic_file.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"

namespace studio::engine {

namespace {

Digest digest_of_package() {
  ByteWriter all;
  for (const PackagedFile& file : k_script_package) {
    all.sized(file.name);
    all.sized(file.content);
  }
  return Sha256::of(all.view());
}

bool is_installed(const std::string& directory) {
  for (const PackagedFile& file : k_script_package) {
    const auto bytes = os::read_file(concat(directory, "/studio/", file.name));
    if (!bytes || as_text(*bytes) != file.content) return false;
  }
  return true;
}

Result<void> write_package(const std::string& directory) {
  TRY(os::make_directories(concat(directory, "/studio")));
  for (const PackagedFile& file : k_script_package)
    TRY(os::write_file(concat(directory, "/studio/", file.name), as_bytes(file.content)));
  return {};
}

}  // namespace

Result<std::string> install_script_package(const Home& home) {
  const std::string directory = concat(home.packages(), "/", digest_of_package().hex().substr(0, 16));
  if (is_installed(directory)) return directory;
  // A damaged one is written over: the files are replaced one by one, each whole.
  if (os::exists(directory)) {
    TRY(write_package(directory));
    return directory;
  }
  TRY(os::make_directories(home.packages()));
  const std::string temporary = os::unique_path(home.packages(), ".new");
  TRY(write_package(temporary));
  if (::rename(temporary.c_str(), directory.c_str()) == 0) return directory;
  const int number = errno;
  (void)os::remove_tree(temporary);
  if (is_installed(directory)) return directory;  // another process was quicker
  return os::system_error("create", directory, number);
}

}  // namespace studio::engine
