// The accounts of a server, in a file that the program's commands change while the server runs.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/result.hpp"
#include "server/accounts.hpp"

namespace studio::server {

// Thread-safe, and safe with other processes on the same file.
class AccountFile {
 public:
  // Nothing is read or made yet; a file that is not there holds nobody.
  explicit AccountFile(std::string path) : path_(std::move(path)) {}

  // As they are now. Costs a look at the file's status while nothing has changed.
  Result<std::shared_ptr<const Accounts>> read();

  // One at a time; durable when the call returns. An error of `change` is returned, and nothing is changed.
  using Change = std::function<Result<void>(Accounts&)>;
  Result<void> change(const Change& change);

 private:
  // Tells one file from the next, of which each is another (os::write_private_file).
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t changed = 0;  // ctime, nanoseconds
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  Result<Stamp> stamp() const;
  Result<Accounts> load() const;

  const std::string path_;
  std::mutex mutex_;
  Stamp read_;
  std::shared_ptr<const Accounts> accounts_;
};

}  // namespace studio::server
