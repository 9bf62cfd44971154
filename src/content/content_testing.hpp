// Helpers of this room's tests: deterministic bytes, a store in memory, files on disk and how they look, trees made by
// hand.
#pragma once

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cstddef>
#include <functional>
#include <future>
#include <map>
#include <memory>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/concat.hpp"
#include "blob/counting.hpp"
#include "blob/fault.hpp"
#include "blob/memory.hpp"
#include "content/chunk_store.hpp"
#include "content/file_content.hpp"
#include "content/repository.hpp"
#include "content/restore.hpp"
#include "content/tree_walk.hpp"
#include "content/verify.hpp"
#include "contract/scratch_directory.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"

namespace studio::content {

// The value; an error ends the test.
template <class T>
T must(Result<T> result) {
  if (!result) throw std::runtime_error(concat(name_of(result.error().code), ": ", result.error().message));
  return std::move(*result);
}
inline void must(const Result<void>& result) {
  if (!result) throw std::runtime_error(concat(name_of(result.error().code), ": ", result.error().message));
}
inline void must_be_zero(int result) {
  if (result != 0) throw std::runtime_error("a system call failed");
}
// The code of the error; `internal` if there is none.
template <class T>
Code code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? Code::internal : result.error().code;
}

// What `action` returns where the kernel answers one system call with `error`: in a thread of its own, which a filter
// is for life.
template <class Action>
auto with_failing_call(unsigned number, unsigned error, const Action& action) {
  const auto run = [&] {
    std::array<struct sock_filter, 4> code{{{BPF_LD | BPF_W | BPF_ABS, 0, 0, offsetof(struct seccomp_data, nr)},
                                            {BPF_JMP | BPF_JEQ | BPF_K, 0, 1, number},
                                            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ERRNO | error},
                                            {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW}}};
    struct sock_fprog program {};
    program.len = code.size();
    program.filter = code.data();
    must_be_zero(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
    must_be_zero(::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program));
    return action();
  };
  return std::async(std::launch::async, run).get();
}

inline std::vector<IndexedChunk> all_chunks(ChunkStore& store) {
  std::vector<IndexedChunk> all;
  must(store.for_each_chunk([&](const IndexedChunk& chunk) -> Result<void> {
    all.push_back(chunk);
    return {};
  }));
  return all;
}

// SplitMix64: the same numbers everywhere.
class Random {
 public:
  explicit Random(std::uint64_t seed) : state_(seed) {}
  std::uint64_t next() {
    state_ += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state_;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    return mixed ^ (mixed >> 31);
  }
  std::uint64_t below(std::uint64_t limit) { return next() % limit; }

 private:
  std::uint64_t state_;
};

// The lowest byte of each output.
inline Bytes random_bytes(std::size_t size, std::uint64_t seed = 1) {
  Random random(seed);
  Bytes bytes(size);
  for (std::byte& byte : bytes) byte = static_cast<std::byte>(random.next() & 0xff);
  return bytes;
}
inline std::string random_text(std::size_t size, std::uint64_t seed = 1) { return to_text(random_bytes(size, seed)); }

inline constexpr ChunkerParameters k_tiny{
    .minimum = 32, .normal = 64, .maximum = 128, .strict_mask = 0x003f, .loose_mask = 0x001f};

// An hour ahead, so that no file on disk looks racy and nobody sleeps. Counts how often it was asked: twice for each
// file that is read.
class AheadClock final : public Clock {
 public:
  WallTime now() const override {
    ++asked;
    return SystemClock().now() + std::chrono::hours(1);
  }
  void sleep_until(WallTime) const override { ADD_FAILURE() << "a test sleeps"; }
  mutable std::atomic<int> asked = 0;
};

