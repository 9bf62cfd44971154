// The index of weights that lie in several files, as Hugging Face's libraries write it beside them
// ("model.safetensors.index.json"), and Keras ("model.weights.json"): an object of "metadata" and a "weight_map" from
// each tensor to its file; Keras's from each layer to its file, or to a list of its files.
#include <nlohmann/json.hpp>

#include "analysis/checkpoint.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {
using nlohmann::json;
Error malformed() { return {Code::corrupt, "this is no index of weights: it has no weight_map from names to files"}; }
}  // namespace

Result<CheckpointFacts> read_sharded(ByteSource& file) {
  if (file.size() > k_most_head) return Error{Code::exhausted, "the index is longer than any is"};
  TRY_ASSIGN(const Bytes bytes, file.read(0, file.size()));
  const auto index = json::parse(as_text(bytes), nullptr, false);
  if (index.is_discarded()) return Error{Code::corrupt, "the index is no JSON: it is damaged, or cut off"};
  const auto map = index.is_object() ? index.find("weight_map") : index.end();
  if (map == index.end() || !map->is_object()) return malformed();
  CheckpointFacts facts{.format = "sharded"};
  std::uint64_t names_size = 0;
  const auto add = [&](const std::string& name, const json& place) -> Result<void> {
    if (!place.is_string()) return malformed();
    names_size += name.size();  // a layer in many files is named with each
    if (facts.tensors.size() == k_most_tensors || names_size > k_most_head)
      return Error{Code::exhausted, "the index names too many tensors"};
    facts.tensors.push_back({.name = to_utf8(name), .file = to_utf8(place.get<std::string>())});
    return {};
  };
  for (const auto& [name, place] : map->items()) {
    if (place.is_array())
      for (const json& each : place) TRY(add(name, each));
    else
      TRY(add(name, place));
  }
  sort_by_name(facts.tensors);
  const auto metadata = index.find("metadata");
  if (metadata == index.end() || !metadata->is_object()) return facts;
  for (const auto& [name, value] : metadata->items())
    if (facts.metadata.size() < k_most_metadata && value.is_primitive())
      facts.metadata.emplace(to_utf8(name), to_utf8(value.is_string() ? value.get<std::string>() : value.dump()));
  return facts;
}

}  // namespace studio::analysis
