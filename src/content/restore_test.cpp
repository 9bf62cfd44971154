#include "content/restore.hpp"

#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/un.h>

#include "content/content_testing.hpp"

namespace studio::content {
namespace {

struct Restoring : testing::Test {
  Restoring() {
    make_directory(source);
    make_directory(outside);
    write_text(outside + "/secret", "untouched");
  }
  // Whether the file system of the tests takes them.
  bool set_note(const std::string& path, std::string_view text) {
    return ::lsetxattr(path.c_str(), "user.note", text.data(), text.size(), 0) == 0;
  }
  void write_everything() {
    make_directory(source + "/empty");
    make_directory(source + "/d/e");
    write_text(source + "/d/plain", random_text(300'000));
    write_text(source + "/d/e/zero", "");
    write_text(source + "/caf\xe9\xff\n", "not UTF-8");
    write_text(source + "/modes", "x");
    ASSERT_EQ(::symlink("/etc/passwd", (source + "/absolute").c_str()), 0);
    ASSERT_EQ(::symlink("../nowhere", (source + "/d/dangling").c_str()), 0);
    ASSERT_EQ(::link((source + "/d/plain").c_str(), (source + "/d/z_second").c_str()), 0);
    ASSERT_EQ(::link((source + "/d/plain").c_str(), (source + "/a_first").c_str()), 0);
    ASSERT_EQ(::mkfifo((source + "/fifo").c_str(), 0620), 0);
    const os::Fd sparse = must(os::open(source + "/sparse", O_WRONLY | O_CREAT, 0600));
    must(os::write_at(sparse, 4 << 20, as_bytes(std::string(5000, 's')), "sparse"));
    ASSERT_EQ(::ftruncate(sparse.get(), 9 << 20), 0);
    (void)set_note(source + "/modes", "a note");
    (void)set_note(source + "/empty", "of a directory");
    ASSERT_EQ(::chmod((source + "/modes").c_str(), 01751), 0);
    ASSERT_EQ(::chmod((source + "/empty").c_str(), 01777), 0);
    set_time(source + "/modes", 1, 1);
    set_time(source + "/d/plain", 1'234'567'890, 123'456'789);
    set_time(source + "/absolute", 77, 88);
    set_time(source + "/fifo", 99, 1);
    set_time(source + "/d/e", 55, 66);
    set_time(source + "/d", -5, 500'000'000);
  }

  Lab lab;
  std::string source = lab.scratch / "source";
  std::string outside = lab.scratch / "outside";
};

TEST_F(Restoring, ExactlyWhatWasCaptured) {
  write_everything();
  ASSERT_EQ(::chmod(source.c_str(), 0711), 0);
  set_time(source, 11, 22);
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(version.problem_count, 0u);
  const std::string restored = lab.restore(version);
  EXPECT_EQ(describe(restored), describe(source));
  EXPECT_EQ(stat_of(restored).st_mode, stat_of(source).st_mode);
  EXPECT_EQ(modified_ns(stat_of(restored)), 11'000'000'022);
  if (stat_of(source + "/sparse").st_blocks < 2000) {
    EXPECT_LT(stat_of(restored + "/sparse").st_blocks, 2000);
  }
  EXPECT_EQ(lab.save(restored).tree.root, version.root);
  EXPECT_FALSE(lab.save(source, &version).changed);
}

TEST_F(Restoring, NoProgramThatRunsAsItsOwner) {
  write_text(source + "/program", "x");
  make_directory(source + "/shared");
  must_be_zero(::link((source + "/program").c_str(), (source + "/second").c_str()));
  must_be_zero(::chmod((source + "/program").c_str(), 06755));
  must_be_zero(::chmod((source + "/shared").c_str(), 02775));
  const auto version = lab.keep(source, 0);
  EXPECT_EQ(must(find_entry(lab.repository->chunks(), version.root, "program")).mode, 06755u);
  for (const bool read_only : {false, true}) {
    const std::string restored = lab.restore(version, read_only);
    for (const char* name : {"/program", "/second"})
      EXPECT_EQ(stat_of(restored + name).st_mode & 07777, read_only ? 0555u : 0755u);
    EXPECT_EQ(stat_of(restored + "/shared").st_mode & 07000, 02000u);
    if (read_only) {
      EXPECT_TRUE(must(looks_restored(lab.repository->chunks(), version.root, restored)));
    }
  }
}

TEST_F(Restoring, Socket) {
  const int fd = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const os::Fd socket(fd);
  struct sockaddr_un address {};
  address.sun_family = AF_UNIX;
  const std::string path = source + "/s";
  ASSERT_LT(path.size(), sizeof address.sun_path);
  path.copy(address.sun_path, path.size());
  ASSERT_EQ(::bind(fd, reinterpret_cast<const struct sockaddr*>(&address), sizeof address), 0);
  const std::string restored = lab.restore(lab.keep(source, 0));
  EXPECT_TRUE(S_ISSOCK(stat_of(restored + "/s").st_mode));
}

TEST_F(Restoring, ReadOnly) {
  write_everything();
  const auto version = lab.keep(source, 0);
  const std::string restored = lab.scratch / "read-only";
  make_directory(restored);
  must(restore_tree(lab.repository->chunks(), version.root, restored, {.read_only = true}));
  EXPECT_EQ(stat_of(restored + "/modes").st_mode & 07777, 01551u);
  EXPECT_EQ(stat_of(restored + "/d").st_mode & 0222, 0u);
  ChunkStore& chunks = lab.repository->chunks();
  EXPECT_TRUE(must(looks_restored(chunks, version.root, restored)));
  EXPECT_FALSE(must(looks_restored(chunks, version.root, lab.scratch / "none")));
}

TEST_F(Restoring, StopsAndReportsDamage) {
  write_text(source + "/x", random_text(100'000));
  const auto version = lab.keep(source, 0);
  std::stop_source stop;
  stop.request_stop();
  const std::string into = lab.scratch / "into";
  make_directory(into);
  EXPECT_EQ(code_of(restore_tree(lab.repository->chunks(), version.root, into, {.stop = stop.get_token()})),
            Code::cancelled);
  EXPECT_EQ(code_of(restore_tree(lab.repository->chunks(), version.root, lab.scratch / "none", {})), Code::not_found);
  flip(lab.objects, keys_of(lab.objects, k_pack_prefix).at(0), 1000);
  EXPECT_EQ(code_of(restore_tree(lab.repository->chunks(), version.root, into, {})), Code::corrupt);
}

struct Hostile : Restoring {
  // Restores what may be no valid tree; whatever comes of it, nothing outside may have changed.
  Result<std::vector<model::Problem>> restore(const std::vector<Node>& nodes) {
    const auto before = describe(outside);
    const auto entries_before = names_in_scratch();
    const std::string into = lab.scratch / "into";
    must(os::remove_tree(into));
    make_directory(into);
    auto result = restore_tree(chunks.writer, put_tree(chunks, nodes), into, {});
    EXPECT_EQ(describe(outside), before);
    for (const std::string& name : names_in_scratch())
      EXPECT_TRUE(name == "into" || std::count(entries_before.begin(), entries_before.end(), name) == 1) << name;
    return result;
  }
  std::vector<std::string> names_in_scratch() {
    const os::Fd fd = must(os::open(lab.scratch.path(), O_RDONLY | O_DIRECTORY));
    return must(os::names_in(fd.get(), "scratch"));
  }
  Node hard_link(std::string name, std::string target) {
    Node node = file_node(chunks, std::move(name), "its own");
    node.entry.type = EntryType::hard_link;
    node.entry.target = std::move(target);
    return node;
  }
  std::string content(const std::string& name) { return to_text(must(os::read_file(lab.scratch / ("into/" + name)))); }

  Chunks chunks;
};

TEST_F(Hostile, NamesThatLeave) {
  for (const std::string& name :
       {std::string("../outside/new"), std::string("/tmp/new"), std::string(".."), std::string("."), std::string(),
        std::string("a/../../outside/new"), outside + "/secret", std::string("x\0y", 3)}) {
    EXPECT_EQ(code_of(restore({file_node(chunks, name, "evil")})), Code::corrupt) << name;
    EXPECT_EQ(code_of(restore({directory_node(name, {file_node(chunks, "secret", "evil")})})), Code::corrupt) << name;
    EXPECT_EQ(code_of(restore({symlink_node(name, "x")})), Code::corrupt) << name;
  }
}

TEST_F(Hostile, ThroughASymlink) {
  // The same name as a symlink and as a directory, in every way that a listing can hold both.
  const auto inner = [&] { return std::vector<Node>{file_node(chunks, "secret", "evil")}; };
  EXPECT_FALSE(restore({symlink_node("l", outside), directory_node("l", inner())}));
  EXPECT_FALSE(restore({symlink_node("l", outside), file_node(chunks, "l/secret", "evil")}));
  EXPECT_FALSE(restore({directory_node("l", inner()), symlink_node("l", outside)}));
  EXPECT_FALSE(restore({symlink_node("m", outside), symlink_node("l", "m"), directory_node("l", inner())}));
  EXPECT_FALSE(restore({symlink_node("l", outside + "/secret"), file_node(chunks, "l", "evil")}));
  // One that is not followed is harmless.
  must(restore({symlink_node("l", outside + "/secret")}));
}

TEST_F(Hostile, HardLinksThatLeave) {
  for (const std::string& target :
       {std::string("../outside/secret"), outside + "/secret", std::string("a/../../outside/secret"), std::string()})
    EXPECT_EQ(code_of(restore({hard_link("h", target)})), Code::corrupt) << target;
  must(restore({symlink_node("a", outside), hard_link("h", "a/secret")}));
  EXPECT_EQ(content("h"), "its own");
  EXPECT_EQ(stat_of(outside + "/secret").st_nlink, 1u);
  must(restore({symlink_node("a", outside + "/secret"), hard_link("h", "a")}));
  EXPECT_EQ(content("h"), "its own");
  EXPECT_EQ(stat_of(outside + "/secret").st_nlink, 1u);
}

TEST_F(Hostile, HardLinksToWhatIsNotThere) {
  must(restore({hard_link("h", "missing"), hard_link("i", "z"), file_node(chunks, "z", "later")}));
  EXPECT_EQ(content("h"), "its own");
  EXPECT_EQ(content("i"), "its own");
  must(restore({file_node(chunks, "a", "its own"), directory_node("d", {}), hard_link("h", "a"), hard_link("i", "d")}));
  EXPECT_EQ(stat_of(lab.scratch / "into/h").st_ino, stat_of(lab.scratch / "into/a").st_ino);
  EXPECT_EQ(content("i"), "its own");
}

TEST_F(Hostile, HardLinksToWhatOnlyLooksTheSame) {
  must(restore({file_node(chunks, "a", "another"), hard_link("h", "a")}));
  EXPECT_EQ(content("a"), "another") << "of the same length and time";
  EXPECT_EQ(content("h"), "its own");
}

TEST_F(Hostile, HardLinksWithoutOpenat2) {
  const std::vector<Node> nodes{directory_node("d", {file_node(chunks, "a", "its own")}), symlink_node("e", "d"),
                                hard_link("h", "d/a"), hard_link("i", "e/a")};
  for (const unsigned error : {unsigned{ENOSYS}, unsigned{EPERM}}) {
    EXPECT_TRUE(with_failing_call(SYS_openat2, error, [&] { return must(restore(nodes)); }).empty());
    EXPECT_EQ(stat_of(lab.scratch / "into/h").st_ino, stat_of(lab.scratch / "into/d/a").st_ino);
    EXPECT_EQ(stat_of(lab.scratch / "into/i").st_nlink, 1u);
  }
}

TEST_F(Hostile, HardLinksThatCannotBeMade) {
  const std::vector<Node> nodes{file_node(chunks, "a", "its own"), hard_link("h", "a")};
  const auto problems = with_failing_call(SYS_linkat, EMLINK, [&] { return must(restore(nodes)); });
  ASSERT_EQ(problems.size(), 1u);
  EXPECT_EQ(problems[0].path, "h");
  EXPECT_EQ(content("h"), "its own");
}

TEST_F(Hostile, AttributesThatCannotBeSet) {
  Node file = file_node(chunks, "f", "x");
  Node directory = directory_node("d", {file});
  for (Node* node : {&file, &directory}) node->entry.attributes = {{"user.a", "1"}, {"user.b", "2"}};
  directory.children = {file};
  const auto problems = with_failing_call(SYS_fsetxattr, ENOSPC, [&] { return must(restore({directory})); });
  ASSERT_EQ(problems.size(), 2u);
  EXPECT_EQ(problems[0].path, "d");
  EXPECT_EQ(problems[1].path, "d/f");
  EXPECT_EQ(content("d/f"), "x");
  EXPECT_TRUE(with_failing_call(SYS_fsetxattr, ENOTSUP, [&] { return must(restore({directory})); }).empty());
}

TEST_F(Hostile, ContentsThatLie) {
  Node file = file_node(chunks, "f", "content");
  file.entry.size = 3;
  file.entry.content.size = 3;
  EXPECT_EQ(code_of(restore({file})), Code::corrupt);
  file.entry.size = file.entry.content.size = UINT64_MAX;
  EXPECT_EQ(code_of(restore({file})), Code::corrupt);
  Node directory = directory_node("d", {});
  EXPECT_TRUE(restore({directory}));
  // A file's content as a listing.
  TreeEntry entry{.type = EntryType::directory, .name = "d", .content = chunks.put(as_bytes("no listing"))};
  ByteWriter listing;
  append_tree_header(listing);
  append_entry(listing, entry);
  const std::string into = lab.scratch / "other";
  make_directory(into);
  EXPECT_EQ(code_of(restore_tree(chunks.writer, chunks.put(listing.view()), into, {})), Code::corrupt);
}

TEST_F(Restoring, EveryKindOfTamperingIsSeen) {
  write_everything();
  const auto version = lab.keep(source, 0);
  const std::string restored = lab.scratch / "tampered";
  ChunkStore& chunks = lab.repository->chunks();
  const auto expect_seen = [&](const std::string& what, const std::function<void(const std::string&)>& tamper) {
    must(os::remove_tree(restored));
    make_directory(restored);
    must(restore_tree(chunks, version.root, restored, {.read_only = true}));
    ASSERT_TRUE(must(looks_restored(chunks, version.root, restored)));
    tamper(restored);
    EXPECT_FALSE(must(looks_restored(chunks, version.root, restored))) << what;
  };
  const auto replace = [](const std::string& path, const std::function<void()>& make) {
    must(os::remove_tree(path));
    make();
  };
  expect_seen("a writable file", [](const auto& root) { must_be_zero(::chmod((root + "/modes").c_str(), 0751)); });
  expect_seen("an executable file", [](const auto& root) { must_be_zero(::chmod((root + "/sparse").c_str(), 0500)); });
  expect_seen("a writable directory", [](const auto& root) { must_be_zero(::chmod((root + "/d").c_str(), 0755)); });
  expect_seen("a changed file", [](const auto& root) { write_text(root + "/modes", "y"); });
  expect_seen("a longer file of the same time", [](const auto& root) {
    write_text(root + "/modes", "xy");
    set_time(root + "/modes", 1, 1);
  });
  expect_seen("a shorter file of the same time", [](const auto& root) {
    must_be_zero(::truncate((root + "/modes").c_str(), 0));
    set_time(root + "/modes", 1, 1);
  });
  expect_seen("a removed file", [](const auto& root) { must_be_zero(::unlink((root + "/a_first").c_str())); });
  expect_seen("a removed file deep below",
              [](const auto& root) { must_be_zero(::unlink((root + "/d/e/zero").c_str())); });
  expect_seen("an added file", [](const auto& root) { write_text(root + "/added", ""); });
  expect_seen("an added and removed file", [](const auto& root) {
    write_text(root + "/d/e/added", "");
    must_be_zero(::unlink((root + "/d/e/added").c_str()));
  });
  expect_seen("a renamed file",
              [](const auto& root) { must_be_zero(::rename((root + "/modes").c_str(), (root + "/m").c_str())); });
  expect_seen("another link target", [&](const auto& root) {
    const std::string link = root + "/absolute";
    replace(link, [&] { must_be_zero(::symlink("/etc/passwe", link.c_str())); });
    set_time(link, 77, 88);
  });
  expect_seen("a link in place of a file", [&](const auto& root) {
    const std::string file = root + "/modes";
    replace(file, [&] { must_be_zero(::symlink("sparse", file.c_str())); });
  });
  expect_seen("a file in place of a link", [&](const auto& root) {
    const std::string link = root + "/absolute";
    replace(link, [&] { write_text(link, "/etc/passwd"); });
  });
  expect_seen("a directory in place of a file", [&](const auto& root) {
    const std::string file = root + "/modes";
    replace(file, [&] { make_directory(file); });
  });
  expect_seen("a link in place of a directory", [&](const auto& root) {
    must_be_zero(::rename((root + "/d").c_str(), (lab.scratch / "moved").c_str()));
    must_be_zero(::symlink((lab.scratch / "moved").c_str(), (root + "/d").c_str()));
  });
  must(os::remove_tree(lab.scratch / "moved"));
  expect_seen("a removed FIFO", [](const auto& root) { must_be_zero(::unlink((root + "/fifo").c_str())); });
  expect_seen("a file in place of a FIFO", [&](const auto& root) {
    const std::string fifo = root + "/fifo";
    replace(fifo, [&] { write_text(fifo, ""); });
  });
  expect_seen("a removed empty directory", [](const auto& root) { must_be_zero(::rmdir((root + "/empty").c_str())); });
  expect_seen("a filled empty directory", [](const auto& root) { write_text(root + "/empty/x", ""); });
  expect_seen("all gone", [](const auto& root) { must(os::remove_tree(root)); });
  expect_seen("a file in place of all", [](const auto& root) {
    must(os::remove_tree(root));
    write_text(root, "");
  });
}

TEST_F(Hostile, NamesLongerThanAnyDiskTakes) {
  EXPECT_FALSE(restore({file_node(chunks, std::string(300, 'x'), "evil")}));
  EXPECT_FALSE(restore({directory_node(std::string(100'000, 'x'), {})}));
  Node link = hard_link("h", std::string(5000, 'x'));
  must(restore({link}));
  EXPECT_EQ(content("h"), "its own");
  must(restore({hard_link("h", "a/" + std::string(4100, 'x') + "/b")}));
}

TEST_F(Hostile, AttributesOfTheSystem) {
  for (const char* name : {"security.capability", "trusted.x", "system.posix_acl_access", "user", ""}) {
    Node file = file_node(chunks, "f", "x");
    file.entry.attributes = {{name, "value"}};
    EXPECT_EQ(code_of(restore({file})), Code::corrupt) << name;
  }
}

TEST_F(Hostile, FilesThatAreNeverFull) {
  // A list says that its one chunk, and that of a list of it, and so on, is longer than it is.
  ContentRef content = chunks.put(as_bytes("x"));
  for (std::uint8_t level = 1; level <= 12; ++level) {
    ByteWriter list;
    list.u8('L');
    list.u8(level);
    list.varint(64);
    for (int i = 0; i < 64; ++i) {
      list.digest(content.digest);
      list.varint(content.size);
    }
    content = {
        .size = content.size * 64, .level = level, .digest = must(chunks.writer.put(ChunkKind::metadata, list.view()))};
    if (content.size > k_most_file_size / 64) break;
  }
  content.size = 10;
  const Node file{{.type = EntryType::file, .name = "f", .size = 10, .content = content}};
  EXPECT_EQ(code_of(restore({file})), Code::corrupt);
}

// What a restore into a directory that is there must not touch shows in its inode.
struct Updating : Restoring {
  std::vector<model::Problem> update(const model::Version& version, const std::string& into) {
    return must(restore_tree(lab.repository->chunks(), version.root, into, {.update = true}));
  }
};

TEST_F(Updating, OnlyWhatDiffersIsWritten) {
  write_everything();
  write_text(source + "/large", random_text(3'000'000));
  const auto first = lab.keep(source, 0);
  const std::string restored = lab.restore(first);
  const ino_t kept = stat_of(restored + "/d/plain").st_ino;
  write_text(restored + "/modes", "something else of another time");
  must_be_zero(::unlink((restored + "/large").c_str()));
  must_be_zero(::unlink((restored + "/absolute").c_str()));
  must_be_zero(::symlink("elsewhere", (restored + "/absolute").c_str()));
  must_be_zero(::chmod((restored + "/d/e/zero").c_str(), 0400));
  must_be_zero(::chmod((restored + "/d").c_str(), 0500));
  EXPECT_TRUE(update(first, restored).empty());
  EXPECT_EQ(describe(restored), describe(source));
  EXPECT_EQ(stat_of(restored + "/d/plain").st_ino, kept);

  write_text(source + "/large", random_text(2'900'000, 7));
  must_be_zero(::unlink((source + "/caf\xe9\xff\n").c_str()));
  write_text(restored + "/mine", "no part of it");
  const auto second = lab.keep(source, 1);
  EXPECT_TRUE(update(second, restored).empty());
  EXPECT_EQ(must(os::read_file(restored + "/large")), must(os::read_file(source + "/large")));
  EXPECT_EQ(stat_of(restored + "/d/plain").st_ino, kept);
  EXPECT_TRUE(os::exists(restored + "/mine"));
  EXPECT_TRUE(os::exists(restored + "/caf\xe9\xff\n")) << "what is not in the version stays";
}

TEST_F(Updating, NamesOfAFileThatIsReplaced) {
  write_text(source + "/a", random_text(20'000'000));
  must_be_zero(::link((source + "/a").c_str(), (source + "/b").c_str()));
  const auto version = lab.keep(source, 0);
  const std::string into = lab.scratch / "into";
  make_directory(into);
  write_text(into + "/a", "old");
  write_text(into + "/b", "old, too");
  EXPECT_TRUE(update(version, into).empty());
  EXPECT_EQ(describe(into), describe(source));
  EXPECT_EQ(stat_of(into + "/a").st_ino, stat_of(into + "/b").st_ino);
}

TEST_F(Updating, WhatIsInTheWay) {
  make_directory(source + "/becomes_directory");
  write_text(source + "/becomes_directory/f", "x");
  write_text(source + "/file", "y");
  must_be_zero(::symlink("file", (source + "/link").c_str()));
  const auto version = lab.keep(source, 0);
  const std::string into = lab.scratch / "into";
  make_directory(into);
  write_text(into + "/becomes_directory", "a file");
  write_text(into + "/link", "a file");
  must_be_zero(::symlink((outside + "/secret").c_str(), (into + "/file").c_str()));
  EXPECT_TRUE(update(version, into).empty());
  EXPECT_EQ(describe(into), describe(source));
  EXPECT_EQ(to_text(must(os::read_file(outside + "/secret"))), "untouched");

  must_be_zero(::unlink((into + "/file").c_str()));
  make_directory(into + "/file/precious");
  const auto refused = restore_tree(lab.repository->chunks(), version.root, into, {.update = true});
  EXPECT_EQ(code_of(refused), Code::already_exists);
  EXPECT_TRUE(os::exists(into + "/file/precious"));
}

// A directory with a file under every one of these names, which an update wants to be something else.
TEST_F(Updating, WhatCannotBeMadeLeavesWhatIsThere) {
  write_text(source + "/a", "named twice");
  must_be_zero(::link((source + "/a").c_str(), (source + "/b_link").c_str()));
  must_be_zero(::symlink("a", (source + "/c_symlink").c_str()));
  must_be_zero(::mkfifo((source + "/d_fifo").c_str(), 0600));
  const auto version = lab.keep(source, 0);
  const auto fails = [&](unsigned call, unsigned error, const std::string& name) {
    const std::string into = lab.scratch / name;
    make_directory(into);
    write_text(into + "/" + name, "precious");
    (void)with_failing_call(
        call, error, [&] { return restore_tree(lab.repository->chunks(), version.root, into, {.update = true}); });
    EXPECT_EQ(to_text(must(os::read_file(into + "/" + name))), "precious");
    return into;
  };
  fails(SYS_symlinkat, ENOSPC, "c_symlink");
  const std::string left_out = fails(SYS_mknodat, EPERM, "d_fifo");
  EXPECT_TRUE(os::exists(left_out + "/c_symlink")) << "that is only a problem";
  // A link that cannot be made is a copy.
  const std::string into = lab.scratch / "copied";
  make_directory(into);
  write_text(into + "/b_link", "old");
  const auto problems = with_failing_call(SYS_linkat, EXDEV, [&] { return update(version, into); });
  EXPECT_EQ(problems.size(), 1u);
  EXPECT_EQ(to_text(must(os::read_file(into + "/b_link"))), "named twice");
  for (const std::string& each : {left_out, into})
    for (const auto& [name, how] : describe(each)) EXPECT_FALSE(name.find(".studio-get") != name.npos) << name;
}

TEST_F(Updating, OtherSpecialFilesAreReplaced) {
  const bool is_root = ::geteuid() == 0;
  must_be_zero(::mkfifo((source + "/fifo").c_str(), 0600));
  if (is_root) must_be_zero(::mknod((source + "/device").c_str(), S_IFCHR | 0600, makedev(1, 3)));
  const auto version = lab.keep(source, 0);
  const std::string into = lab.scratch / "into";
  make_directory(into);
  must_be_zero(::mkfifo((into + "/fifo").c_str(), 0666));
  must_be_zero(::chmod((into + "/fifo").c_str(), 0644));
  if (is_root) must_be_zero(::mknod((into + "/device").c_str(), S_IFCHR | 0600, makedev(1, 5)));
  EXPECT_TRUE(update(version, into).empty());
  EXPECT_EQ(describe(into), describe(source));
  EXPECT_EQ(stat_of(into + "/fifo").st_mode & 07777, 0600u);
  if (is_root) {
    EXPECT_EQ(stat_of(into + "/device").st_rdev, makedev(1, 3));
  }
}

TEST_F(Updating, WhatAKilledUpdateLeftIsRemoved) {
  make_directory(source + "/d");
  write_text(source + "/d/f", "x");
  const auto version = lab.keep(source, 0);
  const std::string into = lab.restore(version);
  for (const std::string& directory : {into, into + "/d"}) {
    write_text(directory + "/.studio-get-1-2-old", "half of it");
    set_time(directory + "/.studio-get-1-2-old", 5, 5);
    write_text(directory + "/.studio-get-1-2-young", "another one is at work");
  }
  EXPECT_TRUE(update(version, into).empty());
  for (const std::string& directory : {into, into + "/d"}) {
    EXPECT_FALSE(os::exists(directory + "/.studio-get-1-2-old"));
    EXPECT_TRUE(os::exists(directory + "/.studio-get-1-2-young"));
  }
}

// Its length can reach the disk before its bytes: so that it cannot look complete after a power failure.
TEST_F(Updating, AFileWithHolesIsOnTheDiskBeforeItHasItsTime) {
  for (const std::size_t size : {10'000u, 3'000'000u}) {
    const std::string name = source + "/sparse";
    write_text(name, random_text(size));
    must_be_zero(::truncate(name.c_str(), static_cast<off_t>(size) + 10'000'000));
    const auto version = lab.keep(source, size);
    const std::string into = lab.scratch / concat("into", size);
    make_directory(into);
    write_text(into + "/sparse", "old");
    const auto failed = with_failing_call(
        SYS_fsync, EIO, [&] { return restore_tree(lab.repository->chunks(), version.root, into, {.update = true}); });
    EXPECT_FALSE(failed.has_value());
    EXPECT_EQ(to_text(must(os::read_file(into + "/sparse"))), "old");
    EXPECT_TRUE(update(version, into).empty());
    EXPECT_EQ(describe(into), describe(source));
  }
}

TEST_F(Updating, AnotherNameOfTheSameFileStaysOne) {
  write_text(source + "/a", "named twice");
  must_be_zero(::link((source + "/a").c_str(), (source + "/b").c_str()));
  const auto version = lab.keep(source, 0);
  const std::string into = lab.restore(version);
  set_time(into + "/a", 5, 5);  // of both: neither is what the version has
  EXPECT_TRUE(update(version, into).empty());
  EXPECT_EQ(describe(into), describe(source));
}

TEST_F(Updating, AFileThatCannotBeCompletedLeavesTheOldOne) {
  write_text(source + "/file", random_text(100'000));
  const auto version = lab.keep(source, 0);
  const std::string into = lab.scratch / "into";
  make_directory(into);
  write_text(into + "/file", "old");
  for (const std::string& pack : keys_of(lab.objects, k_pack_prefix)) flip(lab.objects, pack, k_pack_header_size + 10);
  EXPECT_FALSE(restore_tree(lab.repository->chunks(), version.root, into, {.update = true}).has_value());
  EXPECT_EQ(describe(into).size(), 1u);
  EXPECT_EQ(to_text(must(os::read_file(into + "/file"))), "old");
}

}  // namespace
}  // namespace studio::content
