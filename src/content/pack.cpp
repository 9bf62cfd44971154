#include "content/pack.hpp"

#include "base/codec.hpp"
#include "base/concat.hpp"
#include "content/byte_copy.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_head_magic = "STUDPACK";
constexpr std::string_view k_tail_magic = "KCAPDUTS";
constexpr std::uint32_t k_version = 1;
constexpr std::size_t k_entry_size = 48;

Error damaged(const Digest& name, std::string_view what) {
  return Error{Code::corrupt, concat("pack ", name.hex(), " is damaged: ", what)};
}

}  // namespace

std::string pack_key(const Digest& pack) {
  const std::string name = pack.hex();
  return concat(k_pack_prefix, name.substr(0, 2), "/", name);
}

Result<Digest> pack_of_key(std::string_view key) {
  const auto name = Digest::from_hex(key.substr(key.find_last_of('/') + 1));
  if (!name || pack_key(*name) != key) return Error{Code::corrupt, concat("'", key, "' is not the name of a pack")};
  return *name;
}

PackBuilder::PackBuilder(bool split_numbers) : split_numbers_(split_numbers) { clear(); }

void PackBuilder::clear() {
  entries_.clear();
  positions_.clear();
  ByteWriter header;
  header.raw(k_head_magic);
  header.u32(k_version);
  header.u32(0);
  body_.assign(header.view().begin(), header.view().end());
}

void PackBuilder::add(const Digest& digest, ChunkKind kind, ByteView raw) {
  PackEntry entry{.digest = digest,
                  .offset = static_cast<std::uint32_t>(body_.size()),
                  .raw_length = static_cast<std::uint32_t>(raw.size()),
                  .kind = kind};
  make_room(bound_of_encoded(raw.size()));
  entry.codec = append_encoded(raw, split_numbers_ && kind == ChunkKind::data, body_);
  entry.stored_length = static_cast<std::uint32_t>(body_.size()) - entry.offset;
  keep(entry);
}

void PackBuilder::append(const PackBuilder& other) {
  for (PackEntry entry : other.entries_) {
    const ByteView bytes = other.stored(entry);
    make_room(bytes.size());
    entry.offset = static_cast<std::uint32_t>(body_.size());
    content::append(body_, bytes);
    keep(entry);
  }
}

// Doubling again and again would copy what is there, and end with nearly twice the memory of a pack.
void PackBuilder::make_room(std::size_t size) {
  constexpr std::size_t k_little = 1 << 20;  // of which most captures have no more
  constexpr std::size_t k_whole = k_pack_target + (512 << 10);
  if (body_.size() + size > k_little && body_.capacity() < k_whole) body_.reserve(k_whole);
}

void PackBuilder::keep(PackEntry entry) {
  positions_.emplace(entry.digest, entries_.size());
  entries_.push_back(entry);
}

const PackEntry* PackBuilder::find(const Digest& digest) const {
  const auto found = positions_.find(digest);
  return found == positions_.end() ? nullptr : &entries_[found->second];
}

PackBuilder::Finished PackBuilder::finish() const {
  ByteWriter footer;
  for (const PackEntry& entry : entries_) {
    footer.digest(entry.digest);
    footer.u32(entry.offset);
    footer.u32(entry.stored_length);
    footer.u32(entry.raw_length);
    footer.u8(static_cast<std::uint8_t>(entry.codec));
    footer.u8(static_cast<std::uint8_t>(entry.kind));
    footer.u16(0);
  }
  const Digest name = Sha256::of(footer.view());
  footer.u64(body_.size());
  footer.u32(static_cast<std::uint32_t>(entries_.size()));
  footer.u32(0);
  footer.digest(name);
  footer.raw(k_tail_magic);
  return {name, footer.take()};
}

