#include "content/chunk_writer.hpp"

#include <algorithm>
#include <numeric>
#include <system_error>

#include "base/concat.hpp"
#include "content/chunker.hpp"
#include "content/compression.hpp"

namespace studio::content {

namespace {

// So that one pack is written while another is being synced.
constexpr std::size_t k_uploaders = 2;
constexpr std::size_t k_most_full = 1;
// An index object is added at the latest after this many chunks, about a gigabyte: little is lost when a long capture
// is cut off, and memory stays bounded.
constexpr std::size_t k_most_unindexed = 16384;
// Of tiny chunks the entries take more memory than the bytes.
constexpr std::size_t k_most_entries = 8192;

}  // namespace

ChunkWriter::ChunkWriter(ChunkStore& store, std::size_t lanes, bool split_numbers)
    : store_(store), split_numbers_(split_numbers), lanes_(lanes, PackBuilder(split_numbers)) {}

ChunkWriter::~ChunkWriter() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
    full_.clear();
  }
  changed_.notify_all();
}

Result<std::vector<std::size_t>> ChunkWriter::claim(std::span<const Digest> digests) {
  const std::lock_guard lock(mutex_);
  if (failure_) return *failure_;
  std::vector<std::size_t> unknown;
  for (std::size_t i = 0; i < digests.size(); ++i) {
    if (claimed_.contains(digests[i])) continue;
    const auto known = store_.contains(digests[i]);
    if (!known) {
      for (const std::size_t claimed : unknown) claimed_.erase(digests[claimed]);  // it will not be packed
      return known.error();
    }
    if (*known) continue;
    claimed_.insert(digests[i]);
    unknown.push_back(i);
  }
  return unknown;
}

Result<void> ChunkWriter::add_to(PackBuilder& pack, const Digest& digest, ChunkKind kind, ByteView raw) {
  const std::size_t before = pack.size();
  pack.add(digest, kind, raw);
  stored_bytes_ += pack.size() - before;
  if (kind == ChunkKind::data) new_bytes_ += raw.size();
  const bool is_full = pack.size() >= k_pack_target || pack.entries().size() >= k_most_entries;
  return is_full ? hand_over(pack) : Result<void>();
}

Result<void> ChunkWriter::put_each(std::size_t lane, std::span<const ByteView> chunks, std::span<Digest> digests) {
  for (const ByteView chunk : chunks)
    if (chunk.size() > k_most_chunk)
      return Error{Code::invalid, concat("a chunk of ", chunk.size(), " bytes is too large")};
  Sha256::of_each(chunks, digests);
  TRY_ASSIGN(const auto unknown, claim(digests));
  for (const std::size_t i : unknown) TRY(add_to(lanes_[lane], digests[i], ChunkKind::data, chunks[i]));
  return {};
}

Result<Digest> ChunkWriter::put(ChunkKind kind, ByteView raw) {
  Digest digest;
  if (kind == ChunkKind::data) {
    TRY(put_each(0, std::span(&raw, 1), std::span(&digest, 1)));
    return digest;
  }
  digest = Sha256::of(raw);
  TRY_ASSIGN(const auto unknown, claim(std::span(&digest, 1)));
  if (unknown.empty()) return digest;
  const std::lock_guard lock(metadata_mutex_);
  TRY(add_to(metadata_, digest, kind, raw));
  return digest;
}

Result<bool> ChunkWriter::knows(const Digest& digest) {
  const std::lock_guard lock(mutex_);
  if (claimed_.contains(digest)) return true;
  return store_.contains(digest);
}

Result<void> ChunkWriter::hand_over(PackBuilder& pack) {
  std::unique_lock lock(mutex_);
  try {
    while (uploaders_.size() < k_uploaders) uploaders_.emplace_back([this] { upload_packs(); });
  } catch (const std::system_error&) {  // the system gives no more threads
  }
  changed_.wait(lock, [&] { return full_.size() < k_most_full || failure_; });
  if (failure_) return *failure_;
  if (uploaders_.empty()) {
    put_pack(pack, lock);
    return failure_ ? Result<void>(*failure_) : Result<void>();
  }
  full_.push_back(std::move(pack));
  if (spare_.empty()) {
    pack = PackBuilder(split_numbers_);
  } else {
    pack = std::move(spare_.back());
    spare_.pop_back();
  }
  changed_.notify_all();
  return {};
}

