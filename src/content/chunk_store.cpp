#include "content/chunk_store.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <utility>

#include "base/concat.hpp"

namespace studio::content {

namespace {

// A pack that the index names but that is gone is damage, not an absence that a caller may expect.
template <class T>
Result<T> of_pack(Result<T> got) {
  if (!got && (is_damage(got.error()) || got.error().code == Code::not_found || got.error().code == Code::invalid)) {
    got.error().code = Code::corrupt;
    got.error().hint = "run 'studio store verify' to see which files are affected";
  }
  return got;
}

// As many neighbouring stored bytes are fetched in one read.
constexpr std::uint64_t k_read_ahead = 4 << 20;

Result<Bytes> check_chunk(const Digest& digest, const Location& location, ByteView stored) {
  auto raw = decode(location.codec, stored, location.raw_length);
  if (raw && Sha256::of(*raw) == digest) return raw;
  if (!raw && raw.error().code == Code::unsupported) return raw.error();
  return Error{Code::corrupt,
               concat("chunk ", digest.hex(), " in ", pack_key(location.pack), " does not match its digest"),
               "run 'studio store verify' to see which files are affected"};
}

Result<Bytes> read_verified(blob::Store& store, const Digest& digest, const Location& location) {
  TRY_ASSIGN(const Bytes stored,
             of_pack(store.get(pack_key(location.pack), {location.offset, location.stored_length})));
  return check_chunk(digest, location, stored);
}

// A chunk that is wanted, where it lies, and where it is to go.
struct Piece {
  Location location;
  const ChunkRef* chunk;
  std::span<std::byte> into;
};

bool lies_before(const Piece& a, const Piece& b) {
  return a.location.pack != b.location.pack ? a.location.pack < b.location.pack : a.location.offset < b.location.offset;
}

// How many of the first ones lie one behind the other.
std::size_t length_of_run(std::span<const Piece> pieces) {
  std::uint64_t length = pieces.front().location.stored_length;
  std::size_t count = 1;
  for (; count < pieces.size(); ++count) {
    const Location& last = pieces[count - 1].location;
    const Location& next = pieces[count].location;
    const bool adjacent = next.pack == last.pack && next.offset == std::uint64_t{last.offset} + last.stored_length;
    if (!adjacent || length + next.stored_length > k_read_ahead) break;
    length += next.stored_length;
  }
  return count;
}

// Whether the stored bytes of all are what is wanted, in one piece.
bool is_raw(std::span<const Piece> run) {
  for (std::size_t i = 0; i < run.size(); ++i) {
    const bool raw = run[i].location.codec == Codec::raw && run[i].location.stored_length == run[i].into.size();
    const bool follows = i == 0 || run[i - 1].into.data() + run[i - 1].into.size() == run[i].into.data();
    if (!raw || !follows) return false;
  }
  return true;
}

// Brings a run of neighbours where they are to go; not verified.
Result<void> fetch(blob::Store& store, std::span<const Piece> run) {
  const Location& first = run.front().location;
  const Location& last = run.back().location;
  const std::size_t length = last.offset - first.offset + std::size_t{last.stored_length};
  const auto get = [&](std::span<std::byte> buffer) -> Result<void> {
    TRY_ASSIGN(const std::size_t got, of_pack(store.get_into(pack_key(first.pack), first.offset, buffer)));
    if (got != buffer.size()) return Error{Code::corrupt, concat(pack_key(first.pack), " is cut off")};
    return {};
  };
  if (is_raw(run)) return get({run.front().into.data(), length});
  thread_local Bytes stored;
  if (stored.size() < length) stored.resize(length);
  TRY(get(std::span(stored).first(length)));
  for (const auto& [location, chunk, into] : run)
    TRY(decode_into(location.codec, ByteView(stored).subspan(location.offset - first.offset, location.stored_length),
                    into));
  return {};
}

Result<void> copy_chunk(ByteView chunk, std::span<std::byte> into) {
  if (chunk.size() != into.size()) return Error{Code::corrupt, "a chunk is not as long as what refers to it says"};
  if (!chunk.empty()) std::memcpy(into.data(), chunk.data(), chunk.size());
  return {};
}

}  // namespace

Result<void> ChunkSource::read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into) {
  for (const ChunkRef& chunk : chunks) {
    TRY_ASSIGN(const Bytes bytes, read(chunk.digest));
    TRY(copy_chunk(bytes, into.first(chunk.size)));
    into = into.subspan(chunk.size);
  }
  return {};
}

