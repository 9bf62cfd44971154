#include "engine/host_facts.hpp"

#include <sched.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <string>

#include "base/concat.hpp"
#include "base/lines.hpp"
#include "os/child.hpp"
#include "os/fd.hpp"

namespace studio::engine {

namespace {

std::string_view trimmed(std::string_view text) {
  const auto first = text.find_first_not_of(" \t\r\n");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t\r\n") - first + 1);
}

// Of the first line "FIELD : VALUE".
std::string_view field_of(std::string_view text, std::string_view field) {
  while (!text.empty()) {
    const std::string_view line = next_line(text);
    const auto colon = line.find(':');
    if (colon != std::string_view::npos && trimmed(line.substr(0, colon)) == field)
      return trimmed(line.substr(colon + 1));
  }
  return {};
}

std::string cpu_model() {
  // Each architecture has its own name for it; arm64 tells nothing.
  static constexpr std::array<std::string_view, 4> k_fields{"model name", "cpu model", "cpu", "uarch"};
  const std::string text = os::read_proc("/proc/cpuinfo");
  for (const std::string_view field : k_fields)
    if (const std::string_view model = field_of(text, field); !model.empty()) return std::string(model);
  return {};
}

std::optional<std::uint64_t> cpus() {
  // The kernel refuses a mask that is smaller than its own.
  for (std::size_t most = CPU_SETSIZE; most <= std::size_t{CPU_SETSIZE} << 10; most *= 2) {
    cpu_set_t* const set = CPU_ALLOC(most);
    if (set == nullptr) return std::nullopt;
    const std::size_t size = CPU_ALLOC_SIZE(most);
    const bool known = ::sched_getaffinity(0, size, set) == 0;
    const int error = errno;
    const int count = known ? CPU_COUNT_S(size, set) : 0;
    CPU_FREE(set);
    if (known) return static_cast<std::uint64_t>(count);
    if (error != EINVAL) return std::nullopt;
  }
  return std::nullopt;
}

std::optional<std::uint64_t> number_of(std::string_view text) {
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

// "[N/A]", "[Not Supported]": nvidia-smi has no answer.
std::optional<std::uint64_t> bytes_of(std::string_view mebibytes) {
  const auto number = number_of(mebibytes);
  if (!number || *number > (std::uint64_t{1} << 40)) return std::nullopt;
  return *number << 20;
}

// A line for each; empty if there is no nvidia-smi, or it cannot tell.
std::string ask_gpus(std::string_view what, std::stop_token stop) {
  // Without persistence mode the driver may have to be loaded first, which takes seconds.
  auto output = os::run_and_read({.argv = {"nvidia-smi", concat("--query-gpu=", what), "--format=csv,noheader,nounits"},
                                  .environment = os::own_environment(),
                                  .timeout = std::chrono::seconds(30),
                                  .niceness = 10},
                                 std::move(stop));
  return output && output->succeeded() ? std::move(output->text) : std::string();
}

}  // namespace

std::string pretty_name(std::string_view os_release) {
  static constexpr std::string_view k_key = "PRETTY_NAME=";
  std::string_view value;
  while (!os_release.empty())
    if (const std::string_view line = trimmed(next_line(os_release)); line.starts_with(k_key))
      value = trimmed(line.substr(k_key.size()));  // the last one counts, as in the shell
  const char quote = value.empty() ? '\0' : value.front();
  const bool quoted = value.size() >= 2 && (quote == '"' || quote == '\'') && value.back() == quote;
  if (quoted) value = value.substr(1, value.size() - 2);
  std::string name;
  for (std::size_t i = 0; i < value.size(); ++i) {
    if (value[i] == '\\' && quote != '\'' && i + 1 < value.size()) ++i;
    name.push_back(value[i]);
  }
  return name;
}

model::HostFacts host_facts() {
  model::HostFacts facts;
  utsname names{};
  if (::uname(&names) == 0) {
    facts.name = names.nodename;
    facts.kernel = names.release;
    facts.architecture = names.machine;
  }
  std::string release = os::read_proc("/etc/os-release");
  if (release.empty()) release = os::read_proc("/usr/lib/os-release");
  facts.system = pretty_name(release);
  facts.cpu_model = cpu_model();
  facts.cpus = cpus();
  struct sysinfo memory {};
  if (::sysinfo(&memory) == 0) facts.memory_bytes = std::uint64_t{memory.totalram} * memory.mem_unit;
  return facts;
}

std::vector<model::Gpu> parse_gpus(std::string_view csv) {
  std::vector<model::Gpu> found;
  while (!csv.empty()) {
    // From the right: a name may hold commas.
    const std::string_view line = next_line(csv);
    const auto second = line.rfind(',');
    if (second == std::string_view::npos || second == 0) continue;
    const auto first = line.rfind(',', second - 1);
    if (first == std::string_view::npos) continue;
    found.push_back({std::string(trimmed(line.substr(0, first))),
                     bytes_of(trimmed(line.substr(first + 1, second - first - 1))),
                     std::string(trimmed(line.substr(second + 1)))});
  }
  return found;
}

std::vector<model::Gpu> gpus(std::stop_token stop) {
  return parse_gpus(ask_gpus("name,memory.total,driver_version", std::move(stop)));
}

std::optional<GpuUse> parse_gpu_use(std::string_view csv) {
  std::optional<GpuUse> use;
  while (!csv.empty()) {
    const std::string_view line = next_line(csv);
    const auto comma = line.find(',');
    if (comma == std::string_view::npos) continue;
    const auto percent = number_of(trimmed(line.substr(0, comma)));
    const auto memory = bytes_of(trimmed(line.substr(comma + 1)));
    if (!percent || *percent > 100 || !memory) continue;
    if (!use) use.emplace();
    use->percent += static_cast<double>(*percent);
    use->memory_bytes += *memory;
  }
  return use;
}

std::optional<GpuUse> gpu_use(std::stop_token stop) {
  return parse_gpu_use(ask_gpus("utilization.gpu,memory.used", std::move(stop)));
}

}  // namespace studio::engine
