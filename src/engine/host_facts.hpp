// This machine and its GPUs.
#pragma once

#include <stop_token>
#include <string_view>
#include <vector>

#include "model/environment.hpp"

namespace studio::engine {

model::HostFacts host_facts();

// What nvidia-smi tells; none without it.
std::vector<model::Gpu> gpus(std::stop_token stop);

// Of all GPUs together.
struct GpuUse {
  double percent = 0;  // 100: one of them is busy
  std::uint64_t memory_bytes = 0;
};
// Asks nvidia-smi. Nothing if there is none, or it has no answer.
std::optional<GpuUse> gpu_use(std::stop_token stop);
// Lines "PERCENT, MEBIBYTES", one for each GPU.
std::optional<GpuUse> parse_gpu_use(std::string_view csv);

// PRETTY_NAME of an os-release(5) file; "" if it is not there.
std::string pretty_name(std::string_view os_release);
// Lines "NAME, MEMORY in MiB, DRIVER".
std::vector<model::Gpu> parse_gpus(std::string_view csv);

}  // namespace studio::engine
