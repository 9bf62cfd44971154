#include "catalog/sqlite.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/worker_pool.hpp"
#include "catalog/errors.hpp"
#include "catalog/record.hpp"
#include "catalog/sqlite_schema.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::catalog {

namespace {

// Numbers of a checked record fit (doc/records.md), but a key or token that was asked for may be anything.
std::int64_t to_integer(std::uint64_t number) {
  return static_cast<std::int64_t>(std::min<std::uint64_t>(number, INT64_MAX));
}

// SQLite would fall back to reading, and then fail for want of a write-ahead log with a message that tells nothing.
Result<void> check_writable(const std::string& path) {
  if (::access(path.c_str(), W_OK) == 0) return {};
  Error error = os::system_error("write database", path, errno);
  error.hint = "see that the file and its directory may be written";
  return error;
}

void bind_time(SqliteStatement& statement, const std::optional<WallTime>& time) {
  if (time)
    statement.bind(time->time_since_epoch().count());
  else
    statement.bind_null();
}

// Made here, because SQLite would let the group and others read it. A file that is there must not be opened and closed
// by anyone but SQLite: that would drop the locks that this process holds on it (POSIX advisory locks).
Result<void> make_file(const std::string& path) {
  if (os::exists(path)) return check_writable(path);
  TRY(os::make_durable_directories(os::parent_of(path)));
  const auto made = os::open(path, O_RDWR | O_CREAT | O_EXCL, 0600);
  if (!made && made.error().code != Code::already_exists) return made.error();
  return os::sync_directory(os::parent_of(path));
}

// What an experiment's row says of how it stands.
struct Standing {
  std::uint64_t revision = 0;
  std::uint64_t token = 0;
};

// Leaves no statement open.
Result<Standing> standing_of(const SqliteConnection& connection, std::string_view key) {
  TRY_ASSIGN(auto select, connection.prepare("SELECT revision, token FROM experiments WHERE key = ?"));
  TRY_ASSIGN(const bool found, select.bind(key).step());
  if (!found) return no_experiment(key);
  return Standing{static_cast<std::uint64_t>(select.integer(0)), static_cast<std::uint64_t>(select.integer(1))};
}

// The least text above everything that begins with `prefix`; nothing if there is none.
std::optional<std::string> end_of_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (prefix.empty()) return {};
  prefix.back() = static_cast<char>(static_cast<unsigned char>(prefix.back()) + 1);
  return prefix;
}

// The WHERE clause and its parameters.
struct Selection {
  std::string sql;
  std::vector<std::string> values;

  void add(std::string_view condition) { sql += concat(sql.empty() ? " WHERE " : " AND ", condition); }
  void add(std::string_view condition, std::string value) {
    add(condition);
    values.push_back(std::move(value));
  }
};

Selection selection_of(const Filter& filter) {
  Selection selection;
  if (filter.project) selection.add("project = ?", *filter.project);
  if (filter.key_prefix) {
    selection.add("key >= ?", *filter.key_prefix);
    if (auto end = end_of_prefix(*filter.key_prefix)) selection.add("key < ?", *std::move(end));
  }
  if (filter.deleted == Deleted::hidden) selection.add("deleted IS NULL");
  if (filter.deleted == Deleted::only) selection.add("deleted IS NOT NULL");
  if (filter.states.empty()) return selection;
  std::string marks;
  for (const model::State state : filter.states) {
    marks += marks.empty() ? "?" : ", ?";
    selection.values.emplace_back(name_of(state));
  }
  selection.add(concat("state IN (", marks, ")"));
  return selection;
}

}  // namespace

Result<std::unique_ptr<Catalog>> SqliteCatalog::open(const SqliteOptions& options) {
  if (options.path.empty()) return Error{Code::invalid, "a database needs a path", "set database.path"};
  TRY(make_file(options.path));
  TRY_ASSIGN(auto connection, SqliteConnection::open(options.path, options.patience));
  TRY(migrate(*connection, options.patience));
  return std::unique_ptr<Catalog>(new SqliteCatalog(std::move(connection)));
}

// A record that cannot be read: say where it lies.
Error SqliteCatalog::damaged(std::string_view what, Error error) const {
  return within(concat("database '", printable(connection_->path()), "', ", what), std::move(error));
}

Unreadable SqliteCatalog::unreadable(std::string_view key, Error error) const {
  return {std::string(key), damaged(concat("experiment '", printable(key), "'"), std::move(error))};
}

Result<void> SqliteCatalog::create(const model::Experiment& experiment) {
  model::Experiment stored = experiment;
  stored.revision = 1;
  TRY_ASSIGN(const std::string record, to_record(stored));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto insert,
             connection_->prepare("INSERT INTO experiments"
                                  " (key, project, owner, state, created, token, revision, record, deleted)"
                                  " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"));
  insert.bind(stored.key).bind(stored.project).bind(stored.owner).bind(name_of(stored.state()));
  insert.bind(stored.created.time_since_epoch().count()).bind(to_integer(stored.token()));
  insert.bind(to_integer(stored.revision)).bind(record);
  bind_time(insert, stored.deleted);
  auto inserted = insert.run();
  if (!inserted && inserted.error().code == Code::already_exists) return experiment_exists(stored.key);
  return inserted;
}

