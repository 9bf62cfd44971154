#include "catalog/sqlite_schema.hpp"

#include <array>
#include <thread>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::catalog {

namespace {

// The n-th leads from schema version n to n + 1. A released one is never edited. Described in doc/records.md.
constexpr std::array<std::string_view, 4> k_migrations{R"sql(
CREATE TABLE experiments (
  key      TEXT    NOT NULL PRIMARY KEY,
  project  TEXT    NOT NULL,
  owner    TEXT    NOT NULL,
  state    TEXT    NOT NULL,
  created  INTEGER NOT NULL,
  token    INTEGER NOT NULL,
  revision INTEGER NOT NULL,
  record   TEXT    NOT NULL
) STRICT;
CREATE INDEX experiments_by_created ON experiments (created DESC, key);
CREATE INDEX experiments_by_project ON experiments (project, created DESC, key);
CREATE INDEX experiments_by_state ON experiments (state, created DESC, key);
CREATE TABLE versions (
  experiment TEXT    NOT NULL REFERENCES experiments (key),
  tag        TEXT    NOT NULL,
  number     INTEGER NOT NULL,
  record     TEXT    NOT NULL,
  PRIMARY KEY (experiment, tag, number)
) STRICT;
)sql",
                                                       // An experiment that was run again and again was written
                                                       // with all its attempts each time.
                                                       R"sql(
CREATE TABLE attempts (
  experiment TEXT    NOT NULL REFERENCES experiments (key),
  number     INTEGER NOT NULL,
  record     TEXT    NOT NULL,
  PRIMARY KEY (experiment, number)
) STRICT;
INSERT INTO attempts (experiment, number, record)
  SELECT experiments.key, json_extract(attempt.value, '$.number'),
         json_set(attempt.value, '$.format', 1, '$.experiment', experiments.key)
  FROM experiments, json_each(experiments.record, '$.attempts') AS attempt
  WHERE attempt.key < json_array_length(experiments.record, '$.attempts') - 1;
UPDATE experiments SET record = json_set(record, '$.attempts', json_array(json_extract(record, '$.attempts[#-1]')))
  WHERE json_array_length(record, '$.attempts') > 1;
)sql",
                                                       // Who shows experiments asks again and again what has changed.
                                                       // By triggers, so that a Studio that began with the schema
                                                       // before, and runs for days, counts too.
                                                       R"sql(
ALTER TABLE experiments ADD COLUMN sequence INTEGER NOT NULL DEFAULT 0;
UPDATE experiments SET sequence = rowid;
CREATE UNIQUE INDEX experiments_by_sequence ON experiments (sequence);
CREATE TRIGGER experiments_created AFTER INSERT ON experiments BEGIN
  UPDATE experiments SET sequence = (SELECT max(sequence) + 1 FROM experiments) WHERE key = NEW.key;
END;
CREATE TRIGGER experiments_changed AFTER UPDATE OF record ON experiments BEGIN
  UPDATE experiments SET sequence = (SELECT max(sequence) + 1 FROM experiments) WHERE key = NEW.key;
END;
)sql",
                                                       // A deleted experiment leaves the lists, not the catalog. Lists
                                                       // of what was deleted need not read all that was not.
                                                       R"sql(
ALTER TABLE experiments ADD COLUMN deleted INTEGER;
CREATE INDEX experiments_by_deletion ON experiments (created DESC, key) WHERE deleted IS NOT NULL;
)sql"};

// The present version. 0: the file is new. To be called in a transaction: another process may be making the schema.
Result<std::int64_t> checked_version(const SqliteConnection& connection) {
  TRY_ASSIGN(const std::int64_t version, connection.integer("PRAGMA user_version"));
  TRY_ASSIGN(const std::int64_t application, connection.integer("PRAGMA application_id"));
  const std::string file = concat("'", printable(connection.path()), "'");
  if (application == k_application_id && version > schema_version())
    return Error{
        Code::unsupported,
        concat("database ", file, " has schema ", version, ", this Studio knows schemas up to ", schema_version()),
        "it was written by a newer Studio: use that one"};
  if (application == k_application_id && version > 0) return version;
  TRY_ASSIGN(const std::int64_t tables, connection.integer("SELECT count(*) FROM sqlite_schema"));
  if (application == 0 && version == 0 && tables == 0) return 0;
  return Error{Code::unsupported, concat(file, " is not a database of Studio"), "set database.path to another file"};
}

Result<std::int64_t> version_of_file(const SqliteConnection& connection) {
  TRY_ASSIGN(const SqliteTransaction reading, SqliteTransaction::begin_reading(connection));
  return checked_version(connection);
}

// Two who do this at once can meet in a way that SQLite answers "busy" at once instead of waiting.
Result<void> use_write_ahead_log(const SqliteConnection& connection, std::chrono::milliseconds patience) {
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (true) {
    auto done = connection.integer("PRAGMA journal_mode = WAL");
    if (done) return {};
    if (done.error().code != Code::unavailable || std::chrono::steady_clock::now() > deadline) return done.error();
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace

std::int64_t schema_version() { return std::int64_t{k_migrations.size()}; }

Result<void> migrate(const SqliteConnection& connection, std::chrono::milliseconds patience) {
  const auto version = version_of_file(connection);
  if (!version) {
    connection.leave_alone();
    return version.error();
  }
  // What was committed survives a power cut, also with a write-ahead log. Not earlier: this reads the schema, which a
  // newer one may fail.
  TRY(connection.execute("PRAGMA synchronous = FULL"));
  if (*version == schema_version()) return {};
  TRY(use_write_ahead_log(connection, patience));
  TRY_ASSIGN(SqliteTransaction transaction, SqliteTransaction::begin(connection));
  TRY_ASSIGN(const std::int64_t from, checked_version(connection));  // another may have done it while we waited
  for (auto step = static_cast<std::size_t>(from); step < k_migrations.size(); ++step)
    TRY(connection.execute(std::string(k_migrations[step])));
  TRY(connection.execute(concat("PRAGMA application_id = ", k_application_id)));
  TRY(connection.execute(concat("PRAGMA user_version = ", schema_version())));
  return transaction.commit();
}

}  // namespace studio::catalog