Result<std::uint64_t> pack_tail_size(const Digest& name, ByteView tail, std::uint64_t pack_size) {
  if (pack_size < k_pack_header_size + k_pack_trailer_size || tail.size() < k_pack_trailer_size)
    return damaged(name, "it is too short");
  ByteReader trailer(tail.last(k_pack_trailer_size));
  const std::uint64_t footer_offset = trailer.u64();
  const std::uint64_t size = std::uint64_t{trailer.u32()} * k_entry_size + k_pack_trailer_size;
  const std::uint32_t reserved = trailer.u32();
  trailer.digest();
  if (as_text(trailer.raw(8)) != k_tail_magic || reserved != 0) return damaged(name, "it does not end as a pack");
  if (footer_offset > pack_size || footer_offset + size != pack_size)
    return damaged(name, "its footer is out of bounds");
  return size;
}

Result<std::vector<PackEntry>> parse_pack_tail(const Digest& name, ByteView tail, std::uint64_t pack_size) {
  TRY_ASSIGN(const std::uint64_t size, pack_tail_size(name, tail, pack_size));
  if (tail.size() < size) return damaged(name, "it is too short");
  const ByteView footer = tail.last(size).first(size - k_pack_trailer_size);
  ByteReader trailer(tail.last(k_pack_trailer_size));
  trailer.raw(16);
  if (trailer.digest() != name || Sha256::of(footer) != name)
    return damaged(name, "its footer does not match its name");

  ByteReader reader(footer);
  std::vector<PackEntry> entries(footer.size() / k_entry_size);
  std::uint64_t end = k_pack_header_size;
  for (PackEntry& entry : entries) {
    entry.digest = reader.digest();
    entry.offset = reader.u32();
    entry.stored_length = reader.u32();
    entry.raw_length = reader.u32();
    entry.codec = static_cast<Codec>(reader.u8());
    entry.kind = static_cast<ChunkKind>(reader.u8());
    reader.u16();
    if (entry.offset != end || entry.raw_length > k_most_chunk || entry.stored_length > k_most_stored)
      return damaged(name, "its footer is inconsistent");
    end += entry.stored_length;
  }
  if (end != pack_size - size) return damaged(name, "its footer is inconsistent");
  return entries;
}

Result<std::vector<PackEntry>> parse_pack(const Digest& name, ByteView pack) {
  ByteReader header(pack);
  if (as_text(header.raw(8)) != k_head_magic) return damaged(name, "it does not begin as a pack");
  if (const std::uint32_t version = header.u32(); version != k_version && !header.failed())
    return Error{Code::unsupported,
                 concat("pack ", name.hex(), " has format ", version, "; this version reads ", k_version)};
  if (header.u32() != 0 || header.failed()) return damaged(name, "its header is damaged");
  return parse_pack_tail(name, pack, pack.size());
}

std::vector<bool> check_chunks(ByteView pack, std::span<const PackEntry> entries) {
  // As many together as lie in the cache and keep every lane of the hash busy.
  constexpr std::size_t k_group = 2 << 20;
  std::vector<bool> matches;
  matches.reserve(entries.size());
  Bytes unpacked(k_group + k_most_chunk);
  std::vector<ByteView> raw;
  std::vector<Digest> digests;
  while (!entries.empty()) {
    raw.clear();
    std::size_t end = 0;
    for (std::size_t i = 0; i < entries.size() && end < k_group; ++i) {
      const PackEntry& entry = entries[i];
      const ByteView stored = pack.subspan(entry.offset, entry.stored_length);
      const std::span<std::byte> into = std::span(unpacked).subspan(end, entry.raw_length);
      const bool as_it_is = entry.codec == Codec::raw && stored.size() == entry.raw_length;
      const bool readable = as_it_is || decode_into(entry.codec, stored, into).has_value();
      matches.push_back(readable);
      raw.push_back(as_it_is || !readable ? stored : ByteView(into));
      end += entry.raw_length;
    }
    digests.resize(raw.size());
    Sha256::of_each(raw, digests);
    const std::size_t first = matches.size() - raw.size();
    for (std::size_t i = 0; i < raw.size(); ++i)
      matches[first + i] = matches[first + i] && digests[i] == entries[i].digest;
    entries = entries.subspan(raw.size());
  }
  return matches;
}

}  // namespace studio::content
