#include "content/coded_entries.hpp"

#include <algorithm>
#include <cstring>
#include <utility>

namespace studio::content {

namespace {

constexpr std::size_t k_least_block = 1 << 10;
constexpr std::size_t k_most_block = 256 << 10;

}  // namespace

CachedEntry CodedEntries::Entry::decode() const {
  ByteReader in(cached);
  return read_cached(in).value_or(CachedEntry());  // which it is: add() wrote it
}

std::byte* CodedEntries::room_for(std::size_t size) {
  if (blocks_.empty() || blocks_.back().size() - used_ < size) {
    const std::size_t next = blocks_.empty() ? k_least_block : std::min(2 * blocks_.back().size(), k_most_block);
    blocks_.emplace_back(std::max(next, size));
    used_ = 0;
  }
  return blocks_.back().data() + std::exchange(used_, used_ + size);
}

void CodedEntries::add(const CachedEntry& entry, std::uint64_t old_block) {
  const std::string& name = entry.entry.name;
  writer_.clear();
  writer_.raw(name);
  append_cached_head(writer_, entry);
  const std::size_t head_size = writer_.size() - name.size();
  append_entry(writer_, entry.entry);
  const ByteView bytes = writer_.view();
  std::byte* const at = room_for(bytes.size());
  std::memcpy(at, bytes.data(), bytes.size());
  places_.push_back({at, static_cast<std::uint32_t>(name.size()), static_cast<std::uint32_t>(head_size),
                     static_cast<std::uint32_t>(bytes.size() - name.size()), old_block});
}

CodedEntries::Entry CodedEntries::operator[](std::size_t i) const {
  const Place& place = places_[i];
  const ByteView cached(place.at + place.name_size, place.size);
  return {as_text(ByteView(place.at, place.name_size)), cached, cached.subspan(place.head_size), place.old_block};
}

void CodedEntries::sort() {
  const auto name_of = [](const Place& place) { return as_text(ByteView(place.at, place.name_size)); };
  std::sort(places_.begin(), places_.end(), [&](const Place& a, const Place& b) { return name_of(a) < name_of(b); });
}

void CodedEntries::keep_only(const std::vector<std::string>& names) {
  std::erase_if(places_, [&](const Place& place) {
    return !std::binary_search(names.begin(), names.end(), as_text(ByteView(place.at, place.name_size)), std::less<>());
  });
}

}  // namespace studio::content
