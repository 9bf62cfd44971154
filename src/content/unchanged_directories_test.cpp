// What a capture does not enter must be what it would have found there.
#include "content/unchanged_directories.hpp"

#include <sys/time.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct UnchangedDirectories : testing::Test {
  UnchangedDirectories() { make_directory(source); }

  StatCache cache() const {
    const os::Fd directory = must(os::open(lab.scratch / "caches", O_RDONLY | O_DIRECTORY));
    const auto names = must(os::names_in(directory.get(), "caches"));
    return StatCache::open(concat(lab.scratch / "caches", "/", names.at(0))).value();
  }

  // The paths of what need not be entered.
  std::vector<std::string> unchanged(std::vector<os::FileId> left_out = {}) const {
    const StatCache known = cache();
    const os::Fd root = must(os::open(source, O_RDONLY | O_DIRECTORY));
    const auto blocks = unchanged_directories(root.get(), known, left_out, {});
    EXPECT_TRUE(std::is_sorted(blocks.begin(), blocks.end()));
    std::vector<std::string> paths;
    add_paths(known, known.root(), "", blocks, paths);
    EXPECT_EQ(paths.size(), blocks.size()) << "the outermost only";
    return paths;
  }

  void write_tree() {
    for (const char* name : {"/a", "/a/in", "/a/in/deep", "/b", "/b/one", "/b/two", "/empty"})
      make_directory(source + name);
    for (const char* name : {"/a/f", "/a/in/f", "/a/in/deep/f", "/b/one/f", "/b/two/f", "/f"})
      write_text(source + name, name);
    keep();
  }
  void keep() { lab.keep(source, versions_++); }

  Lab lab;
  std::string source = lab.scratch / "source";

 private:
  std::uint64_t versions_ = 0;

  static void add_paths(const StatCache& cache, std::uint64_t block, const std::string& path,
                        const std::vector<std::uint64_t>& wanted, std::vector<std::string>& paths) {
    const CachedEntries entries = cache.block(block).value();
    for (const CachedEntry& entry : entries) {
      if (entry.block == 0) continue;
      if (std::binary_search(wanted.begin(), wanted.end(), entry.block)) {
        paths.push_back(path + entry.entry.name);
      } else {
        add_paths(cache, entry.block, concat(path, entry.entry.name, "/"), wanted, paths);
      }
    }
  }
};

using Paths = std::vector<std::string>;

TEST_F(UnchangedDirectories, AllOfThemWhenNothingChanged) {
  write_tree();
  EXPECT_EQ(unchanged(), (Paths{"a", "b", "empty"}));
  write_text(source + "/f", "what lies in the root is not looked at");
  EXPECT_EQ(unchanged(), (Paths{"a", "b", "empty"}));
}

TEST_F(UnchangedDirectories, WhateverChangesInOneTheOthersStay) {
  const std::string in_one = source + "/b/one";
  const std::vector<std::function<void()>> changes{
      [&] { write_text(in_one + "/f", "longer than it was"); },
      [&] { must_be_zero(::utimes((in_one + "/f").c_str(), nullptr)); },
      [&] { must_be_zero(::chmod((in_one + "/f").c_str(), 0600)); },
      [&] { write_text(in_one + "/new", ""); },
      [&] { must_be_zero(::unlink((in_one + "/f").c_str())); },
      [&] { must_be_zero(::rename((in_one + "/f").c_str(), (in_one + "/g").c_str())); },
      [&] { must_be_zero(::link((in_one + "/f").c_str(), (source + "/other_name").c_str())); },
      [&] { must_be_zero(::chmod(in_one.c_str(), 0700)); },
      [&] { must_be_zero(::utimes(in_one.c_str(), nullptr)); },
      [&] { make_directory(in_one + "/d"); },
      [&] { must_be_zero(::rename(in_one.c_str(), (source + "/b/other").c_str())); },
      [&] {
        must_be_zero(::rename(in_one.c_str(), (source + "/b/other").c_str()));
        must_be_zero(::symlink("other", in_one.c_str()));
      },
      [&] {
        // The same names, sizes and times.
        must_be_zero(::rename(in_one.c_str(), (lab.scratch / "away").c_str()));
        must_be_zero(::system(concat("cp -a '", lab.scratch / "away", "' '", in_one, "'").c_str()));
      }};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    must(os::remove_tree(source));
    make_directory(source);
    write_tree();
    ASSERT_EQ(unchanged(), (Paths{"a", "b", "empty"}));
    changes[i]();
    EXPECT_EQ(unchanged(), (Paths{"a", "b/two", "empty"})) << "change " << i;
    (void)os::remove_tree(lab.scratch / "away");
  }
}

