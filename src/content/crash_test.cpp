// What is referred to is durable before what refers to it: whichever call of the store fails, and whether it took
// effect or not, nothing that was acknowledged is lost, and trying again succeeds.
#include "content/content_testing.hpp"
#include "os/paths.hpp"

namespace studio::content {
namespace {

class CrashTest : public testing::Test {
 protected:
  CrashTest() {
    for (int i = 0; i < 12; ++i) write(concat("data/part-", i), random_text(3000, static_cast<std::uint64_t>(i)));
    write("data/sub/deep/file", "deep");
    write("data/notes", std::string(100'000, 'n'));
    first_ = lab_.keep(source_, 0);
    first_tree_ = describe(source_);
    // As many index objects as make the next capture merge them.
    model::Version before = first_;
    for (std::uint64_t number = 1; number < 8; ++number) {
      write("data/counter", std::to_string(number));
      before = lab_.keep(source_, number, &before);
    }
    EXPECT_EQ(keys_of(lab_.objects, k_index_prefix).size(), 8u);
    latest_ = before;
    write("data/notes", "shorter");
    write("data/new/file", random_text(200'000));
    must(os::remove_tree(source_ + "/part-3"));
    tree_ = describe(source_);
  }

  void write(const std::string& name, std::string_view text) {
    make_directory(os::parent_of(lab_.scratch / name));
    write_text(lab_.scratch / name, text);
  }

  // One process: opens the store, captures, publishes. The version, if that was acknowledged.
  Result<model::Version> capture(blob::Store& store, bool with_cache) {
    RepositoryOptions options;
    if (with_cache) options.cache_directory = lab_.scratch / "caches";
    TRY_ASSIGN(const auto repository, Repository::open(store, lab_.clock, std::move(options)));
    TRY_ASSIGN(Saved saved, repository->save({.path = source_, .previous = &latest_}));
    model::Version version = Lab::version_of(saved, 8);
    TRY(repository->publish(version));
    return version;
  }

  void expect_restores(const model::Version& version, const std::map<std::string, std::string>& tree) {
    const std::string into = lab_.restore(version);
    EXPECT_EQ(describe(into), tree);
    must(os::remove_tree(into));
  }

  void expect_sound(std::uint64_t versions) {
    const auto report = must(verify(*lab_.repository, {}));
    EXPECT_TRUE(report.ok()) << report.damages.front().object << ": " << report.damages.front().problem;
    EXPECT_EQ(report.versions, versions);
  }

  std::uint64_t calls_of_a_capture(bool with_cache) {
    blob::MemoryStore copy;
    copy_objects(lab_.objects, copy);
    blob::FaultStore counting(copy, blob::fail_call(0, {}));
    must(capture(counting, with_cache));
    return counting.calls();
  }

  void fail_every_call(blob::Fault::When when, bool with_cache) {
    const std::uint64_t calls = calls_of_a_capture(with_cache);
    ASSERT_GT(calls, 10u);
    std::size_t acknowledged = 0;
    for (std::uint64_t number = 1; number <= calls; ++number) {
      SCOPED_TRACE(concat("call ", number, " of ", calls));
      blob::MemoryStore objects;
      copy_objects(lab_.objects, objects);
      blob::FaultStore faulty(objects, blob::fail_call(number, {{Code::unavailable, "the connection was lost"}, when}));
      const auto captured = capture(faulty, with_cache);

      // Another process finds the store as the crash left it.
      lab_.open(objects);
      expect_restores(first_, first_tree_);
      const auto published = must(lab_.repository->published());
      expect_sound(published.size());
      if (captured) {
        ++acknowledged;
        ASSERT_EQ(published.size(), 9u);
        expect_restores(*captured, tree_);
      } else {
        EXPECT_EQ(captured.error().code, Code::unavailable);
      }
      expect_restores(must(capture(objects, with_cache)), tree_);
      lab_.open(objects);
      expect_sound(9);
    }
    EXPECT_LT(acknowledged, calls) << "some failures are told";
  }

  Lab lab_;
  std::string source_ = lab_.scratch / "data";
  model::Version first_;
  model::Version latest_;
  std::map<std::string, std::string> first_tree_;
  std::map<std::string, std::string> tree_;
};

TEST_F(CrashTest, EachCallFailsBeforeItsEffect) { fail_every_call(blob::Fault::When::before, true); }
TEST_F(CrashTest, EachCallFailsAfterItsEffect) { fail_every_call(blob::Fault::When::after, true); }
TEST_F(CrashTest, EachCallFailsWithoutAStatCache) { fail_every_call(blob::Fault::When::before, false); }

TEST_F(CrashTest, EachCallFailsInANewStore) {
  latest_ = {};
  const auto first_capture = [&](blob::Store& store) -> Result<model::Version> {
    TRY_ASSIGN(const auto repository, Repository::open(store, lab_.clock, {}));
    TRY_ASSIGN(const Saved saved, repository->save({.path = source_}));
    const model::Version version = Lab::version_of(saved, 0);
    TRY(repository->publish(version));
    return version;
  };
  blob::MemoryStore empty;
  blob::FaultStore counting(empty, blob::fail_call(0, {}));
  must(first_capture(counting));
  for (const auto when : {blob::Fault::When::before, blob::Fault::When::after})
    for (std::uint64_t number = 1; number <= counting.calls(); ++number) {
      SCOPED_TRACE(concat("call ", number));
      blob::MemoryStore objects;
      blob::FaultStore faulty(objects, blob::fail_call(number, {{Code::exhausted, "the disk is full"}, when}));
      (void)first_capture(faulty);
      const model::Version version = must(first_capture(objects));
      lab_.open(objects);
      expect_sound(1);
      expect_restores(version, tree_);
    }
}

// A writer goes on after a failure, with what it holds in memory.
TEST_F(CrashTest, AFlushThatFailedCanBeTriedAgain) {
  for (std::uint64_t number = 1; number <= 20; ++number) {
    SCOPED_TRACE(concat("call ", number));
    blob::MemoryStore objects;
    blob::FaultStore faulty(objects, blob::fail_call(number, {{Code::unavailable, "the connection was lost"}}));
    ChunkStore store(faulty, {});
    ChunkWriter writer(store);
    ContentWriter content(writer, k_tiny, ChunkKind::data);
    const Bytes bytes = random_bytes(20'000);
    const auto save = [&]() -> Result<ContentRef> {
      TRY(content.write(bytes));
      TRY_ASSIGN(const ContentRef saved, content.finish());
      TRY(writer.flush());
      return saved;
    };
    auto saved = save();
    if (!saved) {
      content.discard();
      saved = save();
    }
    ASSERT_TRUE(saved.has_value());
    ChunkStore reader(objects, {});
    EXPECT_EQ(must(read_content(reader, *saved, bytes.size())), bytes);
    EXPECT_FALSE(reader.index_was_rebuilt());
  }
}

}  // namespace
}  // namespace studio::content
