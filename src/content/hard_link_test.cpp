// Files with several names: one content, whatever happens to the names between captures and during one.
#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct HardLinks : testing::Test {
  HardLinks() {
    make_directory(source + "/d");
    write_text(source + "/b", "shared");
    link("b", "d/inner");
    link("b", "z");
  }
  void link(const std::string& from, const std::string& to) {
    must_be_zero(::link((source + "/" + from).c_str(), (source + "/" + to).c_str()));
  }
  void remove(const std::string& name) { must_be_zero(::unlink((source + "/" + name).c_str())); }
  TreeEntry entry(const ContentRef& root, std::string_view path) {
    return must(find_entry(lab.repository->chunks(), root, path));
  }
  // "b d/inner->b": every name that holds bytes.
  std::string names_of(const ContentRef& root) {
    std::string names;
    TreeWalk walk(lab.repository->chunks(), root);
    while (const auto event = must(walk.next())) {
      if (event->kind == TreeWalk::Event::Kind::leave || !has_bytes(event->entry.type)) continue;
      if (!names.empty()) names += ' ';
      names += event->path;
      if (event->entry.type == EntryType::hard_link) names += "->" + event->entry.target;
    }
    return names;
  }
  // All versions come back as they were on disk.
  void expect_restores(const model::Version& version) {
    const std::string restored = lab.restore(version);
    EXPECT_EQ(describe(restored), describe(source));
  }

  Lab lab;
  std::string source = lab.scratch / "source";
};

TEST_F(HardLinks, AreOneContentWithSeveralNames) {
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(names_of(version.root), "b d/inner->b z->b");
  EXPECT_EQ(entry(version.root, "z").content, entry(version.root, "b").content);
  EXPECT_EQ(version.totals, (model::Totals{3, 1, 6})) << "its bytes count once";
  expect_restores(version);
  const Saved again = lab.save(source, &version);
  EXPECT_FALSE(again.changed);
  EXPECT_EQ(again.tree.root, version.root);
  EXPECT_EQ(again.tree.cache, nullptr);
}

TEST_F(HardLinks, AreReadOnce) {
  lab.clock.asked = 0;
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(lab.clock.asked, 2);
  write_text(source + "/z", "changed through another name");
  lab.clock.asked = 0;
  const auto next = lab.keep(source, 1, &version);
  EXPECT_EQ(lab.clock.asked, 2);
  EXPECT_EQ(next.changes, (model::Changes{0, 3, 0}));
  expect_restores(next);
}

TEST_F(HardLinks, AnEarlierNameBecomesTheFirst) {
  const auto first = lab.keep(source, 0);
  link("z", "a");
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(names_of(second.root), "a b->a d/inner->a z->a");
  expect_restores(second);
}

TEST_F(HardLinks, TheFirstNameGoes) {
  const auto first = lab.keep(source, 0);
  remove("b");
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(names_of(second.root), "d/inner z->d/inner");
  expect_restores(second);
  remove("d/inner");
  const auto third = lab.keep(source, 2, &second);
  EXPECT_EQ(names_of(third.root), "z");
  expect_restores(third);
}

TEST_F(HardLinks, TheFirstNameIsIgnoredFromNowOn) {
  const auto first = lab.keep(source, 0);
  write_text(concat(source, "/", k_ignore_file), "/b\n");
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(names_of(second.root), ".studioml_ignore d/inner z->d/inner");
  EXPECT_EQ(second.totals.bytes, 6u + 3u);
}

TEST_F(HardLinks, ToWhatLiesElsewhereAreFiles) {
  write_text(lab.scratch / "elsewhere", "outside");
  must_be_zero(::link((lab.scratch / "elsewhere").c_str(), (source + "/c").c_str()));
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(names_of(version.root), "b c d/inner->b z->b");
  EXPECT_FALSE(lab.save(source, &version).changed);
}

TEST_F(HardLinks, OneNameIsReplacedByAnEqualFile) {
  const auto first = lab.keep(source, 0);
  remove("z");
  write_text(source + "/z", "shared");
  const auto second = lab.keep(source, 1, &first);
  EXPECT_EQ(names_of(second.root), "b d/inner->b z");
  EXPECT_TRUE(second.changes.modified > 0);
  expect_restores(second);
}

