#include "content/stat_cache.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>
#include <xxhash.h>

#include <cerrno>
#include <cstdio>

#include "os/atomic_file.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_magic = "STUDSTAT";
constexpr std::uint32_t k_version = 1;
constexpr std::size_t k_head_size = 16;
constexpr std::size_t k_tail_size = 24;  // length of the identity, checksum, magic
constexpr std::size_t k_buffer = 1 << 20;

std::uint64_t checksum(ByteView bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

void append_cached(ByteWriter& out, const CachedEntry& cached) {
  out.varint(cached.inode);
  out.zigzag(cached.changed_ns);
  out.u8(cached.racy ? 1 : 0);
  out.varint(cached.block);
  append_entry(out, cached.entry);
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
  if (!entry) return std::nullopt;
  cached.entry = std::move(*entry);
  return cached;
}

}  // namespace

std::optional<StatCache> StatCache::open(const std::string& path) {
  const auto fd = os::open(path, O_RDONLY);
  if (!fd) return std::nullopt;
  const auto info = os::status(*fd, path);
  if (!info || info->st_size < static_cast<off_t>(k_head_size + k_tail_size)) return std::nullopt;
  const auto size = static_cast<std::size_t>(info->st_size);
  void* const address = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd->get(), 0);
  if (address == MAP_FAILED) return std::nullopt;

  StatCache cache;
  cache.bytes_ = {static_cast<const std::byte*>(address), size};
  ByteReader head(cache.bytes_);
  ByteReader tail(cache.bytes_.last(k_tail_size));
  const bool known = as_text(head.raw(8)) == k_magic && head.u32() == k_version;
  const std::uint64_t length = tail.u64();
  const std::uint64_t sum = tail.u64();
  if (!known || as_text(tail.raw(8)) != k_magic || length > size - k_head_size - k_tail_size) return std::nullopt;
  const ByteView identity = cache.bytes_.subspan(size - k_tail_size - length, length);
  if (checksum(identity) != sum) return std::nullopt;
  ByteReader in(identity);
  cache.root_ = in.u64();
  cache.identity_.store = in.sized();
  cache.identity_.source = in.sized();
  cache.identity_.version = in.sized();
  if (in.failed()) return std::nullopt;
  return cache;
}

StatCache::StatCache(StatCache&& other) noexcept
    : bytes_(std::exchange(other.bytes_, {})), identity_(std::move(other.identity_)), root_(other.root_) {}

StatCache::~StatCache() {
  if (!bytes_.empty()) ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
}

std::optional<std::vector<CachedEntry>> StatCache::block(std::uint64_t offset) const {
  if (offset < k_head_size || offset > bytes_.size()) return std::nullopt;
  ByteReader head(bytes_.subspan(offset));
  const std::uint64_t length = head.u64();
  const std::uint64_t sum = head.u64();
  const ByteView body = head.raw(length);
  if (head.failed() || checksum(body) != sum) return std::nullopt;
  ByteReader in(body);
  std::vector<CachedEntry> entries;
  while (in.remaining() > 0) {
    auto cached = read_cached(in);
    if (!cached) return std::nullopt;
    entries.push_back(std::move(*cached));
  }
  return entries;
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
  std::string temporary = os::unique_path(directory, ".new");
  TRY_ASSIGN(os::Fd fd, os::open(temporary, O_WRONLY | O_CREAT | O_EXCL, 0600));
  return std::unique_ptr<StatCacheDraft>(new StatCacheDraft(path, std::move(temporary), std::move(fd)));
}

Result<void> StatCacheDraft::flush() {
  TRY(os::write_all(fd_, buffer_.view(), temporary_));
  written_ += buffer_.size();
  buffer_.clear();
  return {};
}

Result<std::uint64_t> StatCacheDraft::add(const std::vector<CachedEntry>& entries) {
  ByteWriter body;
  for (const CachedEntry& cached : entries) append_cached(body, cached);
  const std::uint64_t offset = written_ + buffer_.size();
  buffer_.u64(body.size());
  buffer_.u64(checksum(body.view()));
  buffer_.raw(body.view());
  if (buffer_.size() >= k_buffer) TRY(flush());
  return offset;
}

Result<std::uint64_t> StatCacheDraft::copy(const StatCache& from, std::uint64_t block) {
  // Explicit stack: a tree may be deeper than the thread's.
  struct Level {
    std::vector<CachedEntry> entries;
    std::size_t at = 0;
  };
  std::vector<Level> levels;
  const auto enter = [&](std::uint64_t offset) {
    auto entries = from.block(offset);
    levels.push_back({entries ? std::move(*entries) : std::vector<CachedEntry>(), 0});
  };
  enter(block);
  while (true) {
    Level& level = levels.back();
    while (level.at < level.entries.size() && level.entries[level.at].block == 0) ++level.at;
    if (level.at < level.entries.size()) {
      enter(level.entries[level.at].block);
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
