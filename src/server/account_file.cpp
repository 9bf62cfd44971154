#include "server/account_file.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/atomic_file.hpp"
#include "os/fd.hpp"
#include "os/file_lock.hpp"
#include "os/paths.hpp"

namespace studio::server {

Result<AccountFile::Stamp> AccountFile::stamp() const {
  const auto status = os::status(path_);
  if (!status && status.error().code == Code::not_found) return Stamp();
  if (!status) return status.error();
  return Stamp{status->st_ino, status->st_size, status->st_ctim.tv_sec * 1'000'000'000 + status->st_ctim.tv_nsec};
}

Result<Accounts> AccountFile::load() const {
  const auto text = os::read_file(path_);
  if (!text && text.error().code == Code::not_found) return Accounts();
  if (!text) return text.error();
  auto accounts = accounts_from_text(as_text(*text));
  if (!accounts) return within(concat("'", printable(path_), "'"), accounts.error());
  return accounts;
}

Result<std::shared_ptr<const Accounts>> AccountFile::read() {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const Stamp present, stamp());
  if (accounts_ != nullptr && present == read_) return accounts_;
  TRY_ASSIGN(Accounts accounts, load());
  accounts_ = std::make_shared<const Accounts>(std::move(accounts));
  read_ = present;
  return accounts_;
}

Result<void> AccountFile::change(const Change& change) {
  TRY(os::make_durable_directories(os::parent_of(path_), 0700));
  TRY_ASSIGN(const os::FileLock one_at_a_time, os::FileLock::acquire(concat(path_, ".lock")));
  TRY_ASSIGN(Accounts accounts, load());
  TRY(change(accounts));
  return os::write_private_file(path_, as_bytes(accounts_text(accounts)));
}

}  // namespace studio::server