Result<bool> ChunkStore::contains(const Digest& digest) {
  TRY_ASSIGN(const auto found, index_.find(digest));
  return found && !found->suspect;
}

Result<Location> ChunkStore::locate(const Digest& digest) {
  TRY_ASSIGN(const auto found, index_.find_anew(digest));
  if (found && found->stored_length > k_most_stored)
    return Error{Code::corrupt, concat("the index says that chunk ", digest.hex(), " takes more than a chunk can"),
                 "run 'studio store verify', which builds the index anew"};
  if (found) return *found;
  return Error{Code::corrupt, concat("chunk ", digest.hex(), " is missing from the store"),
               "run 'studio store verify' to see which files are affected"};
}

Result<Bytes> ChunkStore::read(const Digest& digest) {
  TRY_ASSIGN(const Location location, locate(digest));
  const auto chunk = read_verified(store_, digest, location);
  if (chunk || chunk.error().code != Code::corrupt) return chunk;
  for (const Location& other : index_.all_locations(digest)) {
    if (other.pack == location.pack && other.offset == location.offset) continue;
    auto copy = read_verified(store_, digest, other);
    if (copy || copy.error().code != Code::corrupt) return copy;
  }
  return chunk;
}

// By itself: damage beside it is no reason to give up, and there may be another copy.
Result<void> ChunkStore::read_again(const ChunkRef& chunk, std::span<std::byte> into) {
  TRY_ASSIGN(const Bytes bytes, read(chunk.digest));
  return copy_chunk(bytes, into);
}

Result<void> ChunkStore::read_into(std::span<const ChunkRef> chunks, std::span<std::byte> into) {
  std::vector<Piece> pieces;
  pieces.reserve(chunks.size());
  std::size_t at = 0;
  for (const ChunkRef& chunk : chunks) {
    TRY_ASSIGN(const Location location, locate(chunk.digest));
    pieces.push_back({location, &chunk, into.subspan(at, chunk.size)});
    at += chunk.size;
  }
  std::sort(pieces.begin(), pieces.end(), lies_before);
  for (std::size_t first = 0; first < pieces.size();) {
    const auto run = std::span(pieces).subspan(first, length_of_run(std::span(pieces).subspan(first)));
    const auto fetched = fetch(store_, run);
    if (!fetched && fetched.error().code != Code::corrupt) return fetched.error();
    if (!fetched)
      for (const Piece& piece : run) TRY(read_again(*piece.chunk, piece.into));
    first += run.size();
  }
  std::vector<ByteView> raw;
  raw.reserve(pieces.size());
  for (const Piece& piece : pieces) raw.emplace_back(piece.into);
  std::vector<Digest> digests(pieces.size());
  Sha256::of_each(raw, digests);
  for (std::size_t i = 0; i < pieces.size(); ++i)
    if (digests[i] != pieces[i].chunk->digest) TRY(read_again(*pieces[i].chunk, pieces[i].into));
  return {};
}

Result<std::vector<IndexedChunk>> ChunkStore::put_pack(const PackBuilder& pack) {
  const PackBuilder::Finished finished = pack.finish();
  const std::array<ByteView, 2> parts{pack.body(), finished.footer};
  TRY(put_named(store_, pack_key(finished.name), parts));
  std::vector<IndexedChunk> chunks;
  chunks.reserve(pack.entries().size());
  for (const PackEntry& entry : pack.entries())
    chunks.push_back({entry.digest, {finished.name, entry.offset, entry.stored_length, entry.raw_length, entry.codec}});
  return chunks;
}

Result<Bytes> ChunkStore::read_at(const Digest& digest, const Location& location) {
  return studio::content::read_verified(store_, digest, location);
}

}  // namespace studio::content
