#include "model/resources.hpp"

#include "model/json_fields.hpp"

namespace studio::model {

nlohmann::json to_json(const ResourceSamples& samples) {
  auto list = nlohmann::json::array();
  for (const ResourceSample& sample : samples)
    list.push_back({{"seconds", sample.seconds},
                    {"cpu_percent", sample.cpu_percent},
                    {"memory_bytes", sample.memory_bytes},
                    {"gpu_percent", optional_number(sample.gpu_percent)},
                    {"gpu_memory_bytes", optional_number(sample.gpu_memory_bytes)}});
  return {{"samples", std::move(list)}};
}

Result<ResourceSamples> resources_from_json(const nlohmann::json& json) {
  FieldReader in(json, "resources");
  ResourceSamples samples;
  in.each("samples", [&](FieldReader& item) {
    samples.push_back(
        {.seconds = item.seconds("seconds"),
         .cpu_percent = item.seconds("cpu_percent"),
         .memory_bytes = item.count("memory_bytes"),
         .gpu_percent = item.has("gpu_percent") ? std::optional(item.seconds("gpu_percent")) : std::nullopt,
         .gpu_memory_bytes = item.optional_count("gpu_memory_bytes")});
  });
  TRY(in.result());
  return samples;
}

}  // namespace studio::model
