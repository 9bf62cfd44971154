// SQLite as RAII values and Results. Private to the SQLite catalog.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace studio::catalog {

class SqliteConnection;

// One prepared statement. Borrows its connection. Not thread-safe.
class SqliteStatement {
 public:
  // The parameters in their order, each once; text is copied. A failure is reported by the next step.
  SqliteStatement& bind(std::int64_t value);
  SqliteStatement& bind(std::string_view value);
  SqliteStatement& bind_null();

  // Whether there is a row (then its columns can be read, until the next step).
  Result<bool> step();
  // A statement that gives no rows.
  Result<void> run();

  std::int64_t integer(int column) const;
  std::string_view text(int column) const;  // valid until the next step

 private:
  friend class SqliteConnection;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  SqliteStatement(const SqliteConnection& connection, sqlite3_stmt* statement)
      : connection_(&connection), statement_(statement) {}

  const SqliteConnection* connection_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
  int bound_ = 0;
  int failure_ = 0;
};

// An open database file. The errors name it. Not thread-safe.
class SqliteConnection {
 public:
  // Opens an existing file (it may be empty). A lock that another connection holds is waited for as long as `patience`.
  static Result<std::unique_ptr<SqliteConnection>> open(const std::string& path, std::chrono::milliseconds patience);
  SqliteConnection(const SqliteConnection&) = delete;
  SqliteConnection& operator=(const SqliteConnection&) = delete;
  ~SqliteConnection();

  Result<SqliteStatement> prepare(std::string_view sql) const;
  // Statements without parameters and rows, separated by ';'.
  Result<void> execute(const std::string& sql) const;
  // The one value of a statement like "PRAGMA user_version".
  Result<std::int64_t> integer(std::string_view sql) const;
  // From now on closing leaves the file as it is: its write-ahead log is not folded in.
  void leave_alone() const;

  const std::string& path() const { return path_; }
  Error error(int result) const;

 private:
  explicit SqliteConnection(std::string path) : path_(std::move(path)) {}

  std::string path_;
  sqlite3* database_ = nullptr;
};

// A transaction, rolled back unless committed. Borrows its connection.
class SqliteTransaction {
 public:
  // Waits for the one right to write.
  static Result<SqliteTransaction> begin(const SqliteConnection& connection);
  // All that is read in it is of one moment.
  static Result<SqliteTransaction> begin_reading(const SqliteConnection& connection);
  SqliteTransaction(SqliteTransaction&& other) noexcept : connection_(std::exchange(other.connection_, nullptr)) {}
  SqliteTransaction& operator=(SqliteTransaction&&) = delete;
  ~SqliteTransaction();

  // Durable when it returns without an error.
  Result<void> commit();

 private:
  explicit SqliteTransaction(const SqliteConnection& connection) : connection_(&connection) {}
  const SqliteConnection* connection_;
};

}  // namespace studio::catalog
