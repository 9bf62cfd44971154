// The catalog in one SQLite file (schema: doc/records.md).
#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <string>

#include "catalog/catalog.hpp"
#include "catalog/sqlite_connection.hpp"

namespace studio::catalog {

struct SqliteOptions {
  std::string path;                            // the file; it and its directory are made if missing
  std::chrono::milliseconds patience{30'000};  // how long a lock of another process is waited for
};

// Holds one connection, used by one thread at a time.
class SqliteCatalog final : public Catalog {
 public:
  // Brings an older schema up to date. `unsupported` if a newer Studio wrote the file or it is no catalog of Studio's:
  // then nothing is written.
  static Result<std::unique_ptr<Catalog>> open(const SqliteOptions& options);

  Result<void> create(const model::Experiment& experiment) override;
  Result<model::Experiment> load(std::string_view key) override;
  Result<std::uint64_t> update(const model::Experiment& experiment) override;
  Result<Listed> list(const Filter& filter, std::size_t limit) override;
  Result<Changes> changes(std::uint64_t sequence, std::size_t limit) override;
  Result<void> commit(const model::Version& version, std::uint64_t token) override;
  Result<std::vector<model::Attempt>> attempts(std::string_view key, std::uint64_t from) override;
  Result<std::vector<model::Version>> versions(std::string_view key, std::optional<std::string> tag) override;
  Result<std::optional<model::Version>> version(std::string_view key, std::string_view tag,
                                                std::uint64_t number) override;
  Result<std::optional<model::Version>> latest(std::string_view key, std::string_view tag) override;

 private:
  explicit SqliteCatalog(std::unique_ptr<SqliteConnection> connection) : connection_(std::move(connection)) {}

  struct Stored {
    std::string key;
    std::string record;
    std::uint64_t sequence;
  };

  Result<std::vector<Stored>> changed_after(std::uint64_t sequence, std::size_t limit);
  static std::vector<Result<model::Experiment>> understood(const std::vector<Stored>& stored);
  Result<model::Experiment> read(std::string_view key);
  Result<void> keep_earlier_attempt(const model::Experiment& next, std::uint64_t stored);
  Result<void> insert(const model::Version& version, const std::string& record, std::uint64_t token);
  Error damaged(std::string_view what, Error error) const;
  Unreadable unreadable(std::string_view key, Error error) const;

  std::mutex mutex_;
  std::unique_ptr<SqliteConnection> connection_;
};

}  // namespace studio::catalog
