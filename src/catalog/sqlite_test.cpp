// The SQLite catalog: the contract, and what only a file can do wrong.
#include "catalog/sqlite.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <future>

#include <nlohmann/json.hpp>

#include "catalog/sqlite_schema.hpp"
#include "contract/catalog_contract.hpp"
#include "contract/scratch_directory.hpp"

namespace studio::catalog {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::unique_ptr<Catalog> opened(const std::string& path) {
  auto catalog = SqliteCatalog::open({path});
  if (!catalog) throw std::runtime_error(catalog.error().message);
  return std::move(*catalog);
}

struct SqliteBackend {
  Catalog& catalog() { return *first; }
  Catalog& another() { return *second; }
  test::ScratchDirectory scratch;
  std::unique_ptr<Catalog> first = opened(scratch / "home/studio.db");
  std::unique_ptr<Catalog> second = opened(scratch / "home/studio.db");
};
INSTANTIATE_TYPED_TEST_SUITE_P(Sqlite, CatalogContract, SqliteBackend);

class SqliteCatalogTest : public testing::Test {
 protected:
  std::unique_ptr<SqliteConnection> connect() {
    auto connection = SqliteConnection::open(path_, std::chrono::seconds(5));
    if (!connection) throw std::runtime_error(connection.error().message);
    return std::move(*connection);
  }
  void execute(const std::string& sql) {
    const auto done = connect()->execute(sql);
    ASSERT_TRUE(done.has_value()) << done.error().message;
  }
  Error open_error() {
    const auto catalog = SqliteCatalog::open({path_, std::chrono::milliseconds(50)});
    EXPECT_FALSE(catalog.has_value());
    return catalog ? Error{} : catalog.error();
  }

  // Back to schema 3.
  void undo_deletions() {
    execute("DROP INDEX experiments_by_deletion");
    execute("ALTER TABLE experiments DROP COLUMN deleted");
    execute("PRAGMA user_version = 3");
  }

