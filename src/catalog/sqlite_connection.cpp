#include "catalog/sqlite_connection.hpp"

#include <sqlite3.h>

#include <cerrno>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "os/error.hpp"

namespace studio::catalog {

namespace {

Code code_of_constraint(int result) {
  switch (result) {
    case SQLITE_CONSTRAINT_PRIMARYKEY:
    case SQLITE_CONSTRAINT_UNIQUE: return Code::already_exists;
    default: return Code::conflict;
  }
}

// `number` is the errno behind a failed system call.
Code code_of(int result, int number) {
  switch (result & 0xff) {
    case SQLITE_FULL:
    case SQLITE_NOMEM: return Code::exhausted;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
    case SQLITE_FORMAT: return Code::corrupt;
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return Code::denied;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_PROTOCOL: return Code::unavailable;
    case SQLITE_CONSTRAINT: return code_of_constraint(result);
    case SQLITE_TOOBIG: return Code::invalid;
    case SQLITE_INTERRUPT: return Code::cancelled;
    case SQLITE_CANTOPEN:
    case SQLITE_IOERR: return number == 0 ? Code::internal : os::system_error("", "", number).code;
    default: return Code::internal;
  }
}

std::string hint_for(Code code) {
  switch (code) {
    case Code::exhausted: return "free space on the disk that the database lies on";
    case Code::corrupt: return "restore the file from a backup or move it away; the store holds a copy of every record";
    case Code::denied: return "see that the file and its directory may be written";
    case Code::unavailable: return "another process holds the database; try again";
    default: return {};
  }
}

}  // namespace

void SqliteStatement::Finalize::operator()(sqlite3_stmt* statement) const { ::sqlite3_finalize(statement); }

SqliteStatement& SqliteStatement::bind(std::int64_t value) {
  const int result = ::sqlite3_bind_int64(statement_.get(), ++bound_, value);
  if (failure_ == SQLITE_OK) failure_ = result;
  return *this;
}

SqliteStatement& SqliteStatement::bind(std::string_view value) {
  // A null pointer would bind NULL.
  const char* text = value.data() == nullptr ? "" : value.data();
  const int result =
      ::sqlite3_bind_text64(statement_.get(), ++bound_, text, value.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  if (failure_ == SQLITE_OK) failure_ = result;
  return *this;
}

SqliteStatement& SqliteStatement::bind_null() {
  const int result = ::sqlite3_bind_null(statement_.get(), ++bound_);
  if (failure_ == SQLITE_OK) failure_ = result;
  return *this;
}

Result<bool> SqliteStatement::step() {
  if (failure_ != SQLITE_OK) return connection_->error(failure_);
  const int result = ::sqlite3_step(statement_.get());
  if (result == SQLITE_ROW) return true;
  if (result == SQLITE_DONE) return false;
  return connection_->error(result);
}

Result<void> SqliteStatement::run() {
  TRY(step());
  return {};
}

std::int64_t SqliteStatement::integer(int column) const { return ::sqlite3_column_int64(statement_.get(), column); }

std::string_view SqliteStatement::text(int column) const {
  const auto* text = reinterpret_cast<const char*>(::sqlite3_column_text(statement_.get(), column));
  if (text == nullptr) return {};
  return {text, static_cast<std::size_t>(::sqlite3_column_bytes(statement_.get(), column))};
}

Result<std::unique_ptr<SqliteConnection>> SqliteConnection::open(const std::string& path,
                                                                 std::chrono::milliseconds patience) {
  std::unique_ptr<SqliteConnection> connection(new SqliteConnection(path));
  // SQLite takes names like ":memory:" for something else than a file.
  const std::string name = path.starts_with('/') ? path : concat("./", path);
  // The owner of a connection serialises its use.
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE;
  const int result = ::sqlite3_open_v2(name.c_str(), &connection->database_, flags, nullptr);
  if (result != SQLITE_OK) return connection->error(result);
  ::sqlite3_busy_timeout(connection->database_, static_cast<int>(patience.count()));
  ::sqlite3_db_config(connection->database_, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  ::sqlite3_db_config(connection->database_, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  ::sqlite3_db_config(connection->database_, SQLITE_DBCONFIG_ENABLE_FKEY, 1, nullptr);
  return connection;
}

SqliteConnection::~SqliteConnection() { ::sqlite3_close_v2(database_); }

Result<SqliteStatement> SqliteConnection::prepare(std::string_view sql) const {
  sqlite3_stmt* statement = nullptr;
  const int result = ::sqlite3_prepare_v2(database_, sql.data(), static_cast<int>(sql.size()), &statement, nullptr);
  if (result != SQLITE_OK) return error(result);
  return SqliteStatement(*this, statement);
}

Result<void> SqliteConnection::execute(const std::string& sql) const {
  const int result = ::sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr);
  if (result != SQLITE_OK) return error(result);
  return {};
}

Result<std::int64_t> SqliteConnection::integer(std::string_view sql) const {
  TRY_ASSIGN(SqliteStatement statement, prepare(sql));
  TRY_ASSIGN(const bool row, statement.step());
  return row ? statement.integer(0) : 0;
}

void SqliteConnection::leave_alone() const {
  ::sqlite3_db_config(database_, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
}

Error SqliteConnection::error(int result) const {
  const int number = database_ == nullptr ? 0 : ::sqlite3_system_errno(database_);
  const Code code = code_of(result, number);
  const char* cause = database_ == nullptr ? ::sqlite3_errstr(result) : ::sqlite3_errmsg(database_);
  return {code, concat("database '", printable(path_), "': ", cause), hint_for(code)};
}

Result<SqliteTransaction> SqliteTransaction::begin(const SqliteConnection& connection) {
  TRY(connection.execute("BEGIN IMMEDIATE"));
  return SqliteTransaction(connection);
}

Result<SqliteTransaction> SqliteTransaction::begin_reading(const SqliteConnection& connection) {
  TRY(connection.execute("BEGIN"));
  return SqliteTransaction(connection);
}

SqliteTransaction::~SqliteTransaction() {
  // Fails where SQLite has rolled back by itself, which is as good.
  if (connection_ != nullptr) (void)connection_->execute("ROLLBACK");
}

Result<void> SqliteTransaction::commit() {
  TRY(connection_->execute("COMMIT"));
  connection_ = nullptr;
  return {};
}

}  // namespace studio::catalog
