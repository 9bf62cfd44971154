// Reads what the script and all that it started use, as it runs.
#pragma once

#include <chrono>
#include <functional>
#include <stop_token>
#include <string>
#include <thread>

#include "engine/resource_log.hpp"
#include "engine/services.hpp"
#include "model/resources.hpp"

namespace studio::engine {

struct ResourceWatchOptions {
  std::string path;    // of the local file that holds what is known so far (resources.json)
  std::string object;  // in the store: written now and then, and at the end
};

// In a thread of its own, every few seconds; at what GPUs do less often if to ask takes long. Of a script that ends
// within the first second nothing is known. Troubles are reported as details.
class ResourceWatch {
 public:
  // The script has just started. Borrows `services`.
  ResourceWatch(const Services& services, ResourceWatchOptions options);
  // Writes the last state.
  ~ResourceWatch();
  ResourceWatch(const ResourceWatch&) = delete;
  ResourceWatch& operator=(const ResourceWatch&) = delete;

 private:
  using Clock = std::chrono::steady_clock;

  void run(const std::stop_token& stop);
  void read(const std::stop_token& stop);
  std::optional<GpuUse> read_gpus(const std::stop_token& stop);
  void write(bool to_store);

  const Services& services_;
  const ResourceWatchOptions options_;
  const Clock::time_point start_ = Clock::now();
  ResourceLog log_;
  bool has_gpus_ = true;         // as far as is known
  Clock::time_point gpus_next_;  // when they are asked again
  std::jthread thread_;
};

}  // namespace studio::engine
