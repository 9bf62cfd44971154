// A store in a directory of this machine, or of a file server: an object is a file, its key the path.
#pragma once

#include <memory>
#include <string>

#include "blob/root_directory.hpp"
#include "blob/store.hpp"

namespace studio::blob {

struct LocalOptions {
  std::string path;  // made if missing
};

// Objects are written under ".staging", fsynced and moved into place; ".lock" is held while one is replaced or removed.
// No symlink below the directory is followed (`unsupported`); files whose path is no key are not seen.
//
// A view is a mapped file. As long as objects come and go through stores that is safe: they are never written in place.
// Whoever cuts such a file by other means ends the processes that look at it (SIGBUS), and so does a disk that cannot
// give the page. On a file server, where an object that another machine removes is gone at once, a view is a copy.
class LocalStore final : public Store {
 public:
  // Removes what writers that died more than a day ago left under ".staging".
  static Result<std::unique_ptr<Store>> open(const LocalOptions& options);

  Result<ObjectInfo> stat(std::string_view key) override;
  Result<Bytes> get(std::string_view key, Range range) override;
  Result<std::size_t> get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                               ReadFrom from) override;
  Result<ObjectView> view(std::string_view key) override;
  Result<std::string> put(std::string_view key, std::span<const ByteView> parts, Condition condition) override;
  Result<void> remove(std::string_view key) override;
  Result<void> list(std::string_view prefix, const Visitor& visit) override;

 private:
  class StagedFile;
  struct Entry;

  explicit LocalStore(RootDirectory root);

  Result<os::Fd> open_object(std::string_view key, int flags, struct stat& info) const;
  template <class BufferFor>
  Result<std::size_t> read_object(std::string_view key, Range range, ReadFrom from, const BufferFor& buffer_for) const;
  Result<StagedFile> stage(std::span<const ByteView> parts) const;
  Result<void> publish(StagedFile& staged, const std::string& key, const Condition& condition) const;
  Error publish_error(const os::Fd& directory, const std::string& key, int number) const;
  Result<void> settle(const std::string& directory) const;
  Result<std::vector<Entry>> entries_of(const std::string& directory, std::string_view wanted) const;
  Result<void> list_directory(const std::string& directory, std::string_view wanted, const Visitor& visit) const;
  Result<os::Fd> lock() const;  // held until it is closed

  RootDirectory root_;
  bool may_map_;
};

}  // namespace studio::blob
