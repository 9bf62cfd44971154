// Packs: many chunks in one immutable object (doc/format.md, "Packs").
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/bytes.hpp"
#include "base/digest.hpp"
#include "base/result.hpp"
#include "content/chunker.hpp"
#include "content/compression.hpp"

namespace studio::content {

enum class ChunkKind : std::uint8_t {
  data = 0,      // bytes of files
  metadata = 1,  // lists of chunks and directory streams
};

// One line of a pack's footer.
struct PackEntry {
  Digest digest;  // of the raw bytes
  std::uint32_t offset = 0;
  std::uint32_t stored_length = 0;
  std::uint32_t raw_length = 0;
  Codec codec = Codec::raw;
  ChunkKind kind = ChunkKind::data;
};

inline constexpr std::uint32_t k_pack_header_size = 16;

// "packs/ab/abcd…"
std::string pack_key(const Digest& pack);
inline constexpr std::string_view k_pack_prefix = "packs/";
// The digest in the name of a pack object; `corrupt` if it has none.
Result<Digest> pack_of_key(std::string_view key);

// A pack is complete when it has this size: small enough that those in the making and on their way fit the memory goal,
// large enough for a disk or a bucket to stream.
inline constexpr std::size_t k_pack_target = 12 << 20;

// A reader takes memory for what it reads, and so gives up on more.
inline constexpr std::uint32_t k_most_stored = k_most_chunk + k_most_chunk / 256;  // bytes of one chunk
inline constexpr std::uint64_t k_most_pack = 64 << 20;

// A pack in the making, in memory. Not thread-safe.
class PackBuilder {
 public:
  // Numbers are split into planes (compression.hpp) if `split_numbers`.
  explicit PackBuilder(bool split_numbers = true);

  void add(const Digest& digest, ChunkKind kind, ByteView raw);
  void append(const PackBuilder& other);  // all chunks of another

  std::size_t size() const { return body_.size(); }
  bool empty() const { return entries_.empty(); }
  const std::vector<PackEntry>& entries() const { return entries_; }
  const PackEntry* find(const Digest& digest) const;  // null if it is not here
  ByteView stored(const PackEntry& entry) const { return ByteView(body_).subspan(entry.offset, entry.stored_length); }

  struct Finished {
    Digest name;
    Bytes footer;  // to follow the body
  };
  Finished finish() const;
  ByteView body() const { return body_; }
  void clear();

 private:
  void make_room(std::size_t size);
  void keep(PackEntry entry);

  bool split_numbers_;
  Bytes body_;
  std::vector<PackEntry> entries_;
  std::unordered_map<Digest, std::size_t, DigestHash> positions_;
};

inline constexpr std::size_t k_pack_trailer_size = 56;

// How many of the last bytes of a pack of `pack_size` bytes are its footer and trailer; `tail` holds at least the
// trailer.
Result<std::uint64_t> pack_tail_size(const Digest& name, ByteView tail, std::uint64_t pack_size);
// The footer in `tail`, the last bytes of a pack, checked against the pack's name and size: entries lie within the
// pack, one behind the other.
Result<std::vector<PackEntry>> parse_pack_tail(const Digest& name, ByteView tail, std::uint64_t pack_size);
// The footer of a whole pack; its header is checked too.
Result<std::vector<PackEntry>> parse_pack(const Digest& name, ByteView pack);
// Of each entry of a whole pack: whether its chunk matches its digest.
std::vector<bool> check_chunks(ByteView pack, std::span<const PackEntry> entries);

}  // namespace studio::content
