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

// PRETTY_NAME of an os-release(5) file; "" if it is not there.
std::string pretty_name(std::string_view os_release);
// Lines "NAME, MEMORY in MiB, DRIVER".
std::vector<model::Gpu> parse_gpus(std::string_view csv);

}  // namespace studio::engine