TEST_F(UnchangedDirectories, WhatNeedsMoreThanALookIsEntered) {
  make_directory(source + "/plain");
  write_text(source + "/plain/f", "x");
  for (const char* name : {"/links", "/names", "/noted", "/own"}) make_directory(source + name);
  must_be_zero(::symlink("f", (source + "/links/l").c_str()));
  write_text(source + "/names/a", "x");
  must_be_zero(::link((source + "/names/a").c_str(), (source + "/names/b").c_str()));
  write_text(source + "/own/f", "x");
  const bool noted = ::lsetxattr((source + "/noted").c_str(), "user.note", "x", 1, 0) == 0;
  keep();
  EXPECT_EQ(unchanged({os::id_of(stat_of(source + "/own/f"))}), noted ? Paths{"plain"} : (Paths{"noted", "plain"}));
  EXPECT_EQ(unchanged({os::id_of(stat_of(source + "/own"))}), noted ? Paths{"plain"} : (Paths{"noted", "plain"}));
}

TEST_F(UnchangedDirectories, NoneWhenItIsStopped) {
  write_tree();
  std::stop_source stop;
  stop.request_stop();
  const os::Fd root = must(os::open(source, O_RDONLY | O_DIRECTORY));
  EXPECT_TRUE(unchanged_directories(root.get(), cache(), {}, stop.get_token()).empty());
}

// Deeper than a path can name.
TEST_F(UnchangedDirectories, OfADeepTreeThoseBesideIt) {
  write_tree();
  os::DirectoryStack stack(must(os::open(source, O_RDONLY | O_DIRECTORY)));
  const std::string name(200, 'd');
  for (int i = 0; i < 30; ++i) {
    must_be_zero(::mkdirat(stack.top(), name.c_str(), 0755));
    must(stack.push(name));
  }
  keep();
  EXPECT_EQ(unchanged(), (Paths{"a", "b", "empty"}));
}

// Random changes; a repository without a cache is the one to compare with.
TEST_F(UnchangedDirectories, ACaptureFindsWhatOneWithoutACacheFinds) {
  Random random(11);
  Paths directories{source};
  for (int i = 0; i < 60; ++i) {
    directories.push_back(concat(directories[random.below(directories.size())], "/directory", i));
    make_directory(directories.back());
  }
  int files = 0;
  const auto any = [&] { return directories[random.below(directories.size())]; };
  const auto new_name = [&] { return concat(any(), "/a file of some name ", files++); };
  for (int i = 0; i < 1200; ++i) write_text(new_name(), random_text(random.below(40), static_cast<std::uint64_t>(i)));
  const auto without_cache = must(Repository::open(lab.objects, lab.clock, {}));
  model::Version last = lab.keep(source, 0);
  ASSERT_GT(cache().size(), 64u << 10) << "so little is walked without a look ahead";
  for (int round = 1; round < 25; ++round) {
    for (std::uint64_t i = random.below(4); i > 0; --i) {
      const std::string directory = any();
      const os::Fd opened = must(os::open(directory, O_RDONLY | O_DIRECTORY));
      const auto names = must(os::names_in(opened.get(), directory));
      const std::string name = names.empty() ? new_name() : concat(directory, "/", names[random.below(names.size())]);
      const bool is_directory = os::exists(name) && S_ISDIR(stat_of(name).st_mode);
      switch (random.below(7)) {
        case 0: write_text(new_name(), "new"); break;
        case 1: write_text(is_directory ? new_name() : name, random_text(50 + random.below(100))); break;
        case 2:
          if (!is_directory) ::unlink(name.c_str());
          break;
        case 3:
          if (!is_directory) ::rename(name.c_str(), new_name().c_str());
          break;
        case 4:
          if (!is_directory) must_be_zero(::link(name.c_str(), new_name().c_str()));
          break;
        case 5: ::chmod(name.c_str(), is_directory ? 0700 : 0600); break;
        default: must_be_zero(::symlink("somewhere", new_name().c_str())); break;
      }
    }
    const Saved plain = must(without_cache->save({.path = source, .previous = &last}));
    last = lab.keep(source, static_cast<std::uint64_t>(round), &last);
    ASSERT_EQ(last.root, plain.tree.root) << "round " << round;
    ASSERT_EQ(last.totals, plain.tree.totals);
    ASSERT_EQ(last.changes, plain.changes);
  }
}

}  // namespace
}  // namespace studio::content
