// What a run used over time, from readings, in a bounded number of samples.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>

#include "engine/host_facts.hpp"
#include "model/resources.hpp"

namespace studio::engine {

// What was so at one moment.
struct ResourceReading {
  double seconds = 0;              // since the script started
  double cpu_seconds = 0;          // used until then; what has ended may be missing
  std::uint64_t memory_bytes = 0;  // now
  std::optional<GpuUse> gpu;       // now
};

// When there would be too many samples, neighbours become one; from then on each is of twice as many readings.
class ResourceLog {
 public:
  // `most` is even, and not 0.
  explicit ResourceLog(std::size_t most = 1000) : most_(most) {}

  // Later than those before.
  void add(const ResourceReading& reading);
  // Whether the last sample is of as many readings as the others.
  bool is_whole() const { return in_last_ == stride_; }
  const model::ResourceSamples& samples() const { return samples_; }

 private:
  double begin_of(std::size_t sample) const { return sample == 0 ? 0 : samples_[sample - 1].seconds; }
  void halve();

  const std::size_t most_;
  model::ResourceSamples samples_;
  std::size_t stride_ = 1;   // readings in a sample
  std::size_t in_last_ = 0;  // readings in the last one
  double seconds_ = 0;       // of the last reading
  double cpu_seconds_ = 0;
};

}  // namespace studio::engine