// The first name disappears, and a new one appears before it, while the walk is under way.
TEST_F(HardLinks, NamesThatMoveDuringTheWalk) {
  MeddlingClock clock([&](int asked) {
    if (asked != 1) return;
    const std::int64_t listed = changed_ns(stat_of(source));
    while (changed_ns(stat_of(source)) == listed) {
      must_be_zero(::rename((source + "/b").c_str(), (source + "/other").c_str()));
      must_be_zero(::rename((source + "/other").c_str(), (source + "/b").c_str()));
    }
    must_be_zero(::rename((source + "/b").c_str(), (source + "/a").c_str()));
  });
  const auto repository = must(Repository::open(lab.objects, clock, {}));
  const Saved saved = must(repository->save({.path = source}));
  // Whatever the entries call each other, each name has its content, and a restore makes them all.
  lab.open(lab.objects);
  const auto version = Lab::version_of(saved, 0);
  const std::string restored = lab.restore(version);
  for (const char* name : {"a", "d/inner", "z"})
    EXPECT_EQ(to_text(must(os::read_file(restored + "/" + name))), "shared") << name << ": " << names_of(version.root);
  EXPECT_FALSE(os::exists(restored + "/b"));
  const auto next = lab.keep(source, 1, &version);
  EXPECT_EQ(names_of(next.root), "a d/inner->a z->a");
  expect_restores(next);
}

// After the first name was saved: what the walk then finds under the other has the same inode, and another content.
TEST_F(HardLinks, WhatTheInodeHoldsLaterIsRead) {
  const auto rewrite = [&] { write_text(source + "/z", "rewritten"); };
  const auto replace = [&] {
    const ino_t inode = stat_of(source + "/b").st_ino;
    for (const char* name : {"b", "d/inner", "z"}) remove(name);
    write_text(source + "/x", "another file");
    if (stat_of(source + "/x").st_ino == inode) link("x", "y");
  };
  write_text(source + "/c", "read after b");
  link("c", "e");  // a file with one name would be read after the walk
  for (const std::function<void()>& meddle : {std::function<void()>(rewrite), std::function<void()>(replace)}) {
    MeddlingClock clock([&](int asked) {
      if (asked == 3) meddle();
    });
    const auto repository = must(Repository::open(lab.objects, clock, {}));
    const Saved saved = must(repository->save({.path = source}));
    EXPECT_TRUE(saved.tree.problems.empty());
    const std::string restored = lab.restore(Lab::version_of(saved, 0));
    for (const std::string name : {"/x", "/y", "/z"}) {
      ASSERT_EQ(os::exists(restored + name), os::exists(source + name)) << name;
      if (os::exists(source + name)) {
        EXPECT_EQ(must(os::read_file(restored + name)), must(os::read_file(source + name))) << name;
      }
    }
  }
}

TEST_F(HardLinks, APartOfATreeCanBeReadByItself) {
  const auto version = lab.keep(source, 0);
  const std::string into = lab.scratch / "part";
  make_directory(into);
  must(restore_tree(lab.repository->chunks(), entry(version.root, "d").content, into, {}));
  EXPECT_EQ(to_text(must(os::read_file(into + "/inner"))), "shared");
}

TEST_F(HardLinks, OfSparseFilesAndTheirAttributes) {
  {
    const os::Fd fd = must(os::open(source + "/s", O_WRONLY | O_CREAT, 0640));
    must(os::write_at(fd, 1 << 20, as_bytes("data"), "s"));
    must_be_zero(::ftruncate(fd.get(), 3 << 20));
    (void)::fsetxattr(fd.get(), "user.note", "n", 1, 0);
  }
  link("s", "t");
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(entry(version.root, "t").holes, entry(version.root, "s").holes);
  EXPECT_EQ(entry(version.root, "t").attributes, entry(version.root, "s").attributes);
  expect_restores(version);
}

// Beyond what the kernel takes as one path.
TEST_F(HardLinks, ToADeepPath) {
  const std::string component(200, 'x');
  std::string path = "deep";
  os::Fd at = must(os::open(source, O_RDONLY | O_DIRECTORY));
  must_be_zero(::mkdirat(at.get(), "deep", 0755));
  at = must(os::open_at(at.get(), "deep", O_RDONLY | O_DIRECTORY));
  for (int i = 0; i < 45; ++i) {
    must_be_zero(::mkdirat(at.get(), component.c_str(), 0755));
    at = must(os::open_at(at.get(), component, O_RDONLY | O_DIRECTORY));
    path += "/" + component;
  }
  must_be_zero(::symlinkat("x", at.get(), "s"));
  must(os::open_at(at.get(), "f", O_WRONLY | O_CREAT, 0644));
  must_be_zero(::linkat(at.get(), "f", AT_FDCWD, (source + "/y").c_str(), 0));
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(entry(version.root, "y").target, path + "/f");
  const std::string restored = lab.restore(version);
  EXPECT_EQ(stat_of(restored + "/y").st_nlink, 2u);
}

}  // namespace
}  // namespace studio::content