  test::ScratchDirectory scratch_;
  std::string path_ = scratch_ / "studio.db";
};

TEST_F(SqliteCatalogTest, OnlyTheOwnerMayReadTheFile) {
  const ::mode_t umask = ::umask(0);
  ASSERT_TRUE(opened(path_)->create(make_experiment("k")).has_value());
  const auto catalog = opened(path_);
  ASSERT_TRUE(catalog->create(make_experiment("l")).has_value());
  ::umask(umask);
  for (const char* suffix : {"", "-wal", "-shm"}) {
    const auto info = os::status(path_ + suffix);
    ASSERT_TRUE(info.has_value()) << suffix;
    EXPECT_EQ(info->st_mode & 0777, 0600u) << suffix;
  }
}

TEST_F(SqliteCatalogTest, KeepsWhatWasAcknowledgedWhenTheProcessIsKilled) {
  int pipe[2];
  ASSERT_EQ(::pipe2(pipe, O_CLOEXEC), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const auto catalog = SqliteCatalog::open({path_});
    const bool done =
        catalog && (*catalog)->create(make_experiment("k", 5)) && (*catalog)->commit(make_version("k", "t", 0), 0);
    [[maybe_unused]] const auto written = ::write(pipe[1], done ? "y" : "n", 1);
    ::pause();
    ::_exit(0);
  }
  char acknowledged = 0;
  ASSERT_EQ(::read(pipe[0], &acknowledged, 1), 1);
  ASSERT_EQ(acknowledged, 'y');
  ::kill(child, SIGKILL);
  ::waitpid(child, nullptr, 0);
  ::close(pipe[0]);
  ::close(pipe[1]);
  const auto catalog = opened(path_);
  EXPECT_EQ(catalog->load("k")->created, WallTime(std::chrono::seconds(5)));
  EXPECT_THAT(*catalog->versions("k", {}), ElementsAre(make_version("k", "t", 0)));
}

TEST_F(SqliteCatalogTest, OpensUpToDateFilesWithoutWriting) {
  opened(path_);
  const auto bytes = os::read_file(path_);
  const auto before = os::status(path_);
  opened(path_);
  const auto after = os::status(path_);
  EXPECT_EQ(before->st_mtim.tv_nsec, after->st_mtim.tv_nsec);
  EXPECT_EQ(before->st_mtim.tv_sec, after->st_mtim.tv_sec);
  EXPECT_EQ(*bytes, *os::read_file(path_));
  EXPECT_FALSE(os::exists(path_ + "-wal")) << "the last one folds the log in";
}

TEST_F(SqliteCatalogTest, IsAWriteAheadLogWithForeignKeys) {
  const auto catalog = opened(path_);
  const auto connection = connect();
  EXPECT_EQ(*connection->integer("SELECT count(*) FROM pragma_journal_mode WHERE journal_mode = 'wal'"), 1);
  EXPECT_EQ(*connection->integer("PRAGMA foreign_keys"), 1);
  EXPECT_EQ(*connection->integer("PRAGMA user_version"), schema_version());
  EXPECT_EQ(*connection->integer("PRAGMA application_id"), k_application_id);
  ASSERT_TRUE(migrate(*connection, std::chrono::seconds(1)).has_value());
  EXPECT_EQ(*connection->integer("PRAGMA synchronous"), 2) << "FULL";
  const auto orphan = connection->execute("INSERT INTO versions VALUES ('none', 't', 0, '{}')");
  ASSERT_FALSE(orphan.has_value());
  EXPECT_EQ(orphan.error().code, Code::conflict);
}

// The statements that connections run which are opened while this lives.
class Statements {
 public:
  Statements() {
    seen_.clear();
    ::sqlite3_auto_extension(reinterpret_cast<void (*)()>(trace));
  }
  ~Statements() { ::sqlite3_cancel_auto_extension(reinterpret_cast<void (*)()>(trace)); }
  Statements(const Statements&) = delete;
  Statements& operator=(const Statements&) = delete;

  const std::string& last() const { return seen_.back(); }