void ChunkWriter::upload_packs() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [&] { return !full_.empty() || ending_; });
    if (full_.empty()) return;
    PackBuilder pack = std::move(full_.front());
    full_.pop_front();
    ++uploading_;
    changed_.notify_all();
    put_pack(pack, lock);
    --uploading_;
    spare_.push_back(std::move(pack));
    changed_.notify_all();
  }
}

void ChunkWriter::put_pack(PackBuilder& pack, std::unique_lock<std::mutex>& lock) {
  lock.unlock();
  auto chunks = store_.put_pack(pack);
  pack.clear();
  lock.lock();
  keep_written(std::move(chunks));
  if (written_.size() < k_most_unindexed || indexing_) return;
  if (auto indexed = index_written(lock); !indexed) failure_ = indexed.error();
}

void ChunkWriter::keep_written(Result<std::vector<IndexedChunk>> chunks) {
  if (!chunks) {
    failure_ = chunks.error();
    return;
  }
  for (const auto& [digest, location] : *chunks) written_[digest] = location;
}

Result<void> ChunkWriter::index_written(std::unique_lock<std::mutex>& lock) {
  std::vector<IndexedChunk> chunks;
  chunks.reserve(written_.size());
  for (const auto& [digest, location] : written_) chunks.push_back({digest, location});
  indexing_ = true;
  lock.unlock();
  auto added = store_.add(chunks);
  lock.lock();
  indexing_ = false;
  if (!added) return added;
  // Only now: in between they are found here.
  for (const auto& [digest, location] : chunks) {
    written_.erase(digest);
    claimed_.erase(digest);
  }
  return {};
}

Result<void> ChunkWriter::flush() {
  std::vector<PackBuilder*> packs;
  for (PackBuilder& lane : lanes_) packs.push_back(&lane);
  packs.push_back(&metadata_);
  std::erase_if(packs, [](const PackBuilder* pack) { return pack->empty(); });
  const std::size_t size = std::accumulate(packs.begin(), packs.end(), std::size_t{0},
                                           [](std::size_t sum, const PackBuilder* pack) { return sum + pack->size(); });
  std::unique_lock lock(mutex_);
  if (failure_) return *failure_;
  if (size <= k_pack_target) {
    // A small capture is one pack: each object costs an fsync here and a request in a bucket.
    for (std::size_t i = 1; i < packs.size(); ++i) {
      packs[0]->append(*packs[i]);
      packs[i]->clear();
    }
    packs.resize(std::min<std::size_t>(packs.size(), 1));
  }
  if (packs.size() == 1 && uploaders_.empty()) {
    // Kept until it is stored: a flush that failed can be tried again.
    TRY_ASSIGN(auto chunks, store_.put_pack(*packs[0]));
    packs[0]->clear();
    keep_written(std::move(chunks));
  } else {
    lock.unlock();
    for (PackBuilder* pack : packs) TRY(hand_over(*pack));
    lock.lock();
  }
  changed_.wait(lock, [&] { return (full_.empty() && uploading_ == 0) || failure_; });
  if (failure_) return *failure_;
  return index_written(lock);
}

Result<Bytes> ChunkWriter::read(const Digest& digest) {
  const auto find_in = [&](const PackBuilder& pack) -> std::optional<Result<Bytes>> {
    const PackEntry* const entry = pack.find(digest);
    if (entry == nullptr) return std::nullopt;
    return decode(entry->codec, pack.stored(*entry), entry->raw_length);
  };
  {
    const std::lock_guard lock(metadata_mutex_);
    if (auto chunk = find_in(metadata_)) return *std::move(chunk);
  }
  std::unique_lock lock(mutex_);
  // One whose pack is on its way will soon be there.
  changed_.wait(lock, [&] {
    const bool may_be_on_its_way = claimed_.contains(digest) && !written_.contains(digest);
    return !may_be_on_its_way || (full_.empty() && uploading_ == 0) || failure_;
  });
  if (failure_) return *failure_;
  if (const auto found = written_.find(digest); found != written_.end()) {
    const Location location = found->second;
    lock.unlock();
    return store_.read_at(digest, location);
  }
  const bool is_here = claimed_.contains(digest);
  lock.unlock();
  if (is_here)
    for (const PackBuilder& lane : lanes_)
      if (auto chunk = find_in(lane)) return *std::move(chunk);
  return store_.read(digest);
}

}  // namespace studio::content