// Asked for the time between a file's first stat and its reading: what happens then happens "while it is read".
class MeddlingClock final : public Clock {
 public:
  explicit MeddlingClock(std::function<void(int)> then, std::chrono::nanoseconds ahead = std::chrono::hours(1))
      : meddle(std::move(then)), ahead_(ahead) {}
  WallTime now() const override {
    meddle(++asked);
    return SystemClock().now() + ahead_;
  }
  void sleep_until(WallTime time) const override {
    ++slept;
    ahead_ += time - (SystemClock().now() + ahead_) + std::chrono::hours(1);
    while_asleep();
  }
  mutable std::atomic<int> asked = 0;
  mutable int slept = 0;
  std::function<void(int)> meddle;
  std::function<void()> while_asleep = [] {};

 private:
  mutable std::chrono::nanoseconds ahead_;
};

// Chunks over a store in memory.
struct Chunks {
  blob::MemoryStore objects;
  ChunkStore store{objects, {}};
  ChunkWriter writer{store};

  ContentRef put(ByteView bytes, const ChunkerParameters& parameters = k_tiny, ChunkKind kind = ChunkKind::data) {
    ContentWriter content(writer, parameters, kind);
    must(content.write(bytes));
    return must(content.finish());
  }
  Bytes get(const ContentRef& content) { return must(read_content(writer, content, UINT64_MAX)); }
};

// A tree that no disk has to hold.
struct Node {
  TreeEntry entry;
  std::vector<Node> children = {};
};

inline Node file_node(Chunks& chunks, std::string name, std::string_view content, std::uint32_t mode = 0644) {
  return {{.type = EntryType::file,
           .name = std::move(name),
           .mode = mode,
           .size = content.size(),
           .content = chunks.put(as_bytes(content))}};
}
inline Node directory_node(std::string name, std::vector<Node> children, std::uint32_t mode = 0755) {
  return {{.type = EntryType::directory, .name = std::move(name), .mode = mode}, std::move(children)};
}
inline Node symlink_node(std::string name, std::string target) {
  return {{.type = EntryType::symlink, .name = std::move(name), .mode = 0777, .target = std::move(target)}};
}

// Stores the listing as it is given, valid or not.
inline ContentRef put_tree(Chunks& chunks, const std::vector<Node>& nodes) {
  ByteWriter listing;
  append_tree_header(listing);
  for (const Node& node : nodes) {
    TreeEntry entry = node.entry;
    if (entry.type == EntryType::directory) entry.content = put_tree(chunks, node.children);
    append_entry(listing, entry);
  }
  return chunks.put(listing.view(), k_tiny, ChunkKind::metadata);
}

inline void write_quickly(const std::string& path, std::string_view text) {
  const os::Fd fd = must(os::open(path, O_WRONLY | O_CREAT | O_TRUNC, 0644));
  must(os::write_all(fd, as_bytes(text), path));
}
// That a file was rewritten shows in its change time, however fast the test is: the clock of a file system ticks every
// few milliseconds.
inline void write_text(const std::string& path, std::string_view text) {
  const auto before = os::status(path);
  do {
    write_quickly(path, text);
  } while (before && changed_ns(must(os::status(path))) == changed_ns(*before));
}
inline void make_directory(const std::string& path) { must(os::make_directories(path)); }
inline void set_time(const std::string& path, std::int64_t seconds, std::int64_t nanoseconds) {
  const std::array<struct timespec, 2> times{{{.tv_sec = 0, .tv_nsec = UTIME_OMIT}, {seconds, nanoseconds}}};
  ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times.data(), AT_SYMLINK_NOFOLLOW), 0);
}
inline struct stat stat_of(const std::string& path) { return must(os::status(path)); }

