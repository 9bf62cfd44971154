#include "content/admission.hpp"

#include <algorithm>
#include <unordered_map>
#include <vector>

#include "base/concat.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"
#include "content/pack_footer.hpp"

namespace studio::content {

namespace {

Error not_admitted(std::string_view key, std::string_view why) {
  return {Code::invalid, concat("object '", key, "' is not taken: ", why)};
}

// A pack's chunks by the place where each lies.
using Places = std::unordered_map<std::uint32_t, PackEntry>;

Result<Places> places_in(blob::Store& store, const Digest& pack) {
  TRY_ASSIGN(const blob::ObjectInfo info, store.stat(pack_key(pack)));
  TRY_ASSIGN(const auto entries, read_pack_footer(store, pack, info.size));
  Places places;
  for (const PackEntry& entry : entries) places.emplace(entry.offset, entry);
  return places;
}

bool is_at(const IndexedChunk& chunk, const Places& places) {
  const auto found = places.find(chunk.location.offset);
  return found != places.end() && found->second.digest == chunk.digest &&
         found->second.stored_length == chunk.location.stored_length &&
         found->second.raw_length == chunk.location.raw_length && found->second.codec == chunk.location.codec;
}

Result<std::vector<IndexTable>> other_tables(blob::Store& store, std::string_view key) {
  std::vector<IndexTable> tables;
  TRY(store.list(k_index_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (info.key == key) return {};
    auto object = store.view(info.key);
    if (!object && object.error().code == Code::not_found) return {};  // removed meanwhile
    if (!object) return object.error();
    if (auto table = IndexTable::open(std::move(*object))) tables.push_back(std::move(*table));
    return {};
  }));
  return tables;
}

}  // namespace

Result<void> admit_pack(std::string_view key, ByteView object) {
  const auto name = pack_of_key(key);
  if (!name) return not_admitted(key, "it has no name of a pack");
  const auto entries = parse_pack(*name, object);
  if (!entries) return not_admitted(key, entries.error().message);
  const auto matches = check_chunks(object, *entries);
  if (std::ranges::all_of(matches, [](bool matches_digest) { return matches_digest; })) return {};
  return not_admitted(key, "a chunk does not match its digest");
}

Result<void> admit_table(blob::Store& store, std::string_view key, ByteView object) {
  if (key != index_key(Sha256::of(object))) return not_admitted(key, "it has not the name of its content");
  const auto table = IndexTable::open(blob::ObjectView(Bytes(object.begin(), object.end())));
  if (!table) return not_admitted(key, table.error().message);
  if (const auto checked = table->check(); !checked) return not_admitted(key, checked.error().message);
  std::unordered_map<Digest, Places, DigestHash> packs;
  return table->for_each_readable([&](const IndexedChunk& chunk) -> Result<void> {
    const auto [pack, is_new] = packs.try_emplace(chunk.location.pack);
    if (is_new) {
      auto places = places_in(store, chunk.location.pack);
      if (!places && places.error().code == Code::unavailable) return places.error();
      if (!places) return not_admitted(key, places.error().message);
      pack->second = std::move(*places);
    }
    return is_at(chunk, pack->second) ? Result<void>() : not_admitted(key, "a chunk is not where it says");
  });
}

Result<void> admit_removal(blob::Store& store, std::string_view key) {
  auto object = store.view(key);
  if (!object && object.error().code == Code::not_found) return {};
  if (!object) return object.error();
  const auto table = IndexTable::open(std::move(*object));
  if (!table) return {};
  TRY_ASSIGN(const auto others, other_tables(store, key));
  return table->for_each_readable([&](const IndexedChunk& chunk) -> Result<void> {
    const index_layout::FilterKey filter_key(chunk.digest.view());
    for (const IndexTable& other : others) {
      if (!other.may_hold(filter_key)) continue;
      const auto found = other.find(chunk.digest, filter_key);
      if (found && *found) return {};
    }
    return Error{Code::denied, concat("object '", key, "' is the only table that names some chunks")};
  });
}

}  // namespace studio::content
