#include "content/file_reader.hpp"

#include <fcntl.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <system_error>

#include "base/concat.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"

namespace studio::content {

namespace {

constexpr std::size_t k_read_size = 1 << 20;
constexpr int k_rounds = 3;

std::int64_t nanoseconds(const struct timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

// How far the clock that stamps files may lag behind the one we read.
std::int64_t tick_of(const struct stat& info) {
  const bool whole_seconds = info.st_mtim.tv_nsec == 0 && info.st_ctim.tv_nsec == 0;
  return whole_seconds ? 2'000'000'000 : 20'000'000;
}

std::int64_t racy_until(const struct stat& info) { return changed_ns(info) + tick_of(info); }

bool same_state(const struct stat& a, const struct stat& b) {
  return a.st_size == b.st_size && modified_ns(a) == modified_ns(b) && changed_ns(a) == changed_ns(b);
}

// The data extents of the first `size` bytes: everything, unless the file takes less room than its length. Of very many
// the last takes in all that follows, zeros included: an entry must not grow without bound.
std::vector<Extent> data_extents(const os::Fd& file, const struct stat& info, std::uint64_t size) {
  constexpr std::size_t k_most_extents = 100'000;
  if (static_cast<std::uint64_t>(info.st_blocks) * 512 >= static_cast<std::uint64_t>(info.st_size)) return {{0, size}};
  std::vector<Extent> extents;
  std::uint64_t at = 0;
  while (at < size) {
    const off_t data = ::lseek(file.get(), static_cast<off_t>(at), SEEK_DATA);
    if (data < 0 && errno == ENXIO) break;  // only a hole follows
    if (data < 0) return {{0, size}};       // a file system that cannot tell
    const off_t hole = ::lseek(file.get(), data, SEEK_HOLE);
    if (hole < 0) return {{0, size}};
    const auto begin = static_cast<std::uint64_t>(data);
    auto end = std::min(static_cast<std::uint64_t>(hole), size);
    if (begin >= end) break;
    if (extents.size() + 1 == k_most_extents) end = size;
    extents.push_back({begin, end - begin});
    at = end;
  }
  return extents;
}

std::vector<Extent> holes_between(const std::vector<Extent>& data, std::uint64_t size) {
  std::vector<Extent> holes;
  std::uint64_t end = 0;
  for (const Extent& extent : data) {
    if (extent.offset > end) holes.push_back({end, extent.offset - end});
    end = extent.offset + extent.length;
  }
  if (end < size) holes.push_back({end, size - end});
  return holes;
}

// What a call like flistxattr(2) gives, which may grow between the question for its size and the answer. Nothing and
// errno if it fails.
template <class Call>
std::optional<std::string> read_whole(const Call& call) {
  while (true) {
    const ssize_t size = call(nullptr, 0);
    if (size < 0) return std::nullopt;
    std::string text(static_cast<std::size_t>(size), '\0');
    const ssize_t got = size == 0 ? 0 : call(text.data(), text.size());
    if (got < 0 && errno == ERANGE) continue;
    if (got < 0) return std::nullopt;
    text.resize(static_cast<std::size_t>(got));
    return text;
  }
}

}  // namespace

std::int64_t modified_ns(const struct stat& info) { return nanoseconds(info.st_mtim); }
std::int64_t changed_ns(const struct stat& info) { return nanoseconds(info.st_ctim); }

bool may_be_racy(const struct stat& info, WallTime now) { return racy_until(info) >= now.time_since_epoch().count(); }

void read_attributes(int file, TreeEntry& entry) {
  const auto failed = [&](int number) {
    entry.problem = concat("its extended attributes cannot be read: ", std::generic_category().message(number));
  };
  const auto names = read_whole([&](char* text, std::size_t size) { return ::flistxattr(file, text, size); });
  if (!names && errno != ENOTSUP) failed(errno);
  if (!names) return;
  std::size_t total = 0;
  for (std::size_t at = 0; at < names->size(); at = names->find('\0', at) + 1) {
    const std::string name = names->c_str() + at;
    if (!name.starts_with("user.")) continue;
    auto value = read_whole([&](char* text, std::size_t size) { return ::fgetxattr(file, name.c_str(), text, size); });
    if (!value && errno != ENODATA) failed(errno);  // ENODATA: removed meanwhile
    if (!value) continue;
    total += name.size() + value->size();
    entry.attributes.emplace_back(name, std::move(*value));
  }
  std::sort(entry.attributes.begin(), entry.attributes.end());
  if (total <= k_most_attributes) return;
  entry.attributes.clear();
  entry.problem = "its extended attributes are too long; left out";
}

Result<FileReader::Collected> FileReader::collect(const os::Fd& file, const struct stat& info, std::uint64_t size,
                                                  const std::string& name) {
  writer_.discard();  // what an error may have left
  Collected collected;
  const std::vector<Extent> extents = data_extents(file, info, size);
  for (const Extent& extent : extents) {
    std::uint64_t done = 0;
    while (done < extent.length) {
      if (stop_.stop_requested()) return Error{Code::cancelled, "the capture was stopped"};
      const std::size_t wanted = std::min<std::uint64_t>(k_read_size, extent.length - done);
      auto got = os::read_at(file, extent.offset + done, writer_.prepare(wanted).first(wanted), name);
      source_failed_ = !got;
      if (!got) return got.error();
      TRY(writer_.commit(*got));
      done += *got;
      if (*got < wanted) break;
    }
    collected.size = extent.offset + done;
    if (done < extent.length) break;
  }
  const bool is_cut = !extents.empty() && collected.size < extents.back().offset + extents.back().length;
  if (!is_cut) {
    collected.size = size;
    collected.holes = holes_between(extents, size);
  }
  // Before what was read is stored, which may take long.
  const auto after = os::status(file, name);
  source_failed_ = !after;
  if (!after) return after.error();
  collected.after = *after;
  TRY_ASSIGN(collected.content, writer_.finish());
  return collected;
}

// A write in the tick of the last one would not show in the file's times: lets the tick pass first. Not longer: the
// times of a file server may be ahead of ours.
Result<struct stat> FileReader::status_when_settled(const os::Fd& file, const std::string& name) {
  auto info = os::status(file, name);
  if (info) {
    const std::int64_t now = clock_.now().time_since_epoch().count();
    const std::int64_t settled = racy_until(*info) + 1;
    if (settled > now) {
      clock_.sleep_until(WallTime(std::chrono::nanoseconds(std::min(settled, now + tick_of(*info) + 1))));
      info = os::status(file, name);
    }
  }
  source_failed_ = !info;
  return info;
}

Result<FileRead> FileReader::read_open(const os::Fd& file, const std::string& name) {
  FileRead result;
  const auto accept = [&](const Collected& collected, const struct stat& info, FileRead::Outcome outcome) {
    result.outcome = outcome;
    result.info = info;
    result.racy = outcome == FileRead::Outcome::prefix || may_be_racy(info, clock_.now());
    result.entry = TreeEntry{.type = EntryType::file,
                             .name = {},
                             .mode = static_cast<std::uint32_t>(info.st_mode & 07777),
                             .modified_ns = modified_ns(info),
                             .size = collected.size,
                             .content = collected.content,
                             .holes = collected.holes};
    read_attributes(file.get(), result.entry);
    return result;
  };
  Collected last;
  bool only_grew = true;
  off_t largest = 0;
  for (int round = 0; round <= k_rounds; ++round) {
    TRY_ASSIGN(const struct stat before, status_when_settled(file, name));
    only_grew = only_grew && before.st_size >= largest;
    largest = std::max(largest, before.st_size);
    // The last round reads again what the one before it read: two equal collects of the same bytes prove that they all
    // held together at the moment between (Afek et al., "Atomic snapshots of shared memory", 1993).
    const bool again = round == k_rounds;
    if (again && (!only_grew || last.size == 0)) break;
    const std::uint64_t size = again ? last.size : static_cast<std::uint64_t>(before.st_size);
    TRY_ASSIGN(const Collected collected, collect(file, before, size, name));
    const struct stat& after = collected.after;
    if (same_state(before, after) && collected.size == static_cast<std::uint64_t>(before.st_size))
      return accept(collected, before, FileRead::Outcome::complete);
    only_grew = only_grew && after.st_size >= largest;
    largest = std::max(largest, after.st_size);
    if (again && only_grew && collected.size == last.size && collected.content == last.content &&
        collected.holes == last.holes)
      return accept(collected, before, FileRead::Outcome::prefix);
    last = collected;
  }
  result.outcome = FileRead::Outcome::unstable;
  return result;
}

Result<FileRead> FileReader::read(int directory, const std::string& name) {
  const auto failed = [](const Error& error) {
    FileRead result;
    result.outcome = error.code == Code::not_found ? FileRead::Outcome::gone : FileRead::Outcome::unreadable;
    result.problem = error.message;
    return result;
  };
  auto file = os::open_at(directory, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY);
  if (!file && file.error().code == Code::invalid) file.error().code = Code::not_found;  // ELOOP: now a symlink
  if (!file) return failed(file.error());
  const auto info = os::status(*file, name);
  if (!info) return failed(info.error());
  if (!S_ISREG(info->st_mode)) return failed({Code::not_found, "it is no regular file any more"});
  auto result = read_open(*file, name);
  if (!result) writer_.discard();
  // An error of the disk that holds the source must not end the capture; one of the store must.
  if (!result && source_failed_) return failed(result.error());
  return result;
}

}  // namespace studio::content
