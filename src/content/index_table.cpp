#include "content/index_table.hpp"

#include <algorithm>
#include <cstring>

#include "base/codec.hpp"
#include "base/concat.hpp"

namespace studio::content {

using namespace index_layout;

namespace {

Error damaged(std::string_view what) { return Error{Code::corrupt, concat("an index object is damaged: ", what)}; }

Error names_unlisted_pack() { return damaged("it names a pack that it does not list"); }

int compare(ByteView a, ByteView b) { return std::memcmp(a.data(), b.data(), Digest::k_size); }

std::uint32_t pack_number_of(ByteView entry) { return ByteReader(entry.subspan(Digest::k_size)).u32(); }

Location location_of(ByteView entry, const Digest& pack) {
  ByteReader reader(entry.subspan(Digest::k_size + 4));
  Location location{.pack = pack, .offset = reader.u32(), .stored_length = reader.u32()};
  const std::uint32_t packed = reader.u32();
  location.raw_length = packed & ((1u << k_raw_length_bits) - 1);
  location.codec = static_cast<Codec>((packed & ~k_suspect) >> k_raw_length_bits);
  location.suspect = (packed & k_suspect) != 0;
  return location;
}

// The entry with that digest, empty if there is none.
ByteView entry_of(ByteView entries, const Digest& digest) {
  std::size_t begin = 0;
  std::size_t end = entries.size() / k_entry_size;
  while (begin < end) {
    const std::size_t middle = (begin + end) / 2;
    const ByteView entry = entries.subspan(middle * k_entry_size, k_entry_size);
    const int order = compare(digest.view(), entry);
    if (order == 0) return entry;
    (order < 0 ? end : begin) = order < 0 ? middle : middle + 1;
  }
  return {};
}

}  // namespace

std::string index_key(const Digest& table) { return concat(k_index_prefix, table.hex()); }

Result<IndexTable> IndexTable::open(blob::ObjectView object) {
  IndexTable table(std::move(object));
  const ByteView bytes = table.bytes();
  if (bytes.size() < k_block_size) return damaged("it is too short");
  const ByteView trailer = bytes.last(k_block_size);
  ByteReader reader(trailer);
  if (as_text(reader.raw(k_magic.size())) != k_magic) return damaged("it does not end as one");
  const std::uint32_t version = reader.u32();
  table.pack_count_ = reader.u32();
  table.chunk_count_ = reader.u64();
  table.suspects_ = reader.u64();
  if (!is_sealed(trailer.data())) return damaged("its trailer");
  if (version != k_version)
    return Error{Code::unsupported, concat("an index object has format ", version, "; this version reads ", k_version)};

  if (table.chunk_count_ > bytes.size()) return damaged("its length");
  table.entry_pages_ = count_of(table.chunk_count_, k_entries_per_page);
  table.pack_pages_ = count_of(table.pack_count_, k_packs_per_page);
  table.filter_blocks_ = count_of(table.chunk_count_, k_chunks_per_block);
  const std::uint64_t pages = table.entry_pages_ + table.pack_pages_;
  if (pages * k_page_size + (table.filter_blocks_ + 1) * k_block_size != bytes.size()) return damaged("its length");
  return table;
}

Result<ByteView> IndexTable::page(std::uint64_t number) const {
  const ByteView page = bytes().subspan(number * k_page_size, k_page_size);
  const ByteView data = page.first(k_page_data);
  if (load_u64(page.data() + k_page_data) != checksum(data)) return damaged(concat("page ", number));
  return data;
}

Result<ByteView> IndexTable::entries_of(std::uint64_t page_number) const {
  TRY_ASSIGN(const ByteView data, page(page_number));
  const std::uint64_t before = page_number * k_entries_per_page;
  return data.first(std::min<std::uint64_t>(k_entries_per_page, chunk_count_ - before) * k_entry_size);
}

Result<Digest> IndexTable::pack(std::uint32_t number) const {
  if (number >= pack_count_) return names_unlisted_pack();
  TRY_ASSIGN(const ByteView packs, page(entry_pages_ + number / k_packs_per_page));
  return ByteReader(packs.subspan(number % k_packs_per_page * Digest::k_size)).digest();
}

const std::byte* IndexTable::filter_block(std::uint64_t number) const {
  return bytes().data() + (entry_pages_ + pack_pages_) * k_page_size + number * k_block_size;
}

void IndexTable::prefetch(const FilterKey& chunk) const {
  __builtin_prefetch(filter_block(chunk.block_of(filter_blocks_)));  // the trailer, if there is no block
}

bool IndexTable::may_hold(const FilterKey& chunk) const {
  if (filter_blocks_ == 0) return false;
  const std::byte* const block = filter_block(chunk.block_of(filter_blocks_));
  // One that is damaged excludes nothing: find() tells of it.
  return chunk.is_in(block) || !is_sealed(block);
}

Result<std::optional<Location>> IndexTable::find(const Digest& digest, const FilterKey& key) const {
  if (!may_hold(key)) return std::optional<Location>();
  if (!is_sealed(filter_block(key.block_of(filter_blocks_)))) return damaged("its filter");
  // Digests are uniform, so where one must lie can be guessed to within a page or two; each probe narrows [low, high).
  // Should the guesses be bad, or the entries out of order, halving takes over.
  constexpr int k_most_guesses = 8;
  int probes = 0;
  const std::uint64_t rank = rank_of(digest.view());
  std::uint64_t low = 0;
  std::uint64_t high = entry_pages_;
  std::uint64_t low_rank = 0;
  std::uint64_t high_rank = ~std::uint64_t{0};
  while (low < high) {
    double share = 0.5;
    if (probes++ < k_most_guesses && low_rank < high_rank && low_rank <= rank && rank <= high_rank)
      share = static_cast<double>(rank - low_rank) / static_cast<double>(high_rank - low_rank);
    const auto guess = low + static_cast<std::uint64_t>(share * static_cast<double>(high - low));
    const std::uint64_t number = std::min(guess, high - 1);
    TRY_ASSIGN(const ByteView entries, entries_of(number));
    const ByteView first = entries.first(Digest::k_size);
    const ByteView last = entries.last(k_entry_size).first(Digest::k_size);
    if (compare(digest.view(), first) < 0) {
      high = number;
      high_rank = rank_of(first);
    } else if (compare(digest.view(), last) > 0) {
      low = number + 1;
      low_rank = rank_of(last);
    } else {
      const ByteView entry = entry_of(entries, digest);
      if (entry.empty()) break;
      TRY_ASSIGN(const Digest in_pack, pack(pack_number_of(entry)));
      return std::optional<Location>(location_of(entry, in_pack));
    }
  }
  return std::optional<Location>();
}

Result<void> IndexTable::check() const {
  for (std::uint64_t number = 0; number < entry_pages_ + pack_pages_; ++number) TRY(page(number));
  for (std::uint64_t number = 0; number < filter_blocks_; ++number)
    if (!is_sealed(filter_block(number))) return damaged("its filter");
  return {};
}

Result<void> IndexTable::for_each_readable(const ChunkVisitor& visit) const {
  IndexCursor cursor(*this);
  while (true) {
    const auto more = cursor.next();
    if (!more) continue;
    if (!*more) return {};
    TRY(visit(cursor.chunk()));
  }
}

Result<Digest> IndexCursor::pack(std::uint32_t number) {
  if (number >= table_->pack_count_) return names_unlisted_pack();
  const std::size_t page_number = number / k_packs_per_page;
  if (!checked_packs_[page_number]) {
    TRY(table_->page(table_->entry_pages_ + page_number));
    checked_packs_[page_number] = true;
  }
  const std::uint64_t page_at = (table_->entry_pages_ + page_number) * k_page_size;
  return ByteReader(table_->bytes().subspan(page_at + number % k_packs_per_page * Digest::k_size)).digest();
}

Result<bool> IndexCursor::next() {
  if (entries_.empty()) {
    if (next_page_ == table_->entry_pages_) return false;
    TRY_ASSIGN(entries_, table_->entries_of(next_page_++));
  }
  const ByteView entry = entries_.first(k_entry_size);
  entries_ = entries_.subspan(k_entry_size);
  TRY_ASSIGN(const Digest in_pack, pack(pack_number_of(entry)));
  std::memcpy(chunk_.digest.bytes.data(), entry.data(), Digest::k_size);
  chunk_.location = location_of(entry, in_pack);
  return true;
}

Result<void> for_each_chunk(std::span<const IndexTable* const> tables, const ChunkVisitor& visit) {
  std::vector<IndexCursor> cursors;
  cursors.reserve(tables.size());
  std::vector<IndexCursor*> heap;  // the one with the lowest digest in front, of several the first
  const auto comes_after = [](const IndexCursor* a, const IndexCursor* b) {
    const auto order = a->chunk().digest <=> b->chunk().digest;
    return order != 0 ? order > 0 : a > b;
  };
  const auto advance = [&](IndexCursor& cursor) -> Result<void> {
    TRY_ASSIGN(const bool more, cursor.next());
    if (!more) return {};
    heap.push_back(&cursor);
    std::push_heap(heap.begin(), heap.end(), comes_after);
    return {};
  };
  for (const IndexTable* table : tables) TRY(advance(cursors.emplace_back(*table)));
  std::optional<IndexedChunk> chosen;
  while (!heap.empty()) {
    std::pop_heap(heap.begin(), heap.end(), comes_after);
    IndexCursor& cursor = *heap.back();
    heap.pop_back();
    const bool is_same = chosen && chosen->digest == cursor.chunk().digest;
    if (chosen && !is_same) TRY(visit(*chosen));
    if (!is_same || (chosen->location.suspect && !cursor.chunk().location.suspect)) chosen = cursor.chunk();
    TRY(advance(cursor));
  }
  return chosen ? visit(*chosen) : Result<void>();
}

}  // namespace studio::content
