#include "content/index_table.hpp"

#include <algorithm>
#include <unordered_map>

#include "base/codec.hpp"
#include "base/concat.hpp"
#include "content/checksum.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_magic = "STUDINDX";
constexpr std::uint32_t k_version = 1;
constexpr std::size_t k_head_size = 40;  // the fields, then their checksum
constexpr std::size_t k_entry_size = 48;
constexpr std::size_t k_per_page = 85;
constexpr std::size_t k_page_data = k_per_page * k_entry_size;
constexpr std::size_t k_page_size = 4096;  // the entries, their checksum, 8 zero bytes
// The last field of an entry: length, codec, and whether it is suspect.
constexpr std::uint32_t k_raw_length_bits = 24;
constexpr std::uint32_t k_suspect = 1u << 31;

std::uint64_t pages_for(std::uint64_t chunks) { return (chunks + k_per_page - 1) / k_per_page; }

Error damaged(std::string_view what) { return Error{Code::corrupt, concat("an index object is damaged: ", what)}; }

// The first 8 bytes of a digest as a number that sorts as the digest does.
std::uint64_t rank_of(ByteView digest) {
  std::uint64_t rank = 0;
  for (std::size_t i = 0; i < 8; ++i) rank = (rank << 8) | std::to_integer<std::uint64_t>(digest[i]);
  return rank;
}

std::uint64_t suspects_among(const std::vector<IndexedChunk>& chunks) {
  std::uint64_t sum = 0;
  for (const auto& [digest, location] : chunks)
    if (location.suspect) sum += ByteReader(digest.view()).u64() + ByteReader(location.pack.view()).u64();
  return sum;
}

int compare(ByteView a, ByteView b) { return std::memcmp(a.data(), b.data(), Digest::k_size); }

}  // namespace

bool comes_before(const IndexedChunk& a, const IndexedChunk& b) {
  return a.digest != b.digest ? a.digest < b.digest : a.location.suspect < b.location.suspect;
}

std::string index_key(const Digest& table) { return concat(k_index_prefix, table.hex()); }

Result<IndexTable> IndexTable::open(Bytes bytes) {
  if (bytes.size() < k_head_size) return damaged("it is too short");
  IndexTable table;
  ByteReader reader(bytes);
  if (as_text(reader.raw(8)) != k_magic) return damaged("it does not begin as one");
  const std::uint32_t version = reader.u32();
  const std::uint32_t pack_count = reader.u32();
  table.chunk_count_ = reader.u64();
  table.suspects_ = reader.u64();
  if (reader.u64() != checksum(ByteView(bytes).first(k_head_size - 8)) || reader.failed()) return damaged("its head");
  if (version != k_version)
    return Error{Code::unsupported, concat("an index object has format ", version, "; this version reads ", k_version)};

  if (table.chunk_count_ > bytes.size()) return damaged("its length");
  table.page_count_ = pages_for(table.chunk_count_);
  const std::uint64_t packs_size = std::uint64_t{pack_count} * Digest::k_size;
  table.pages_at_ = k_head_size + packs_size + 8;
  if (table.pages_at_ + table.page_count_ * k_page_size != bytes.size()) return damaged("its length");
  const ByteView packs = reader.raw(packs_size);
  if (reader.u64() != checksum(packs)) return damaged("its list of packs");
  ByteReader pack_reader(packs);
  table.packs_.resize(pack_count);
  for (Digest& pack : table.packs_) pack = pack_reader.digest();
  table.bytes_ = std::move(bytes);
  return table;
}

Result<ByteView> IndexTable::page(std::uint64_t number) const {
  const ByteView page = ByteView(bytes_).subspan(pages_at_ + number * k_page_size, k_page_size);
  const ByteView data = page.first(k_page_data);
  if (ByteReader(page.subspan(k_page_data)).u64() != checksum(data)) return damaged(concat("page ", number));
  const std::uint64_t used = std::min<std::uint64_t>(k_per_page, chunk_count_ - number * k_per_page);
  return data.first(used * k_entry_size);
}

Result<Location> IndexTable::location_at(ByteView entry) const {
  ByteReader reader(entry.subspan(Digest::k_size));
  const std::uint32_t pack = reader.u32();
  if (pack >= packs_.size()) return damaged("it names a pack that it does not list");
  Location location{.pack = packs_[pack], .offset = reader.u32(), .stored_length = reader.u32()};
  const std::uint32_t packed = reader.u32();
  location.raw_length = packed & ((1u << k_raw_length_bits) - 1);
  location.codec = static_cast<Codec>((packed & ~k_suspect) >> k_raw_length_bits);
  location.suspect = (packed & k_suspect) != 0;
  return location;
}

