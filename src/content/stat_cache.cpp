#include "content/stat_cache.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <ctime>

#include "content/checksum.hpp"
#include "content/file_reader.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_magic = "STUDSTAT";
constexpr std::uint32_t k_version = 2;
constexpr std::size_t k_head_size = 16;
constexpr std::size_t k_block_head_size = 16;  // length, checksum
constexpr std::size_t k_tail_size = 24;        // length of the identity, checksum, magic
constexpr std::size_t k_buffer = 1 << 20;
constexpr std::string_view k_draft_prefix = ".new";

bool has_times_of(const CachedEntry& cached, const struct stat& info) {
  return cached.inode == info.st_ino && cached.changed_ns == changed_ns(info) &&
         cached.entry.modified_ns == modified_ns(info) && cached.entry.mode == (info.st_mode & 07777);
}

}  // namespace

void append_cached_head(ByteWriter& out, const CachedEntry& cached) {
  out.varint(cached.inode);
  out.zigzag(cached.changed_ns);
  out.u8(cached.racy ? 1 : 0);
  out.varint(cached.block);
}

std::optional<CachedEntry> read_cached(ByteReader& in) {
  CachedEntry cached;
  cached.inode = in.varint();
  cached.changed_ns = in.zigzag();
  cached.racy = in.u8() != 0;
  cached.block = in.varint();
  const ByteView body = in.raw(in.varint());
  if (in.failed()) return std::nullopt;
  auto entry = parse_entry(body);
  if (!entry || (cached.block != 0 && entry->type != EntryType::directory)) return std::nullopt;
  cached.entry = std::move(*entry);
  return cached;
}

bool has_stamps_of(const CachedEntry& cached, const struct stat& info) {
  return has_times_of(cached, info) && cached.entry.size == static_cast<std::uint64_t>(info.st_size);
}

bool is_unchanged_file(const CachedEntry& cached, const struct stat& info) {
  return has_bytes(cached.entry.type) && !cached.racy && cached.entry.problem.empty() && has_stamps_of(cached, info);
}

bool is_unchanged_directory(const CachedEntry& cached, const struct stat& info) {
  return cached.entry.type == EntryType::directory && cached.entry.problem.empty() && has_times_of(cached, info);
}

std::optional<StatCache> StatCache::open(const std::string& path) {
  auto fd = os::open(path, O_RDONLY | O_NONBLOCK);
  if (!fd) return std::nullopt;
  const auto info = os::status(*fd, path);
  if (!info || !S_ISREG(info->st_mode) || info->st_size < static_cast<off_t>(k_head_size + k_tail_size))
    return std::nullopt;
  StatCache cache;
  cache.fd_ = std::move(*fd);
  cache.size_ = static_cast<std::uint64_t>(info->st_size);

  const auto head = cache.read(0, k_head_size);
  const auto tail = cache.read(cache.size_ - k_tail_size, k_tail_size);
  if (!head || !tail) return std::nullopt;
  ByteReader head_reader(*head);
  ByteReader tail_reader(*tail);
  const bool known = as_text(head_reader.raw(8)) == k_magic && head_reader.u32() == k_version;
  const std::uint64_t length = tail_reader.u64();
  const std::uint64_t sum = tail_reader.u64();
  if (!known || as_text(tail_reader.raw(8)) != k_magic || length > cache.size_ - k_head_size - k_tail_size)
    return std::nullopt;
  const auto identity = cache.read(cache.size_ - k_tail_size - length, length);
  if (!identity || checksum(*identity) != sum) return std::nullopt;
  ByteReader in(*identity);
  cache.root_ = in.u64();
  cache.identity_.store = in.sized();
  cache.identity_.source = in.sized();
  cache.identity_.version = in.sized();
  cache.identity_.root = in.digest();
  cache.identity_.suspects = in.u64();
  if (in.failed()) return std::nullopt;
  return cache;
}

std::optional<Bytes> StatCache::read(std::uint64_t offset, std::uint64_t size) const {
  if (offset > size_ || size > size_ - offset) return std::nullopt;
  Bytes bytes(size);
  const auto got = os::read_at(fd_, offset, bytes, "stat cache");
  if (!got || *got != size) return std::nullopt;
  return bytes;
}

