#include "content/saver.hpp"

#include <sys/resource.h>

#include <cstdlib>

#include "content/content_testing.hpp"
#include "os/process_testing.hpp"

namespace studio::content {
namespace {

// Thousands of directories are slow to remove from a disk.
class InMemory {
 protected:
  InMemory() : place_("TEST_TMPDIR", ::access("/dev/shm", W_OK) == 0 ? "/dev/shm/" : std::getenv("TEST_TMPDIR")) {}

 private:
  os::ScopedVariable place_;
};

struct Saving : testing::Test {
  Saving() { make_directory(source); }

  std::string read_back(const model::Version& version, std::string_view path) {
    const TreeEntry entry = must(find_entry(lab.repository->chunks(), version.root, path));
    return to_text(must(read_content(lab.repository->chunks(), entry.content, 1 << 30)));
  }
  std::vector<std::string> names_of(const model::Version& version) {
    std::vector<std::string> names;
    TreeWalk walk(lab.repository->chunks(), version.root);
    while (const auto event = must(walk.next()))
      if (event->kind == TreeWalk::Event::Kind::entry) names.push_back(event->path);
    return names;
  }

  Lab lab;
  std::string source = lab.scratch / "source";
};

TEST_F(Saving, SecondSaveIsUnchangedAndReadsNothing) {
  make_directory(source + "/d/e");
  for (int i = 0; i < 50; ++i) write_text(concat(source, "/d/", i), random_text(1000, static_cast<std::uint64_t>(i)));
  const auto first = lab.keep(source, 0);
  EXPECT_EQ(first.totals, (model::Totals{50, 2, 50'000}));
  EXPECT_EQ(first.changes, (model::Changes{52, 0, 0}));
  lab.clock.asked = 0;
  const Saved second = lab.save(source, &first);
  EXPECT_FALSE(second.changed);
  EXPECT_EQ(second.changes, model::Changes());
  EXPECT_EQ(second.tree.root, first.root);
  EXPECT_EQ(second.tree.cache, nullptr);
  EXPECT_EQ(second.new_bytes, 0u);
  EXPECT_EQ(second.stored_bytes, 0u);
  EXPECT_EQ(lab.clock.asked, 0);
}

TEST_F(Saving, OneTouchedFileIsOneRead) {
  for (int i = 0; i < 300; ++i) {
    make_directory(concat(source, "/d", i % 10));
    write_text(concat(source, "/d", i % 10, "/", i), random_text(500, static_cast<std::uint64_t>(i)));
  }
  auto version = lab.keep(source, 0);
  for (std::uint64_t round = 1; round <= 3; ++round) {
    write_text(source + "/d3/3", concat("changed ", round));
    lab.clock.asked = 0;
    const auto next = lab.keep(source, round, &version);
    EXPECT_EQ(lab.clock.asked, 2);
    EXPECT_EQ(next.changes, (model::Changes{0, 1, 0}));
    EXPECT_EQ(read_back(next, "d3/3"), concat("changed ", round));
    EXPECT_EQ(read_back(next, "d4/4"), random_text(500, 4));
    version = next;
  }
}

TEST_F(Saving, ModificationTimesAloneAreNoChange) {
  make_directory(source + "/d");
  write_text(source + "/d/x", "content");
  const auto first = lab.keep(source, 0);
  set_time(source + "/d/x", 100, 5);
  set_time(source + "/d", 100, 6);
  Saved second = lab.save(source, &first);
  EXPECT_FALSE(second.changed);
  lab.repository->remember(second, source, first);
  lab.clock.asked = 0;
  EXPECT_FALSE(lab.save(source, &first).changed);
  EXPECT_EQ(lab.clock.asked, 0);
}

TEST_F(Saving, ModesAreAChange) {
  write_text(source + "/x", "content");
  const auto first = lab.keep(source, 0);
  ASSERT_EQ(::chmod((source + "/x").c_str(), 0755), 0);
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(second.changes, (model::Changes{0, 1, 0}));
}

TEST_F(Saving, FileAndDirectorySwapPlaces) {
  write_text(source + "/a", "a file");
  make_directory(source + "/b/inner");
  write_text(source + "/b/inner/x", "x");
  const auto first = lab.keep(source, 0);
  ASSERT_EQ(::rename((source + "/a").c_str(), (source + "/t").c_str()), 0);
  ASSERT_EQ(::rename((source + "/b").c_str(), (source + "/a").c_str()), 0);
  ASSERT_EQ(::rename((source + "/t").c_str(), (source + "/b").c_str()), 0);
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(names_of(second), (std::vector<std::string>{"a", "a/inner", "a/inner/x", "b"}));
  EXPECT_EQ(second.changes, (model::Changes{2, 2, 2}));
  EXPECT_EQ(read_back(second, "b"), "a file");
  const auto third = lab.save(source, &second);
  EXPECT_FALSE(third.changed);
}

TEST_F(Saving, IgnoredAndOwnDirectoriesAreLeftOut) {
  write_text(concat(source, "/", k_ignore_file), "*.tmp\n/cache/\n");
  write_text(source + "/a.tmp", "x");
  write_text(source + "/a", "x");
  make_directory(source + "/cache/deep");
  make_directory(source + "/store/packs");
  const auto saved = must(lab.repository->save({.path = source, .left_out = {os::id_of(stat_of(source + "/store"))}}));
  EXPECT_EQ(names_of(Lab::version_of(saved, 0)), (std::vector<std::string>{std::string(k_ignore_file), "a"}));
  EXPECT_EQ(saved.tree.left_out, std::vector<std::string>{"store"});
  EXPECT_EQ(saved.tree.problem_count, 0u);
}

TEST_F(Saving, MissingEmptyAndSingleFiles) {
  EXPECT_EQ(code_of(lab.repository->save({.path = source + "/none"})), Code::not_found);
  const auto empty = lab.save(source);
  EXPECT_EQ(must(lab.repository->save({.path = source + "/none", .missing_is_empty = true})).tree.root,
            empty.tree.root);
  ASSERT_EQ(::mkfifo((source + "/fifo").c_str(), 0600), 0);
  EXPECT_EQ(code_of(lab.repository->save({.path = source + "/fifo"})), Code::invalid);

  write_text(source + "/real", "the content");
  ASSERT_EQ(::symlink("real", (source + "/link").c_str()), 0);
  const auto file = lab.keep(source + "/link", 0);
  EXPECT_EQ(file.kind, model::ArtifactKind::file);
  EXPECT_EQ(file.file_name, "link");
  EXPECT_EQ(read_back(file, "link"), "the content");
  lab.clock.asked = 0;
  EXPECT_FALSE(lab.save(source + "/link", &file).changed);
  EXPECT_EQ(lab.clock.asked, 0);
  write_text(source + "/real", "other");
  EXPECT_TRUE(lab.save(source + "/link", &file).changed);
}

TEST_F(Saving, DamagedCachesCostTimeOnly) {
  make_directory(source + "/d");
  write_text(source + "/d/x", "x");
  write_text(source + "/y", "y");
  const auto first = lab.keep(source, 0);
  const std::string directory = lab.scratch / "caches";
  const os::Fd fd = must(os::open(directory, O_RDONLY | O_DIRECTORY));
  const std::string cache = concat(directory, "/", must(os::names_in(fd.get(), directory)).at(0));
  const std::string whole = to_text(must(os::read_file(cache)));
  for (std::size_t at = 0; at < whole.size(); at += 3) {
    std::string flipped = whole;
    flipped[at] = static_cast<char>(flipped[at] ^ 4);
    write_quickly(cache, flipped);
    const Saved again = lab.save(source, &first);
    ASSERT_FALSE(again.changed) << at;
    ASSERT_EQ(again.tree.root, first.root) << at;
  }
}

TEST_F(Saving, CacheOfAVersionThatIsGoneIsNotUsed) {
  write_text(source + "/x", "x");
  (void)lab.keep(source, 0);
  must(lab.objects.remove(manifest_key("e", "t", 0)));
  lab.clock.asked = 0;
  (void)lab.save(source);
  EXPECT_EQ(lab.clock.asked, 2);
}

struct LargeSaving : InMemory, Saving {};

TEST_F(LargeSaving, DeepTree) {
  constexpr int k_depth = 10'000;
  os::Fd at = must(os::open(source, O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < k_depth; ++i) {
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at = must(os::open_at(at.get(), "d", O_RDONLY | O_DIRECTORY));
  }
  const auto first = lab.keep(source, 0);
  EXPECT_EQ(first.totals.directories, static_cast<std::uint64_t>(k_depth));
  EXPECT_EQ(lab.save(source, &first).tree.root, first.root);
  EXPECT_EQ(lab.save(lab.restore(first)).tree.root, first.root);
  // A change at the bottom goes all the way up, and the unchanged below it all the way down.
  const os::Fd leaf = must(os::open_at(at.get(), "leaf", O_WRONLY | O_CREAT, 0644));
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(second.changes, (model::Changes{1, 0, 0}));
  EXPECT_FALSE(lab.save(source, &second).changed);
}

TEST_F(LargeSaving, DeepTreeOfFilesWithFewDescriptors) {
  constexpr int k_depth = 300;
  os::Fd at = must(os::open(source, O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < k_depth; ++i) {
    ASSERT_TRUE(os::open_at(at.get(), "a", O_WRONLY | O_CREAT, 0644));
    ASSERT_EQ(::mkdirat(at.get(), "d", 0755), 0);
    at = must(os::open_at(at.get(), "d", O_RDONLY | O_DIRECTORY));
  }
  struct rlimit before {};
  must_be_zero(::getrlimit(RLIMIT_NOFILE, &before));
  const struct rlimit few { .rlim_cur = 128, .rlim_max = before.rlim_max };
  must_be_zero(::setrlimit(RLIMIT_NOFILE, &few));
  const Saved saved = lab.save(source);
  must_be_zero(::setrlimit(RLIMIT_NOFILE, &before));
  EXPECT_TRUE(saved.tree.problems.empty());
  EXPECT_EQ(saved.tree.totals.files, static_cast<std::uint64_t>(k_depth));
}

TEST_F(LargeSaving, WideDirectory) {
  constexpr int k_width = 20'000;
  const os::Fd directory = must(os::open(source, O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < k_width; ++i)
    ASSERT_EQ(::mknodat(directory.get(), concat("entry", i).c_str(), S_IFREG | 0644, 0), 0);
  const auto first = lab.keep(source, 0);
  EXPECT_EQ(first.totals.files, static_cast<std::uint64_t>(k_width));
  EXPECT_GT(first.root.level, 0);
  lab.clock.asked = 0;
  EXPECT_EQ(lab.save(source, &first).tree.root, first.root);
  EXPECT_EQ(lab.clock.asked, 0);
  write_text(source + "/entry777", "x");
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(second.changes, (model::Changes{0, 1, 0}));
  EXPECT_EQ(read_back(second, "entry777"), "x");
}

TEST_F(Saving, StopsWhenItIsTold) {
  write_text(source + "/x", "x");
  std::stop_source stop;
  stop.request_stop();
  EXPECT_EQ(code_of(lab.repository->save({.path = source}, stop.get_token())), Code::cancelled);
}

// Files that change at the moment they are read.
struct MeddledSaving : testing::Test {
  MeddledSaving() { make_directory(source); }
  std::string content_of(const Saved& saved, std::string_view path) {
    const TreeEntry entry = must(find_entry(lab.repository->chunks(), saved.tree.root, path));
    return to_text(must(read_content(lab.repository->chunks(), entry.content, 1 << 20)));
  }
  void rewrite_at_each_look() {
    clock.meddle = [this](int asked) {
      write_text(source + "/file", concat("torn ", asked));
      set_time(source + "/file", 1000 + asked, 0);
    };
  }

  MeddlingClock clock{[](int) {}};
  Lab lab{clock};
  std::string source = lab.scratch / "source";
};

TEST_F(MeddledSaving, ConstantlyRewrittenFileKeepsItsLastContent) {
  write_text(source + "/file", "whole");
  const auto first = lab.keep(source, 0);
  rewrite_at_each_look();
  write_text(source + "/file", "changed");
  const Saved second = lab.save(source, &first);
  EXPECT_EQ(content_of(second, "file"), "whole");
  EXPECT_EQ(second.tree.problem_count, 1u);
  EXPECT_EQ(second.tree.problems.at(0).path, "file");
  EXPECT_FALSE(must(find_entry(lab.repository->chunks(), second.tree.root, "file")).problem.empty());
  // When it has come to rest it is complete again.
  clock.meddle = [](int) {};
  write_text(source + "/file", "at rest");
  const Saved third = lab.save(source, &first);
  EXPECT_EQ(content_of(third, "file"), "at rest");
  EXPECT_EQ(third.tree.problem_count, 0u);
}

TEST_F(MeddledSaving, ConstantlyRewrittenFileIsKeptWithoutACacheToo) {
  write_text(source + "/file", "whole");
  const auto first = Lab::version_of(lab.save(source), 0);
  must(lab.repository->publish(first));
  rewrite_at_each_look();
  EXPECT_EQ(content_of(lab.save(source, &first), "file"), "whole");
}

TEST_F(MeddledSaving, NewFileThatNeverRestsIsLeftOut) {
  write_text(source + "/file", "x");
  rewrite_at_each_look();
  const Saved saved = lab.save(source);
  EXPECT_EQ(saved.tree.problem_count, 1u);
  EXPECT_EQ(saved.tree.totals.files, 0u);
}

TEST_F(MeddledSaving, GrowingFileKeepsAMarkedPrefix) {
  write_text(source + "/file", "0");
  clock.meddle = [this](int) {
    const os::Fd fd = must(os::open(source + "/file", O_WRONLY | O_APPEND));
    must(os::write_all(fd, as_bytes("+"), "file"));
  };
  const Saved saved = lab.save(source);
  EXPECT_EQ(saved.tree.problem_count, 1u);
  EXPECT_EQ(content_of(saved, "file").substr(0, 2), "0+");
  const Saved log = must(lab.repository->save({.path = source + "/file", .append_only = true}));
  EXPECT_EQ(log.tree.problem_count, 0u);
}

TEST_F(MeddledSaving, NamesThatComeAndGo) {
  write_text(source + "/a", "a");
  write_text(source + "/gone", "gone");
  clock.meddle = [this](int asked) {
    if (asked != 1) return;
    must_be_zero(::unlink((source + "/gone").c_str()));
    const std::int64_t listed = changed_ns(stat_of(source));
    // Until it shows in the directory's times.
    while (changed_ns(stat_of(source)) == listed) {
      write_quickly(source + "/new", "new");
      must_be_zero(::rename((source + "/new").c_str(), (source + "/0").c_str()));
    }
  };
  const Saved saved = lab.save(source);
  EXPECT_EQ(saved.tree.totals.files, 2u);
  EXPECT_EQ(content_of(saved, "0"), "new");
  EXPECT_EQ(saved.tree.problem_count, 0u);
}

// A file that was written in the tick in which it was read may change without its times showing it.
TEST_F(MeddledSaving, RacilyCleanFilesAreReadAgain) {
  write_text(source + "/file", "before");
  write_text(source + "/other", "other");
  // Our clock stands still behind the disk's: waiting for the tick is cut short, and the file counts as racy.
  class Behind final : public Clock {
   public:
    WallTime now() const override {
      ++asked;
      return SystemClock().now() - std::chrono::hours(1);
    }
    void sleep_until(WallTime) const override {}
    mutable int asked = 0;
  };
  Behind behind;
  const auto repository = must(Repository::open(lab.objects, behind, {.cache_directory = lab.scratch / "caches"}));
  Saved first = must(repository->save({.path = source}));
  const auto version = Lab::version_of(first, 0);
  must(repository->publish(version));
  repository->remember(first, source, version);
  clock.asked = 0;
  const Saved second = lab.save(source, &version);
  EXPECT_EQ(clock.asked, 4) << "two files, read although nothing shows";
  EXPECT_FALSE(second.changed);
  ASSERT_NE(second.tree.cache, nullptr);
  Saved third = lab.save(source, &version);
  lab.repository->remember(third, source, version);
  clock.asked = 0;
  EXPECT_FALSE(lab.save(source, &version).changed);
  EXPECT_EQ(clock.asked, 0) << "clean now";
}

TEST_F(MeddledSaving, OwnDirectoriesAreToldOnceHoweverOftenIsListed) {
  make_directory(source + "/store");
  write_text(source + "/file", "x");
  write_text(concat(source, "/", k_ignore_file), "ignored\n");
  write_text(source + "/ignored", "x");
  int added = 0;
  clock.meddle = [&](int) {
    const std::int64_t listed = changed_ns(stat_of(source));
    while (changed_ns(stat_of(source)) == listed && added < 100'000) {
      write_quickly(concat(source, "/new", added % 3), "new");
      if (++added % 3 == 0) must_be_zero(::unlink((source + "/new0").c_str()));
    }
  };
  const auto saved = must(lab.repository->save({.path = source, .left_out = {os::id_of(stat_of(source + "/store"))}}));
  EXPECT_EQ(saved.tree.left_out, std::vector<std::string>{"store"});
  EXPECT_EQ(saved.tree.problem_count, 0u);
}

// A directory that is moved within the tree while it is walked is captured under one of its names, or both, but never
// lost.
TEST_F(MeddledSaving, DirectoriesThatAreRenamedDuringTheWalk) {
  make_directory(source + "/d/e");
  write_text(source + "/d/e/file", "content");
  write_text(source + "/d/x", "x");
  clock.meddle = [&](int asked) {
    if (asked != 1) return;
    const std::int64_t listed = changed_ns(stat_of(source));
    while (changed_ns(stat_of(source)) == listed) {
      must_be_zero(::rename((source + "/d").c_str(), (source + "/renamed").c_str()));
      must_be_zero(::rename((source + "/renamed").c_str(), (source + "/d").c_str()));
    }
    must_be_zero(::rename((source + "/d").c_str(), (source + "/renamed").c_str()));
  };
  const Saved saved = lab.save(source);
  EXPECT_EQ(content_of(saved, "renamed/e/file"), "content");
  EXPECT_EQ(content_of(saved, "renamed/x"), "x");
  EXPECT_EQ(code_of(find_entry(lab.repository->chunks(), saved.tree.root, "d")), Code::not_found);
}

TEST_F(Saving, ADirectoryInPlaceOfTheIgnoreFileIsNoDisaster) {
  make_directory(concat(source, "/", k_ignore_file, "/inner"));
  write_text(source + "/a", "x");
  EXPECT_EQ(lab.keep(source, 0).totals, (model::Totals{1, 2, 1}));
  must(os::remove_tree(concat(source, "/", k_ignore_file)));
  must_be_zero(::mkfifo(concat(source, "/", k_ignore_file).c_str(), 0600));
  EXPECT_EQ(lab.save(source).tree.totals.files, 2u);
}

TEST_F(Saving, AttributesThatAreTooLongAreAProblem) {
  write_text(source + "/file", "x");
  const std::string value(60'000, 'v');
  int set = 0;
  while (set < 30 &&
         ::setxattr((source + "/file").c_str(), concat("user.", set).c_str(), value.data(), value.size(), 0) == 0)
    ++set;
  if (static_cast<std::size_t>(set) * value.size() < k_most_attributes)
    GTEST_SKIP() << "the file system does not take as many";
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(version.problem_count, 1u);
  EXPECT_EQ(read_back(version, "file"), "x");
}

TEST_F(Saving, AttributesThatCannotBeReadAreAProblem) {
  make_directory(source + "/d");
  write_text(source + "/f", "x");
  const auto problems_with = [&](unsigned call, unsigned error) {
    return with_failing_call(call, error, [&] { return lab.save(source).tree.problems.size(); });
  };
  EXPECT_EQ(problems_with(SYS_flistxattr, EIO), 2u);
  EXPECT_EQ(problems_with(SYS_flistxattr, ENOTSUP), 0u);
  if (::lsetxattr((source + "/f").c_str(), "user.note", "x", 1, 0) != 0) GTEST_SKIP() << "no extended attributes here";
  EXPECT_EQ(problems_with(SYS_fgetxattr, EIO), 1u);
  EXPECT_EQ(problems_with(SYS_fgetxattr, ENODATA), 0u);
}

}  // namespace
}  // namespace studio::content