// All that a restore must bring back, by path: a line for each entry.
inline void describe_into(const std::string& root, const std::string& path, std::map<std::string, std::string>& lines,
                          std::map<ino_t, std::string>& first_names) {
  const std::string here = path.empty() ? root : concat(root, "/", path);
  const os::Fd fd = must(os::open(here, O_RDONLY | O_DIRECTORY));
  for (const std::string& name : must(os::names_in(fd.get(), here))) {
    const std::string inner = path.empty() ? name : concat(path, "/", name);
    const std::string full = concat(root, "/", inner);
    const struct stat info = stat_of(full);
    std::string line = concat(info.st_mode, " ", modified_ns(info));
    if (S_ISREG(info.st_mode)) {
      line += concat(" ", info.st_size, " ", Sha256::of(must(os::read_file(full))).hex());
      line += concat(" ", first_names.emplace(info.st_ino, inner).first->second);
    }
    if (S_ISLNK(info.st_mode)) {
      std::string target(4096, '\0');
      target.resize(static_cast<std::size_t>(::readlink(full.c_str(), target.data(), target.size())));
      line += concat(" ", target);
    }
    std::array<char, 256> value{};
    const ssize_t length = ::lgetxattr(full.c_str(), "user.note", value.data(), value.size());
    if (length >= 0) line += concat(" note=", std::string_view(value.data(), static_cast<std::size_t>(length)));
    lines[inner] = line;
    if (S_ISDIR(info.st_mode)) describe_into(root, inner, lines, first_names);
  }
}
inline std::map<std::string, std::string> describe(const std::string& root) {
  std::map<std::string, std::string> lines;
  std::map<ino_t, std::string> first_names;
  describe_into(root, "", lines, first_names);
  return lines;
}

// A repository over a store in memory, and the versions that a test makes in it.
class Lab {
 public:
  Lab() { open(objects); }
  // Borrows the other clock.
  explicit Lab(const Clock& other) : clock_(other) { open(objects); }

  void open(blob::Store& store) {
    repository = must(Repository::open(
        store, clock_,
        {.cache_directory = scratch / "caches", .notice = [this](const auto& text) { notices.push_back(text); }}));
  }
  static model::Version version_of(const Saved& saved, std::uint64_t number) {
    model::Version version{.experiment = "e", .tag = "t", .number = number};
    version.created = WallTime(std::chrono::seconds(1'700'000'000));
    version.kind = saved.tree.kind;
    version.file_name = saved.tree.file_name;
    version.root = saved.tree.root;
    version.root_mode = saved.tree.root_mode;
    version.root_modified_ns = saved.tree.root_modified_ns;
    version.totals = saved.tree.totals;
    version.changes = saved.changes;
    version.problems = saved.tree.problems;
    version.problem_count = saved.tree.problem_count;
    return version;
  }
  Saved save(const std::string& path, const model::Version* previous = nullptr) {
    return must(repository->save({.path = path, .previous = previous}));
  }
  // Saves, publishes as version `number`, remembers.
  model::Version keep(const std::string& path, std::uint64_t number, const model::Version* previous = nullptr) {
    Saved saved = save(path, previous);
    model::Version version = version_of(saved, number);
    must(repository->publish(version));
    repository->remember(saved, path, version);
    return version;
  }
  // Into a new directory, whose path is returned.
  std::string restore(const model::Version& version, bool read_only = false) {
    const std::string into = scratch / concat("restored-", restored_++);
    make_directory(into);
    EXPECT_TRUE(must(restore_tree(repository->chunks(), version.root, into, {.read_only = read_only})).empty());
    must(set_root_metadata(into, version));
    return into;
  }

  test::ScratchDirectory scratch;
  AheadClock clock;
  blob::MemoryStore objects;
  std::vector<std::string> notices;
  std::unique_ptr<Repository> repository;

 private:
  const Clock& clock_ = clock;
  int restored_ = 0;
};

// The keys of all objects under `prefix`.
inline std::vector<std::string> keys_of(blob::Store& store, std::string_view prefix) {
  std::vector<std::string> keys;
  must(store.list(prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    keys.push_back(info.key);
    return {};
  }));
  return keys;
}
inline void flip(blob::Store& store, const std::string& key, std::size_t offset) {
  Bytes bytes = must(store.get(key));
  bytes.at(offset) ^= std::byte{0x40};
  must(blob::put(store, key, bytes));
}
inline void copy_objects(blob::Store& from, blob::Store& to) {
  for (const std::string& key : keys_of(from, "")) must(blob::put(to, key, must(from.get(key))));
}

}  // namespace studio::content
