#include "engine/resource_log.hpp"

#include <algorithm>

namespace studio::engine {

namespace {

using model::ResourceSample;

// Of what is not known of one of them, the other tells.
template <class Value, class Merge>
std::optional<Value> merged(const std::optional<Value>& a, const std::optional<Value>& b, Merge merge) {
  return a && b ? std::optional<Value>(merge(*a, *b)) : a ? a : b;
}

// One sample of two that follow each other, the first of which begins at `begin`.
ResourceSample join(double begin, const ResourceSample& first, const ResourceSample& second) {
  const double share = (first.seconds - begin) / (second.seconds - begin);
  const auto average = [share](double a, double b) { return a * share + b * (1 - share); };
  const auto most = [](std::uint64_t a, std::uint64_t b) { return std::max(a, b); };
  return {.seconds = second.seconds,
          .cpu_percent = average(first.cpu_percent, second.cpu_percent),
          .memory_bytes = most(first.memory_bytes, second.memory_bytes),
          .gpu_percent = merged(first.gpu_percent, second.gpu_percent, average),
          .gpu_memory_bytes = merged(first.gpu_memory_bytes, second.gpu_memory_bytes, most)};
}

}  // namespace

void ResourceLog::add(const ResourceReading& reading) {
  if (reading.seconds <= seconds_) return;
  // A process that ended takes what it has used with it, unless its parent has waited for it.
  const double used = std::max(0.0, reading.cpu_seconds - cpu_seconds_);
  ResourceSample sample{.seconds = reading.seconds,
                        .cpu_percent = 100 * used / (reading.seconds - seconds_),
                        .memory_bytes = reading.memory_bytes};
  if (reading.gpu) {
    sample.gpu_percent = reading.gpu->percent;
    sample.gpu_memory_bytes = reading.gpu->memory_bytes;
  }
  seconds_ = reading.seconds;
  cpu_seconds_ = reading.cpu_seconds;
  if (!samples_.empty() && !is_whole()) {
    samples_.back() = join(begin_of(samples_.size() - 1), samples_.back(), sample);
    ++in_last_;
    return;
  }
  if (samples_.size() == most_) halve();
  samples_.push_back(sample);
  in_last_ = 1;
}

void ResourceLog::halve() {
  model::ResourceSamples halved;
  for (std::size_t i = 0; i + 1 < samples_.size(); i += 2)
    halved.push_back(join(begin_of(i), samples_[i], samples_[i + 1]));
  samples_ = std::move(halved);
  stride_ *= 2;
}

}  // namespace studio::engine
