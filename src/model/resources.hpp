// What an attempt used of its machine over time: plain values, and their JSON as doc/records.md defines it.
#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace studio::model {

// From the sample before (or the start of the script) up to `seconds`.
struct ResourceSample {
  double seconds = 0;              // since the script started
  double cpu_percent = 0;          // on average, of the script and all that it started; 100: one core
  std::uint64_t memory_bytes = 0;  // resident, the most of it; what processes share counts for each
  // Of all GPUs of the machine together, whoever uses them; nothing if that is not known.
  std::optional<double> gpu_percent;              // on average; 100: one GPU
  std::optional<std::uint64_t> gpu_memory_bytes;  // the most of it
  friend bool operator==(const ResourceSample&, const ResourceSample&) = default;
};
using ResourceSamples = std::vector<ResourceSample>;  // ascending

// resources.json
nlohmann::json to_json(const ResourceSamples& samples);
// `corrupt`, naming the field.
Result<ResourceSamples> resources_from_json(const nlohmann::json& json);

}  // namespace studio::model
