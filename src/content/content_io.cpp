#include "content/content_io.hpp"

#include <algorithm>
#include <cstring>
#include <numeric>
#include <utility>

#include "base/codec.hpp"
#include "base/concat.hpp"
#include "content/byte_copy.hpp"

namespace studio::content {

namespace {

constexpr std::uint8_t k_list_magic = 'L';
// A list ends after an entry whose digest ends in a zero byte (one in 256): a change moves only the ends around it.
constexpr std::size_t k_list_minimum = 64;
constexpr std::size_t k_list_maximum = 1024;

// Enough chunks for every lane of the hash, little enough to lie in the cache until they are packed.
constexpr std::size_t k_group_size = 2 << 20;
constexpr std::size_t k_most_groups = 3;

bool list_ends(const std::vector<ChunkRef>& entries) {
  if (entries.size() >= k_list_maximum) return true;
  return entries.size() >= k_list_minimum && entries.back().digest.bytes.back() == std::byte{0};
}

std::uint64_t size_of(std::span<const ChunkRef> chunks) {
  return std::accumulate(chunks.begin(), chunks.end(), std::uint64_t{0},
                         [](std::uint64_t sum, const ChunkRef& chunk) { return sum + chunk.size; });
}

Error wrong_sizes() { return Error{Code::corrupt, "a list of chunks gives wrong sizes"}; }

}  // namespace

bool add_up_to(std::uint64_t size, const std::vector<ChunkRef>& entries) {
  for (const ChunkRef& entry : entries) {
    if (entry.size > size) return false;
    size -= entry.size;
  }
  return size == 0;
}

Result<std::vector<ChunkRef>> parse_list(ByteView chunk, std::uint8_t level) {
  ByteReader reader(chunk);
  bool sound = reader.u8() == k_list_magic && reader.u8() == level;
  const std::uint64_t count = reader.varint();
  std::vector<ChunkRef> entries;
  for (std::uint64_t i = 0; sound && i < count && !reader.failed(); ++i) {
    ChunkRef entry;
    entry.digest = reader.digest();
    entry.size = reader.varint();
    sound = entry.size > 0;
    entries.push_back(entry);
  }
  if (!sound || reader.failed() || reader.remaining() > 0 || entries.empty())
    return Error{Code::corrupt, "a list of chunks is damaged"};
  return entries;
}

std::span<std::byte> ContentWriter::prepare(std::size_t size) {
  if (buffer_.size() - end_ < size) buffer_.resize(end_ + size);
  return std::span(buffer_).subspan(end_, size);
}

Result<void> ContentWriter::commit(std::size_t size) {
  end_ += size;
  size_ += size;
  return end_ >= k_group_size + parameters_.maximum ? cut(false) : Result<void>();
}

Result<void> ContentWriter::write(ByteView bytes) {
  while (!bytes.empty()) {
    const ByteView piece = bytes.first(std::min<std::size_t>(bytes.size(), parameters_.maximum));
    std::copy(piece.begin(), piece.end(), prepare(piece.size()).begin());
    TRY(commit(piece.size()));
    bytes = bytes.subspan(piece.size());
  }
  return {};
}

// What can be cut becomes a group; the rest goes to the front of the next buffer.
Result<void> ContentWriter::cut(bool at_end) {
  if (end_ == 0) return {};
  auto group = std::make_unique<Group>();
  ByteView rest = ByteView(buffer_).first(end_);
  while (rest.size() >= parameters_.maximum || (at_end && !rest.empty())) {
    const std::size_t length = first_cut(parameters_, rest);
    group->chunks.push_back(rest.first(length));
    rest = rest.subspan(length);
  }
  group->digests.resize(group->chunks.size());
  Bytes next;
  if (!spare_.empty()) {
    next = std::move(spare_.back());
    spare_.pop_back();
  }
  if (next.size() < rest.size()) next.resize(rest.size());
  std::copy(rest.begin(), rest.end(), next.begin());
  end_ = rest.size();
  group->buffer = std::exchange(buffer_, std::move(next));

  Group& added = *groups_.emplace_back(std::move(group));
  if (pool_ == nullptr || (at_end && groups_.size() == 1)) {
    added.put = put_group(added, lane_);
    added.done = true;
    return collect();
  }
  pool_->submit_part([this, &added](std::size_t worker) {
    added.put = put_group(added, worker + 1);
    added.done = true;
  });
  return groups_.size() > k_most_groups ? collect() : Result<void>();
}

Result<void> ContentWriter::put_group(Group& group, std::size_t lane) const {
  if (kind_ == ChunkKind::data) return chunks_.put_each(lane, group.chunks, group.digests);
  for (std::size_t i = 0; i < group.chunks.size(); ++i) {
    TRY_ASSIGN(group.digests[i], chunks_.put(kind_, group.chunks[i]));
  }
  return {};
}

Result<void> ContentWriter::collect() {
  Group& oldest = *groups_.front();
  if (pool_ != nullptr) pool_->do_parts_until(lane_ - 1, [&] { return oldest.done.load(); });
  const std::unique_ptr<Group> group = std::move(groups_.front());
  groups_.pop_front();
  TRY(std::move(group->put));
  for (std::size_t i = 0; i < group->chunks.size(); ++i) TRY(add(0, {group->digests[i], group->chunks[i].size()}));
  spare_.push_back(std::move(group->buffer));
  return {};
}

Result<ChunkRef> ContentWriter::put_list(std::uint8_t level) {
  std::vector<ChunkRef>& entries = pending_[level];
  ByteWriter list;
  list.u8(k_list_magic);
  list.u8(static_cast<std::uint8_t>(level + 1));
  list.varint(entries.size());
  ChunkRef whole;
  for (const ChunkRef& entry : entries) {
    list.digest(entry.digest);
    list.varint(entry.size);
    whole.size += entry.size;
  }
  entries.clear();
  TRY_ASSIGN(whole.digest, chunks_.put(ChunkKind::metadata, list.view()));
  return whole;
}

Result<void> ContentWriter::add(std::uint8_t level, ChunkRef entry) {
  if (pending_.size() <= level) pending_.resize(level + std::size_t{1});
  pending_[level].push_back(entry);
  if (!list_ends(pending_[level])) return {};
  TRY_ASSIGN(const ChunkRef list, put_list(level));
  return add(static_cast<std::uint8_t>(level + 1), list);
}

Result<ContentRef> ContentWriter::finish() {
  auto content = close();
  discard();
  return content;
}

Result<ContentRef> ContentWriter::close() {
  TRY(cut(true));
  while (!groups_.empty()) TRY(collect());
  ContentRef content{.size = size_};
  // Each level but the last becomes a list of the next; the last is the one with a single entry.
  for (std::uint8_t level = 0; level < pending_.size(); ++level) {
    const bool last = level + std::size_t{1} == pending_.size();
    if (last && pending_[level].size() == 1) {
      content.level = level;
      content.digest = pending_[level].front().digest;
      break;
    }
    if (pending_[level].empty()) continue;
    TRY_ASSIGN(const ChunkRef list, put_list(level));
    if (last) pending_.emplace_back();
    pending_[level + std::size_t{1}].push_back(list);
  }
  return content;
}

void ContentWriter::discard() {
  while (!groups_.empty()) (void)collect();  // they borrow what is ours
  end_ = 0;
  size_ = 0;
  pending_.clear();
}

Result<void> ContentReader::descend(const ChunkRef& entry, std::uint8_t level, std::uint64_t skip) {
  ChunkRef next = entry;
  while (level > 0) {
    TRY_ASSIGN(const Bytes chunk, source_.read(next.digest));
    TRY_ASSIGN(auto entries, parse_list(chunk, level));
    if (!add_up_to(next.size, entries)) return wrong_sizes();
    std::size_t at = 0;
    while (at + 1 < entries.size() && skip >= entries[at].size) skip -= entries[at++].size;
    next = entries[at];
    // At the lowest level the entry itself stays the next to fetch.
    levels_.push_back({std::move(entries), level == 1 ? at : at + 1});
    --level;
  }
  skip_ = skip;
  return {};
}

Result<void> ContentReader::seek(std::uint64_t offset) {
  levels_.clear();
  ready_ = {};
  started_ = true;
  skip_ = 0;
  left_ = offset < content_.size ? content_.size - offset : 0;
  if (left_ == 0) return {};
  if (content_.level > k_most_levels) return wrong_sizes();
  const ChunkRef root{content_.digest, content_.size};
  if (content_.level == 0) levels_.push_back({{root}, 0});
  return descend(root, content_.level, offset);
}

// Leaves the lists that are done, and goes down to the lowest one that follows.
Result<void> ContentReader::climb() {
  while (!levels_.empty() && levels_.back().at >= levels_.back().entries.size()) {
    levels_.pop_back();
    if (levels_.empty() || levels_.back().at >= levels_.back().entries.size()) continue;
    const auto level = static_cast<std::uint8_t>(content_.level - levels_.size());
    const ChunkRef entry = levels_.back().entries[levels_.back().at++];
    TRY(descend(entry, level, 0));
  }
  return {};
}

// The next chunks of the lowest open list, at most `most` bytes of them. Valid until the next call.
Result<std::span<const ChunkRef>> ContentReader::take_chunks(std::uint64_t most) {
  TRY(climb());
  if (levels_.empty()) return wrong_sizes();
  Level& level = levels_.back();
  const std::size_t first = level.at;
  for (; level.at < level.entries.size() && level.entries[level.at].size <= most; ++level.at)
    most -= level.entries[level.at].size;
  return std::span(level.entries).subspan(first, level.at - first);
}

// Fetches about `read_ahead` bytes, at least one chunk.
Result<void> ContentReader::fill(std::uint64_t read_ahead) {
  TRY_ASSIGN(auto chunks, take_chunks(read_ahead));
  if (chunks.empty()) {
    Level& level = levels_.back();
    chunks = std::span(level.entries).subspan(level.at++, 1);
  }
  const std::uint64_t size = size_of(chunks);
  const bool is_one_too_large = chunks.size() == 1 && size > k_most_chunk;
  if (is_one_too_large || skip_ >= size || size - skip_ > left_) return wrong_sizes();
  buffer_.resize(size);
  TRY(source_.read_into(chunks, buffer_));
  ready_ = ByteView(buffer_).subspan(std::exchange(skip_, 0));
  return {};
}

ByteView ContentReader::take_ready(std::uint64_t most) {
  const ByteView taken = ready_.first(std::min<std::uint64_t>(most, ready_.size()));
  ready_ = ready_.subspan(taken.size());
  left_ -= taken.size();
  return taken;
}

Result<ByteView> ContentReader::next() {
  if (!started_) TRY(seek(0));
  if (left_ == 0) return ByteView();
  if (ready_.empty()) TRY(fill(read_ahead_));
  return take_ready(left_);
}

Result<void> ContentReader::read(std::span<std::byte> into) {
  if (!started_) TRY(seek(0));
  if (into.size() > left_) return wrong_sizes();
  while (!into.empty()) {
    std::size_t done = 0;
    if (ready_.empty() && skip_ == 0) {
      TRY_ASSIGN(const auto chunks, take_chunks(std::min<std::uint64_t>(into.size(), read_ahead_)));
      done = size_of(chunks);
      TRY(source_.read_into(chunks, into.first(done)));
      left_ -= done;
    }
    if (done == 0) {
      if (ready_.empty()) TRY(fill(0));  // of which only a part is wanted
      const ByteView part = take_ready(into.size());
      std::memcpy(into.data(), part.data(), part.size());
      done = part.size();
    }
    into = into.subspan(done);
  }
  return {};
}

Result<Bytes> read_content(ChunkSource& source, const ContentRef& content, std::uint64_t most) {
  if (content.size > most)
    return Error{Code::exhausted, concat("a content of ", content.size, " bytes is too large here")};
  Bytes all(content.size);
  TRY(ContentReader(source, content).read(all));
  return all;
}

}  // namespace studio::content
