#include "content/chunker.hpp"

#include <algorithm>

#include "content/gear.hpp"

namespace studio::content {

Result<void> check(const ChunkerParameters& parameters) {
  const bool good = parameters.minimum >= k_gear_window && parameters.minimum <= parameters.normal &&
                    parameters.normal <= parameters.maximum && parameters.maximum <= k_most_chunk &&
                    parameters.strict_mask != 0 && parameters.loose_mask != 0;
  if (!good) return Error{Code::invalid, "the chunker's parameters are out of range"};
  return {};
}

std::size_t first_cut(const ChunkerParameters& parameters, ByteView data) {
  const std::size_t end = std::min<std::size_t>(data.size(), parameters.maximum);
  if (end <= parameters.minimum) return end;
  const std::size_t normal = std::min<std::size_t>(end, parameters.normal);
  std::size_t cut = find_cut(data, parameters.minimum, normal, parameters.strict_mask);
  if (cut == 0 && normal < end) cut = find_cut(data, normal, end, parameters.loose_mask);
  return cut == 0 ? end : cut;
}

}  // namespace studio::content
