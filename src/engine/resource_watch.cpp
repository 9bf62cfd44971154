#include "engine/resource_watch.hpp"

#include <condition_variable>
#include <mutex>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "os/atomic_file.hpp"
#include "os/process_tree.hpp"

namespace studio::engine {

namespace {

using namespace std::chrono_literals;

constexpr auto k_first = 1s;
constexpr auto k_interval = 5s;
constexpr auto k_to_store = 5min;
// To ask the GPUs takes at most this part of the time.
constexpr int k_gpu_share = 20;

}  // namespace

ResourceWatch::ResourceWatch(const Services& services, ResourceWatchOptions options)
    : services_(services), options_(std::move(options)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

ResourceWatch::~ResourceWatch() {
  thread_.request_stop();
  thread_.join();
  write(true);
}

void ResourceWatch::run(const std::stop_token& stop) {
  std::mutex mutex;
  std::condition_variable_any never;
  std::unique_lock lock(mutex);
  auto next = start_ + k_first;
  auto to_store = start_ + k_to_store;
  while (!never.wait_until(lock, stop, next, [] { return false; }) && !stop.stop_requested()) {
    read(stop);
    const auto now = Clock::now();
    if (log_.is_whole()) write(now >= to_store);
    if (now >= to_store) to_store = now + k_to_store;
    next = std::max(next + k_interval, now);
  }
}

void ResourceWatch::read(const std::stop_token& stop) {
  const auto gpu = read_gpus(stop);
  if (stop.stop_requested()) return;  // the script has ended
  const auto usage = os::usage_of_descendants();
  const std::chrono::duration<double> since = Clock::now() - start_;
  log_.add({since.count(), usage.cpu_seconds, usage.memory_bytes, gpu});
}

std::optional<GpuUse> ResourceWatch::read_gpus(const std::stop_token& stop) {
  const auto begin = Clock::now();
  if (!has_gpus_ || begin < gpus_next_) return std::nullopt;
  auto use = gpu_use(stop);
  has_gpus_ = use.has_value();
  gpus_next_ = begin + k_gpu_share * (Clock::now() - begin);
  return use;
}

void ResourceWatch::write(bool to_store) {
  if (log_.samples().empty()) return;
  const std::string text = model::to_json(log_.samples()).dump() + "\n";
  const auto tell = [&](const auto& written) {
    if (!written)
      services_.report(Severity::detail, concat("the use of resources is not recorded: ", written.error().message));
  };
  tell(os::write_file(options_.path, as_bytes(text)));
  if (to_store) tell(blob::put(services_.repository.objects(), options_.object, as_bytes(text)));
}

}  // namespace studio::engine