Result<model::Experiment> SqliteCatalog::load(std::string_view key) {
  const std::lock_guard lock(mutex_);
  return read(key);
}

// With the lock held. Leaves no statement open.
Result<model::Experiment> SqliteCatalog::read(std::string_view key) {
  TRY_ASSIGN(auto select, connection_->prepare("SELECT record FROM experiments WHERE key = ?"));
  TRY_ASSIGN(const bool found, select.bind(key).step());
  if (!found) return no_experiment(key);
  auto experiment = experiment_from_record(select.text(0));
  if (!experiment) return unreadable(key, experiment.error()).error;
  return experiment;
}

Result<std::uint64_t> SqliteCatalog::update(const model::Experiment& experiment) {
  model::Experiment next = experiment;
  next.revision = experiment.revision + 1;
  TRY_ASSIGN(const std::string record, to_record(next));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(SqliteTransaction transaction, SqliteTransaction::begin(*connection_));
  TRY_ASSIGN(const Standing stored, standing_of(*connection_, next.key));
  if (stored.revision != experiment.revision) return experiment_changed(next.key, experiment.revision, stored.revision);
  TRY(keep_earlier_attempt(next, stored.token));
  TRY_ASSIGN(auto update, connection_->prepare("UPDATE experiments SET project = ?, owner = ?, state = ?, created = ?,"
                                               " token = ?, revision = ?, record = ?, deleted = ? WHERE key = ?"));
  update.bind(next.project).bind(next.owner).bind(name_of(next.state()));
  update.bind(next.created.time_since_epoch().count()).bind(to_integer(next.token()));
  update.bind(to_integer(next.revision)).bind(record);
  bind_time(update, next.deleted);
  update.bind(next.key);
  TRY(update.run());
  TRY(transaction.commit());
  return next.revision;
}

// If another attempt begins with this record, the one before it moves to a row of its own.
Result<void> SqliteCatalog::keep_earlier_attempt(const model::Experiment& next, std::uint64_t stored) {
  if (stored == next.attempt.number) return {};
  if (stored > next.attempt.number) return attempt_goes_back(next, stored);
  TRY_ASSIGN(const model::Experiment experiment, read(next.key));
  TRY_ASSIGN(const std::string record, to_record(experiment.attempt, next.key));
  TRY_ASSIGN(auto insert, connection_->prepare("INSERT INTO attempts (experiment, number, record) VALUES (?, ?, ?)"));
  return insert.bind(next.key).bind(to_integer(stored)).bind(record).run();
}

Result<std::vector<model::Attempt>> SqliteCatalog::attempts(std::string_view key, std::uint64_t from) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(const SqliteTransaction reading, SqliteTransaction::begin_reading(*connection_));
  std::vector<model::Attempt> found;
  {
    TRY_ASSIGN(auto select,
               connection_->prepare(
                   "SELECT number, record FROM attempts WHERE experiment = ? AND number >= ? ORDER BY number"));
    select.bind(key).bind(to_integer(from));
    while (true) {
      TRY_ASSIGN(const bool row, select.step());
      if (!row) break;
      auto attempt = attempt_from_record(select.text(1));
      if (!attempt) return damaged(concat("attempt ", select.integer(0), " of '", key, "'"), attempt.error());
      found.push_back(*std::move(attempt));
    }
  }
  auto experiment = read(key);
  if (!experiment && experiment.error().code == Code::not_found) return found;
  if (!experiment) return experiment.error();
  if (experiment->attempt.number >= from) found.push_back(std::move(experiment->attempt));
  return found;
}

Result<Listed> SqliteCatalog::list(const Filter& filter, std::size_t limit) {
  const Selection selection = selection_of(filter);
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto select, connection_->prepare(concat("SELECT key, record FROM experiments", selection.sql,
                                                      " ORDER BY created DESC, key LIMIT ?")));
  for (const std::string& value : selection.values) select.bind(value);
  select.bind(to_integer(limit));
  Listed found;
  while (true) {
    TRY_ASSIGN(const bool row, select.step());
    if (!row) return found;
    auto experiment = experiment_from_record(select.text(1));
    if (experiment)
      found.experiments.push_back(*std::move(experiment));
    else
      found.unreadable.push_back(unreadable(select.text(0), experiment.error()));
  }
}