Result<std::optional<Location>> IndexTable::find(const Digest& digest) const {
  // Digests are uniform, so where one must lie can be guessed to within a page or two; each probe narrows [low, high).
  // Should the guesses be bad, halving takes over.
  constexpr int k_most_guesses = 8;
  int probes = 0;
  const std::uint64_t rank = rank_of(digest.view());
  std::uint64_t low = 0;
  std::uint64_t high = page_count_;
  std::uint64_t low_rank = 0;
  std::uint64_t high_rank = ~std::uint64_t{0};
  while (low < high) {
    double share = 0.5;
    if (probes++ < k_most_guesses && high_rank > low_rank)
      share = static_cast<double>(rank - low_rank) / static_cast<double>(high_rank - low_rank);
    const auto guess = low + static_cast<std::uint64_t>(share * static_cast<double>(high - low));
    const std::uint64_t number = std::min(guess, high - 1);
    TRY_ASSIGN(const ByteView entries, page(number));
    const ByteView first = entries.first(Digest::k_size);
    const ByteView last = entries.last(k_entry_size).first(Digest::k_size);
    if (compare(digest.view(), first) < 0) {
      high = number;
      high_rank = rank_of(first);
    } else if (compare(digest.view(), last) > 0) {
      low = number + 1;
      low_rank = rank_of(last);
    } else {
      std::size_t begin = 0;
      std::size_t end = entries.size() / k_entry_size;
      while (begin < end) {
        const std::size_t middle = (begin + end) / 2;
        const ByteView entry = entries.subspan(middle * k_entry_size, k_entry_size);
        const int order = compare(digest.view(), entry);
        if (order == 0) {
          TRY_ASSIGN(const Location location, location_at(entry));
          return std::optional<Location>(location);
        }
        (order < 0 ? end : begin) = order < 0 ? middle : middle + 1;
      }
      return std::optional<Location>();
    }
  }
  return std::optional<Location>();
}

Result<void> IndexTable::append_page(std::uint64_t number, std::vector<IndexedChunk>& chunks) const {
  TRY_ASSIGN(const ByteView entries, page(number));
  for (std::size_t at = 0; at < entries.size(); at += k_entry_size) {
    const ByteView entry = entries.subspan(at, k_entry_size);
    TRY_ASSIGN(const Location location, location_at(entry));
    chunks.push_back({ByteReader(entry).digest(), location});
  }
  return {};
}

Result<std::vector<IndexedChunk>> IndexTable::chunks() const {
  std::vector<IndexedChunk> chunks;
  chunks.reserve(chunk_count_);
  for (std::uint64_t number = 0; number < page_count_; ++number) TRY(append_page(number, chunks));
  return chunks;
}

std::vector<IndexedChunk> IndexTable::readable_chunks() const {
  std::vector<IndexedChunk> chunks;
  for (std::uint64_t number = 0; number < page_count_; ++number) (void)append_page(number, chunks);
  return chunks;
}

Bytes build_index(std::vector<IndexedChunk> chunks) {
  std::stable_sort(chunks.begin(), chunks.end(), comes_before);
  chunks.erase(std::unique(chunks.begin(), chunks.end(),
                           [](const IndexedChunk& a, const IndexedChunk& b) { return a.digest == b.digest; }),
               chunks.end());
  std::unordered_map<Digest, std::uint32_t, DigestHash> pack_numbers;
  ByteWriter packs;
  for (const IndexedChunk& chunk : chunks)
    if (pack_numbers.emplace(chunk.location.pack, static_cast<std::uint32_t>(pack_numbers.size())).second)
      packs.digest(chunk.location.pack);

  ByteWriter out;
  out.raw(k_magic);
  out.u32(k_version);
  out.u32(static_cast<std::uint32_t>(pack_numbers.size()));
  out.u64(chunks.size());
  out.u64(suspects_among(chunks));
  out.u64(checksum(out.view()));
  out.raw(packs.view());
  out.u64(checksum(packs.view()));
  for (std::size_t at = 0; at < chunks.size(); at += k_per_page) {
    const std::size_t start = out.size();
    for (std::size_t i = at; i < std::min(at + k_per_page, chunks.size()); ++i) {
      const Location& location = chunks[i].location;
      out.digest(chunks[i].digest);
      out.u32(pack_numbers[location.pack]);
      out.u32(location.offset);
      out.u32(location.stored_length);
      out.u32(location.raw_length | (static_cast<std::uint32_t>(location.codec) << k_raw_length_bits) |
              (location.suspect ? k_suspect : 0));
    }
    while (out.size() < start + k_page_data) out.u8(0);
    out.u64(checksum(out.view().subspan(start)));
    out.u64(0);
  }
  return out.take();
}

}  // namespace studio::content
