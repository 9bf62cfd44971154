#include "content/chunker.hpp"

#include <algorithm>
#include <array>

namespace studio::content {

namespace {

constexpr std::size_t k_window = 16;

// The high 16 bits of the first 256 outputs of SplitMix64 (Steele, Lea, Flood 2014) seeded with "STUDIO" in ASCII. Part
// of the format: other numbers would give other cuts.
constexpr std::array<std::uint16_t, 256> make_gear() {
  std::array<std::uint16_t, 256> table{};
  std::uint64_t state = 0x53545544494f;
  for (std::uint16_t& entry : table) {
    state += 0x9e3779b97f4a7c15;
    std::uint64_t mixed = state;
    mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
    mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
    entry = static_cast<std::uint16_t>((mixed ^ (mixed >> 31)) >> 48);
  }
  return table;
}
constexpr std::array<std::uint16_t, 256> k_gear = make_gear();

std::uint32_t roll(std::uint32_t hash, std::byte byte) {
  return (hash << 1) + k_gear[std::to_integer<std::size_t>(byte)];
}

// The first position in [from, to) after whose byte the masked hash is zero, plus one; 0 if there is none.
std::size_t find_cut(ByteView data, std::uint32_t& hash, std::size_t from, std::size_t to, std::uint16_t mask) {
  for (std::size_t at = from; at < to; ++at) {
    hash = roll(hash, data[at]);
    if ((hash & mask) == 0) return at + 1;
  }
  return 0;
}

}  // namespace

Result<void> check(const ChunkerParameters& parameters) {
  const bool good = parameters.minimum >= k_window && parameters.minimum <= parameters.normal &&
                    parameters.normal <= parameters.maximum && parameters.maximum <= k_most_chunk &&
                    parameters.strict_mask != 0 && parameters.loose_mask != 0;
  if (!good) return Error{Code::invalid, "the chunker's parameters are out of range"};
  return {};
}

std::size_t first_cut(const ChunkerParameters& parameters, ByteView data) {
  const std::size_t end = std::min<std::size_t>(data.size(), parameters.maximum);
  if (end <= parameters.minimum) return end;
  const std::size_t normal = std::min<std::size_t>(end, parameters.normal);
  std::uint32_t hash = 0;  // only its low 16 bits matter, which depend on the last 16 bytes alone
  for (std::size_t at = parameters.minimum - k_window; at < parameters.minimum; ++at) hash = roll(hash, data[at]);
  std::size_t cut = find_cut(data, hash, parameters.minimum, normal, parameters.strict_mask);
  if (cut == 0) cut = find_cut(data, hash, normal, end, parameters.loose_mask);
  return cut == 0 ? end : cut;
}

}  // namespace studio::content