// In several threads where there are many: to understand a record takes far longer than to read it.
std::vector<Result<model::Experiment>> SqliteCatalog::understood(const std::vector<Stored>& stored) {
  constexpr std::size_t k_worth_a_task = 250;
  std::vector<Result<model::Experiment>> records(stored.size());
  const auto understand = [&](std::size_t from) {
    for (std::size_t at = from; at < std::min(from + k_worth_a_task, stored.size()); ++at)
      records[at] = experiment_from_record(stored[at].record);
  };
  if (stored.size() <= k_worth_a_task) {
    understand(0);
    return records;
  }
  {
    WorkerPool pool(WorkerPool::usual_threads());
    for (std::size_t from = 0; from < stored.size(); from += k_worth_a_task)
      pool.submit([&understand, from](std::size_t) { understand(from); });
  }  // waits for all
  return records;
}

Result<Changes> SqliteCatalog::changes(std::uint64_t sequence, std::size_t limit) {
  TRY_ASSIGN(const std::vector<Stored> stored, changed_after(sequence, limit));
  std::vector<Result<model::Experiment>> records = understood(stored);
  Changes changes{.experiments = {}, .unreadable = {}, .sequence = sequence};
  for (std::size_t at = 0; at < stored.size(); ++at) {
    changes.sequence = stored[at].sequence;
    if (records[at])
      changes.experiments.push_back({*std::move(records[at]), stored[at].sequence});
    else
      changes.unreadable.push_back(unreadable(stored[at].key, records[at].error()));
  }
  return changes;
}

Result<std::vector<SqliteCatalog::Stored>> SqliteCatalog::changed_after(std::uint64_t sequence, std::size_t limit) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto select, connection_->prepare("SELECT key, record, sequence FROM experiments WHERE sequence > ?"
                                               " ORDER BY sequence LIMIT ?"));
  select.bind(to_integer(sequence)).bind(to_integer(limit));
  std::vector<Stored> stored;
  while (true) {
    TRY_ASSIGN(const bool row, select.step());
    if (!row) return stored;
    stored.push_back(
        {std::string(select.text(0)), std::string(select.text(1)), static_cast<std::uint64_t>(select.integer(2))});
  }
}

Result<void> SqliteCatalog::commit(const model::Version& version, std::uint64_t token) {
  TRY_ASSIGN(const std::string record, to_record(version));
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(SqliteTransaction transaction, SqliteTransaction::begin(*connection_));
  TRY(insert(version, record, token));
  return transaction.commit();
}

Result<void> SqliteCatalog::insert(const model::Version& version, const std::string& record, std::uint64_t token) {
  TRY_ASSIGN(const Standing stored, standing_of(*connection_, version.experiment));
  if (stored.token != token) return superseded(version, token, stored.token);
  TRY_ASSIGN(auto insert,
             connection_->prepare("INSERT INTO versions (experiment, tag, number, record) VALUES (?, ?, ?, ?)"));
  insert.bind(version.experiment).bind(version.tag).bind(to_integer(version.number)).bind(record);
  auto inserted = insert.run();
  if (!inserted && inserted.error().code == Code::already_exists) return version_exists(version);
  return inserted;
}

Result<std::vector<model::Version>> SqliteCatalog::versions(std::string_view key, std::optional<std::string> tag) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto select, connection_->prepare(concat("SELECT tag, number, record FROM versions WHERE experiment = ?",
                                                      tag ? " AND tag = ?" : "", " ORDER BY tag, number")));
  select.bind(key);
  if (tag) select.bind(*tag);
  std::vector<model::Version> found;
  while (true) {
    TRY_ASSIGN(const bool row, select.step());
    if (!row) return found;
    auto version = version_from_record(select.text(2));
    if (!version)
      return damaged(concat("version '", key, "/", printable(select.text(0)), "@v", select.integer(1), "'"),
                     version.error());
    found.push_back(*std::move(version));
  }
}

Result<std::optional<model::Version>> SqliteCatalog::version(std::string_view key, std::string_view tag,
                                                             std::uint64_t number) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto select, connection_->prepare("SELECT record FROM versions"
                                               " WHERE experiment = ? AND tag = ? AND number = ?"));
  TRY_ASSIGN(const bool row, select.bind(key).bind(tag).bind(to_integer(number)).step());
  if (!row) return std::optional<model::Version>();
  auto version = version_from_record(select.text(0));
  if (!version) return damaged(concat("version '", key, "/", tag, "@v", number, "'"), version.error());
  return std::optional(*std::move(version));
}

Result<std::optional<model::Version>> SqliteCatalog::latest(std::string_view key, std::string_view tag) {
  const std::lock_guard lock(mutex_);
  TRY_ASSIGN(auto select, connection_->prepare("SELECT record FROM versions WHERE experiment = ? AND tag = ?"
                                               " ORDER BY number DESC LIMIT 1"));
  TRY_ASSIGN(const bool row, select.bind(key).bind(tag).step());
  if (!row) return std::optional<model::Version>();
  auto version = version_from_record(select.text(0));
  if (!version) return damaged(concat("the latest version of '", key, "/", tag, "'"), version.error());
  return std::optional(*std::move(version));
}

}  // namespace studio::catalog