 private:
  static int trace(sqlite3* database, char**, const void*) {
    return ::sqlite3_trace_v2(database, SQLITE_TRACE_STMT, note, nullptr);
  }
  static int note(unsigned, void*, void* statement, void*) {
    char* text = ::sqlite3_expanded_sql(static_cast<sqlite3_stmt*>(statement));
    seen_.emplace_back(text);
    ::sqlite3_free(text);
    return 0;
  }
  static inline std::vector<std::string> seen_;
};

TEST_F(SqliteCatalogTest, ListsUseTheIndexes) {
  const Statements statements;
  const auto catalog = opened(path_);
  const auto connection = connect();
  for (const Filter& filter : {Filter{}, Filter{.project = "p"}, Filter{.states = {model::State::running}},
                               Filter{.deleted = Deleted::only}, Filter{.deleted = Deleted::any}}) {
    ASSERT_TRUE(catalog->list(filter, 5).has_value());
    const std::string sql = statements.last();
    EXPECT_THAT(sql, testing::AllOf(HasSubstr("FROM experiments"), HasSubstr("LIMIT 5")));
    auto plan = connection->prepare(concat("EXPLAIN QUERY PLAN ", sql));
    ASSERT_TRUE(plan.has_value()) << sql;
    ASSERT_TRUE(*plan->step()) << "no plan for " << sql;
    do {
      EXPECT_THAT(std::string(plan->text(3)), HasSubstr("USING INDEX")) << sql;
    } while (*plan->step());
  }
  ASSERT_TRUE(catalog->changes(7, 5).has_value());
  auto plan = connection->prepare(concat("EXPLAIN QUERY PLAN ", statements.last()));
  ASSERT_TRUE(plan.has_value() && *plan->step()) << statements.last();
  EXPECT_THAT(std::string(plan->text(3)), HasSubstr("USING INDEX experiments_by_sequence"));
}

// Schema 1 kept all attempts in the record of their experiment.
TEST_F(SqliteCatalogTest, TakesEarlierAttemptsOutOfOldRecords) {
  model::Experiment once = make_experiment("once");
  model::Experiment often = make_experiment("often");
  std::vector<model::Attempt> attempts;
  {
    const auto catalog = opened(path_);
    ASSERT_TRUE(catalog->create(once).has_value());
    ASSERT_TRUE(catalog->create(often).has_value());
  }
  nlohmann::json record = model::to_json(often);
  record["attempts"] = nlohmann::json::array();
  for (const std::uint64_t number : {0u, 1u, 3u}) {
    attempts.push_back({.number = number, .reason = "it's \xff", .usage = {.user_seconds = 0.1 * 3}});
    nlohmann::json attempt = model::to_json(attempts.back(), "often");
    attempt.erase("format");
    attempt.erase("experiment");
    record["attempts"].push_back(attempt);
  }
  record["revision"] = 5;
  std::string text = record.dump();
  for (std::size_t at = 0; (at = text.find('\'', at)) != text.npos; at += 2) text.insert(at, 1, '\'');
  undo_deletions();
  execute("DROP TABLE attempts");
  execute("DROP TRIGGER experiments_created");
  execute("DROP TRIGGER experiments_changed");
  execute("DROP INDEX experiments_by_sequence");
  execute("ALTER TABLE experiments DROP COLUMN sequence");
  execute(concat("UPDATE experiments SET token = 3, revision = 5, record = '", text, "' WHERE key = 'often'"));
  execute("PRAGMA user_version = 1");

  const auto catalog = opened(path_);
  EXPECT_EQ(catalog->attempts("often", 0).value(), attempts);
  EXPECT_EQ(catalog->load("often")->attempt, attempts.back());
  EXPECT_EQ(catalog->load("often")->revision, 5u);
  EXPECT_EQ(catalog->attempts("once", 0).value(), std::vector{once.attempt});
  once.revision = 1;
  EXPECT_EQ(catalog->load("once").value(), once);
  EXPECT_EQ(connect()->integer("SELECT max(length(record)) < 1000 FROM experiments").value(), 1);
  EXPECT_EQ(catalog->changes(0, 10)->experiments.size(), 2u);
}

// A run may have begun before the schema had a sequence, and ends days later.
TEST_F(SqliteCatalogTest, ChangesOfAnOlderStudioAreTold) {
  const auto catalog = opened(path_);
  ASSERT_TRUE(catalog->create(make_experiment("a")).has_value());
  ASSERT_TRUE(catalog->create(make_experiment("b")).has_value());
  const std::uint64_t before = catalog->changes(0, 10)->sequence;
  execute("UPDATE experiments SET revision = 2, record = record WHERE key = 'a'");
  for (const char* key : {"c", "d"})
    execute(concat("INSERT INTO experiments (key, project, owner, state, created, token, revision, record) SELECT '",
                   key, "', project, owner, state, created, token, revision, replace(record, '\"b\"', '\"", key,
                   "\"') FROM experiments WHERE key = 'b'"));
  const auto changes = catalog->changes(before, 10);
  ASSERT_TRUE(changes.has_value()) << changes.error().message;
  std::vector<std::string> keys;
  for (const Changed& each : changes->experiments) keys.push_back(each.experiment.key);
  EXPECT_EQ(keys, (std::vector<std::string>{"a", "c", "d"}));
}

// Schema 3 knew no deletion.
TEST_F(SqliteCatalogTest, NothingIsDeletedInAnOlderCatalog) {
  model::Experiment experiment = make_experiment("k");
  ASSERT_TRUE(opened(path_)->create(experiment).has_value());
  undo_deletions();
  const auto catalog = opened(path_);
  experiment.revision = 1;
  EXPECT_EQ(catalog->load("k").value(), experiment);
  EXPECT_EQ(catalog->list({}, 10)->experiments.size(), 1u);
  experiment.deleted = WallTime(std::chrono::seconds(7));
  ASSERT_TRUE(catalog->update(experiment).has_value());
  EXPECT_EQ(catalog->list({}, 10)->experiments.size(), 0u);
  EXPECT_EQ(connect()->integer("SELECT deleted FROM experiments").value(), 7'000'000'000);
}

// One that began with the schema before, and runs for days, knows no column of it.
TEST_F(SqliteCatalogTest, AnOlderStudioMayAddWhatIsNotDeleted) {
  const auto catalog = opened(path_);
  ASSERT_TRUE(catalog->create(make_experiment("a")).has_value());
  execute(
      "INSERT INTO experiments (key, project, owner, state, created, token, revision, record) SELECT 'b', project,"
      " owner, state, created, token, revision, replace(record, '\"a\"', '\"b\"') FROM experiments");
  EXPECT_EQ(catalog->list({}, 10)->experiments.size(), 2u);
  EXPECT_EQ(catalog->list({.deleted = Deleted::only}, 10)->experiments.size(), 0u);
}

TEST_F(SqliteCatalogTest, RefusesANewerSchemaAndWritesNothing) {
  ASSERT_TRUE(opened(path_)->create(make_experiment("k")).has_value());
  execute(concat("PRAGMA user_version = ", schema_version() + 1));
  const auto before = os::read_file(path_);
  const Error error = open_error();
  EXPECT_EQ(error.code, Code::unsupported);
  EXPECT_THAT(error.message, HasSubstr(path_));
  EXPECT_THAT(error.message, HasSubstr(concat("schema ", schema_version() + 1)));
  EXPECT_THAT(error.hint, HasSubstr("newer Studio"));
  EXPECT_EQ(*before, *os::read_file(path_));
}

TEST_F(SqliteCatalogTest, RefusesDatabasesOfOthers) {
  scratch_.write("studio.db", "");
  execute("CREATE TABLE bookmarks (url)");
  const auto before = os::read_file(path_);
  EXPECT_EQ(open_error().code, Code::unsupported);
  execute("PRAGMA user_version = 1");
  EXPECT_EQ(open_error().code, Code::unsupported);
  EXPECT_EQ(before->size(), os::read_file(path_)->size());
}

TEST_F(SqliteCatalogTest, TakesAnEmptyFile) {
  scratch_.write("studio.db", "");
  EXPECT_TRUE(opened(path_)->create(make_experiment("k")).has_value());
}

TEST_F(SqliteCatalogTest, NamesTheFileThatIsNoDatabase) {
  scratch_.write("studio.db", std::string(5000, 'x'));
  const Error error = open_error();
  EXPECT_EQ(error.code, Code::corrupt);
  EXPECT_THAT(error.message, HasSubstr(path_));
  EXPECT_FALSE(error.hint.empty());
  EXPECT_EQ(os::read_file(path_)->size(), 5000u);
}

TEST_F(SqliteCatalogTest, ADamagedFileIsCorrupt) {
  {
    const auto catalog = opened(path_);
    for (int i = 0; i < 100; ++i) ASSERT_TRUE(catalog->create(make_experiment(concat("k", i))).has_value());
  }
  auto bytes = *os::read_file(path_);
  std::fill(bytes.begin() + 4096, bytes.end(), std::byte{0x5a});
  scratch_.write("studio.db", as_text(bytes));
  const auto catalog = SqliteCatalog::open({path_});
  const Error error = catalog ? (*catalog)->list({}, 1000).error() : catalog.error();
  EXPECT_EQ(error.code, Code::corrupt) << error.message;
  EXPECT_THAT(error.message, HasSubstr(path_));
}

TEST_F(SqliteCatalogTest, NamesTheRecordThatIsDamaged) {
  const auto catalog = opened(path_);
  ASSERT_TRUE(catalog->create(make_experiment("k")).has_value());
  ASSERT_TRUE(catalog->commit(make_version("k", "t", 7), 0).has_value());
  execute("UPDATE experiments SET record = '{}'; UPDATE versions SET record = 'x'");
  for (const Error& error : {catalog->load("k").error(), catalog->list({}, 1)->unreadable.at(0).error}) {
    EXPECT_EQ(error.code, Code::corrupt);
    EXPECT_THAT(error.message, testing::AllOf(HasSubstr("experiment 'k'"), HasSubstr(path_), HasSubstr("'format'")));
  }
  EXPECT_THAT(catalog->versions("k", {}).error().message, HasSubstr("'k/t@v7'"));
  EXPECT_THAT(catalog->version("k", "t", 7).error().message, HasSubstr("'k/t@v7'"));
  EXPECT_EQ(catalog->latest("k", "t").error().code, Code::corrupt);
}

TEST_F(SqliteCatalogTest, StepsOverARecordThatIsDamaged) {
  const auto catalog = opened(path_);
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(catalog->create(make_experiment(concat("k", i), i)).has_value());
  execute("UPDATE experiments SET record = substr(record, 2) WHERE key = 'k1'");
  execute("UPDATE experiments SET record = json_set(record, '$.format', 2) WHERE key = 'k3'");
  const auto keys = [](const auto& unreadable) {
    std::vector<std::string> all;
    for (const Unreadable& each : unreadable) all.push_back(concat(each.key, ": ", name_of(each.error.code)));
    return all;
  };
  const Listed listed = catalog->list({}, 10).value();
  EXPECT_THAT(keys(listed.unreadable), ElementsAre("k3: unsupported", "k1: corrupt"));
  ASSERT_EQ(listed.experiments.size(), 2u);
  EXPECT_EQ(listed.experiments[0].key, "k2");
  EXPECT_EQ(listed.experiments[1].key, "k0");

  // Page by page, also where a page has nothing else.
  std::vector<std::string> read;
  std::vector<std::string> unread;
  std::uint64_t sequence = 0;
  while (true) {
    const Changes changes = catalog->changes(sequence, 1).value();
    if (changes.size() == 0) break;
    ASSERT_GT(changes.sequence, sequence);
    sequence = changes.sequence;
    for (const Changed& each : changes.experiments) read.push_back(each.experiment.key);
    for (const std::string& each : keys(changes.unreadable)) unread.push_back(each);
  }
  EXPECT_THAT(read, ElementsAre("k0", "k2"));
  EXPECT_THAT(unread, ElementsAre("k1: corrupt", "k3: unsupported"));
}

TEST_F(SqliteCatalogTest, SaysWhyItCannotBeOpened) {
  EXPECT_EQ(SqliteCatalog::open({""}).error().code, Code::invalid);
  ASSERT_EQ(::mkdir((scratch_ / "directory").c_str(), 0700), 0);
  const auto directory = SqliteCatalog::open({scratch_ / "directory"});
  ASSERT_FALSE(directory.has_value());
  EXPECT_THAT(directory.error().message, HasSubstr("directory"));
  scratch_.write("file", "x");
  EXPECT_FALSE(SqliteCatalog::open({scratch_ / "file/studio.db"}).has_value());
}

TEST_F(SqliteCatalogTest, TakesNamesThatSqliteWouldInterpret) {
  const std::string here = std::filesystem::current_path();
  std::filesystem::current_path(scratch_.path());
  for (const char* name : {":memory:", "file:x?mode=ro"}) {
    ASSERT_TRUE(opened(name)->create(make_experiment("k")).has_value());
    EXPECT_TRUE(opened(name)->load("k").has_value()) << name;
    EXPECT_TRUE(os::exists(scratch_ / name));
  }
  std::filesystem::current_path(here);
}

TEST_F(SqliteCatalogTest, WaitsForAnotherWriter) {
  const auto catalog = opened(path_);
  ASSERT_TRUE(catalog->create(make_experiment("k")).has_value());
  const auto other = connect();
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE").has_value());
  auto updated = std::async(std::launch::async, [&] {
    return redo_update(*catalog, "k", [](model::Experiment& experiment) -> Result<void> {
      experiment.owner = "eve";
      return {};
    });
  });
  EXPECT_EQ(updated.wait_for(std::chrono::milliseconds(100)), std::future_status::timeout);
  EXPECT_TRUE(opened(path_)->load("k").has_value()) << "readers do not wait";
  ASSERT_TRUE(other->execute("COMMIT").has_value());
  EXPECT_EQ(updated.get()->owner, "eve");
}

TEST_F(SqliteCatalogTest, AWriterThatStaysIsUnavailable) {
  const auto catalog = std::move(*SqliteCatalog::open({path_, std::chrono::milliseconds(20)}));
  const auto other = connect();
  ASSERT_TRUE(other->execute("BEGIN IMMEDIATE").has_value());
  const auto created = catalog->create(make_experiment("k"));
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, Code::unavailable);
  EXPECT_THAT(created.error().message, HasSubstr(path_));
}

TEST_F(SqliteCatalogTest, ManyMayCreateTheFileAtOnce) {
  for (int round = 0; round < 10; ++round) {
    path_ = scratch_ / concat("home", round, "/a/studio.db");
    std::barrier start(6);
    std::vector<std::jthread> threads;
    threads.reserve(6);
    for (int i = 0; i < 6; ++i)
      threads.emplace_back([&, i] {
        start.arrive_and_wait();
        const auto catalog = SqliteCatalog::open({path_});
        ASSERT_TRUE(catalog.has_value()) << catalog.error().message;
        ASSERT_TRUE((*catalog)->create(make_experiment(concat("k", i))).has_value());
      });
    threads.clear();
    EXPECT_EQ(opened(path_)->list({}, 100)->experiments.size(), 6u);
  }
}

TEST(SqliteCatalogDisk, FullDiskIsExhausted) {
  const test::SmallDisk disk("size=512k");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  const auto catalog = opened(disk / "studio.db");
  ASSERT_TRUE(catalog->create(make_experiment("first")).has_value());
  Result<void> created;
  int count = 0;
  for (; created && count < 1000; ++count) {
    model::Experiment experiment = make_experiment(concat("k", count));
    experiment.command = {std::string(4000, 'x')};
    created = catalog->create(experiment);
  }
  ASSERT_FALSE(created.has_value());
  EXPECT_EQ(created.error().code, Code::exhausted) << created.error().message;
  EXPECT_THAT(created.error().message, HasSubstr("studio.db"));
  EXPECT_FALSE(created.error().hint.empty());
  EXPECT_EQ(catalog->list({}, 5000)->experiments.size(), static_cast<std::size_t>(count))
      << "all that was acknowledged, no more";
}

TEST(SqliteCatalogDisk, ReadOnlyDiskIsDenied) {
  const test::SmallDisk disk("size=1m");
  if (!disk.mounted()) GTEST_SKIP() << "needs the right to mount a tmpfs";
  ASSERT_TRUE(opened(disk / "studio.db")->create(make_experiment("k")).has_value());
  ASSERT_TRUE(disk.make_read_only());
  const auto catalog = SqliteCatalog::open({disk / "studio.db"});
  const Error error = catalog ? (*catalog)->create(make_experiment("l")).error() : catalog.error();
  EXPECT_EQ(error.code, Code::denied) << error.message;
  const auto missing = SqliteCatalog::open({disk / "other.db"});
  EXPECT_EQ(missing.error().code, Code::denied);
}

}  // namespace
}  // namespace studio::catalog