bool StatCache::visit(std::uint64_t offset, const std::function<void(CachedEntry&)>& visitor) const {
  const auto head = read(offset, k_block_head_size);
  if (offset < k_head_size || !head) return false;
  ByteReader head_reader(*head);
  const std::uint64_t length = head_reader.u64();
  const std::uint64_t sum = head_reader.u64();
  const auto body = read(offset + k_block_head_size, length);
  if (!body || checksum(*body) != sum) return false;
  ByteReader in(*body);
  while (in.remaining() > 0) {
    auto cached = read_cached(in);
    if (!cached || cached->block >= offset) return false;
    visitor(*cached);
  }
  return true;
}

std::optional<CachedEntries> StatCache::block(std::uint64_t offset) const {
  CachedEntries entries;
  const bool is_whole = visit(offset, [&](CachedEntry& entry) { entries.push_back(std::move(entry)); });
  return is_whole ? std::optional(std::move(entries)) : std::nullopt;
}

StatCacheDraft::StatCacheDraft(std::string path, std::string temporary, os::Fd fd)
    : path_(std::move(path)), temporary_(std::move(temporary)), fd_(std::move(fd)) {
  buffer_.raw(k_magic);
  buffer_.u32(k_version);
  buffer_.u32(0);
}

StatCacheDraft::~StatCacheDraft() {
  if (fd_) ::unlink(temporary_.c_str());
}

Result<std::unique_ptr<StatCacheDraft>> StatCacheDraft::create(const std::string& path) {
  const std::string directory = os::parent_of(path);
  TRY(os::make_directories(directory));
  if (const auto opened = os::open(directory, O_RDONLY | O_DIRECTORY)) os::remove_stale_files(*opened, k_draft_prefix);
  std::string temporary = os::unique_path(directory, k_draft_prefix);
  TRY_ASSIGN(os::Fd fd, os::open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return std::unique_ptr<StatCacheDraft>(new StatCacheDraft(path, std::move(temporary), std::move(fd)));
}

Result<void> StatCacheDraft::flush() {
  TRY(os::write_all(fd_, buffer_.view(), temporary_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

void StatCacheDraft::append(const CachedEntry& entry) {
  append_cached_head(block_, entry);
  append_entry(block_, entry.entry);
}

Result<std::uint64_t> StatCacheDraft::end_block() {
  const std::uint64_t offset = written_ + buffer_.size();
  buffer_.u64(block_.size());
  buffer_.u64(checksum(block_.view()));
  if (block_.size() < k_buffer) {
    buffer_.raw(block_.view());
    block_.clear();
    if (buffer_.size() >= k_buffer) TRY(flush());
    return offset;
  }
  TRY(flush());
  TRY(os::write_all(fd_, block_.view(), temporary_));
  written_ += block_.size();
  block_ = {};  // so large a directory is rare
  return offset;
}

Result<std::uint64_t> StatCacheDraft::add(const CachedEntries& entries) {
  for (const CachedEntry& entry : entries) append(entry);
  return end_block();
}

Result<std::uint64_t> StatCacheDraft::copy(const StatCache& from, std::uint64_t block) {
  // Explicit stack: a tree may be deeper than the thread's.
  struct Level {
    CachedEntries entries;
    std::size_t at = 0;
  };
  std::vector<Level> levels;
  const auto enter = [&](std::uint64_t offset) {
    auto entries = from.block(offset);
    if (entries) levels.push_back({std::move(*entries)});
    return entries.has_value();
  };
  if (!enter(block)) return std::uint64_t{0};
  while (true) {
    Level& level = levels.back();
    while (level.at < level.entries.size() && level.entries[level.at].block == 0) ++level.at;
    if (level.at < level.entries.size()) {
      if (!enter(level.entries[level.at].block)) level.entries[level.at].block = 0;
      continue;
    }
    TRY_ASSIGN(const std::uint64_t offset, add(level.entries));
    levels.pop_back();
    if (levels.empty()) return offset;
    Level& parent = levels.back();
    parent.entries[parent.at++].block = offset;
  }
}

Result<void> StatCacheDraft::publish(const CacheIdentity& identity) {
  ByteWriter out;
  out.u64(root_);
  out.sized(identity.store);
  out.sized(identity.source);
  out.sized(identity.version);
  out.digest(identity.root);
  out.u64(identity.suspects);
  buffer_.raw(out.view());
  buffer_.u64(out.size());
  buffer_.u64(checksum(out.view()));
  buffer_.raw(k_magic);
  TRY(flush());
  if (::rename(temporary_.c_str(), path_.c_str()) != 0) return os::system_error("create", path_, errno);
  fd_.reset();
  return {};
}

}  // namespace studio::content
