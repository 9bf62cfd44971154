// Experiments and versions with arbitrary values, for tests.
#pragma once

#include <random>

#include "model/experiment.hpp"

namespace studio::model {

// Every value that it makes is a valid one. The same seed gives the same values.
class RandomRecords {
 public:
  explicit RandomRecords(std::uint64_t seed) : engine_(seed) {}

  std::uint64_t below(std::uint64_t bound) {
    return std::uniform_int_distribution<std::uint64_t>(0, bound - 1)(engine_);
  }
  bool coin() { return below(2) == 0; }

  std::string name() {
    static constexpr std::string_view k_letters = "abcXYZ019._-";
    std::string text(1, 'n');
    for (std::uint64_t left = below(12); left > 0; --left) text += k_letters[below(k_letters.size())];
    return text;
  }

  // Any bytes but '/' and NUL; half of them text.
  std::string bytes() {
    std::string text;
    const bool ascii = coin();
    for (std::uint64_t left = below(20); left > 0; --left) {
      const auto byte = static_cast<char>(ascii ? 32 + below(95) : 1 + below(255));
      text += byte == '/' ? 'x' : byte;
    }
    return text;
  }

  std::uint64_t number() { return below(std::uint64_t{1} << (1 + below(62))); }

  std::optional<std::uint64_t> optional_number() {
    if (coin()) return {};
    return number();
  }

  WallTime time() {  // 1678 to 2261, most of them near today
    const auto seconds = static_cast<std::int64_t>(below(coin() ? 9'180'000'000 : 1'800'000'000));
    return WallTime(std::chrono::seconds(coin() ? seconds : -seconds)) +
           std::chrono::nanoseconds(static_cast<std::int64_t>(below(1'000'000'000)));
  }

  ContentRef ref() {
    ContentRef ref;
    ref.size = number();
    if (ref.size == 0) return ref;
    ref.level = static_cast<std::uint8_t>(below(256));
    for (std::byte& byte : ref.digest.bytes) byte = static_cast<std::byte>(below(256));
    return ref;
  }

  Version version() {
    Version version;
    version.experiment = name();
    version.tag = name();
    version.number = number();
    version.attempt = number();
    version.reason = static_cast<CaptureReason>(below(5));
    version.created = time();
    version.kind = static_cast<ArtifactKind>(below(2));
    if (version.kind == ArtifactKind::file) version.file_name = "f" + bytes();
    version.root = ref();
    version.root_mode = static_cast<std::uint32_t>(below(010000));
    version.root_modified_ns = static_cast<std::int64_t>(number()) * (coin() ? 1 : -1);
    version.totals = {number(), number(), number()};
    version.changes = {number(), number(), number()};
    version.new_bytes = number();
    version.stored_bytes = number();
    for (std::uint64_t left = coin() ? 0 : below(4); left > 0; --left) version.problems.push_back({bytes(), bytes()});
    version.problem_count = version.problems.size();
    if (!version.complete()) version.problem_count += below(1000);
    return version;
  }

  Artifact artifact() {
    Artifact artifact;
    artifact.tag = name();
    artifact.path = "/" + bytes();
    artifact.mode = static_cast<CaptureMode>(below(3));
    artifact.is_default = coin();
    if (artifact.mode == CaptureMode::reuse) artifact.source = ArtifactSource{name(), name(), number()};
    artifact.first_version = optional_number();
    if (artifact.first_version) artifact.last_version = *artifact.first_version + below(9);
    return artifact;
  }

  Attempt attempt(std::uint64_t at) {
    Attempt attempt;
    attempt.number = at;
    attempt.state = static_cast<State>(below(7));
    if (coin()) attempt.failure = coin() ? "script" : "studio";
    if (coin()) attempt.exit_code = static_cast<int>(below(256));
    if (coin()) attempt.signal = 1 + static_cast<int>(below(64));
    attempt.reason = bytes();
    attempt.started = time();
    if (coin()) attempt.ended = time();
    attempt.process = {bytes(), static_cast<std::int64_t>(number()), static_cast<std::int64_t>(number()), number()};
    attempt.usage = {static_cast<double>(below(1'000'000)) / 7, static_cast<double>(number()), number()};
    for (std::uint64_t left = below(5); left > 0; --left) attempt.artifacts.push_back(artifact());
    for (std::uint64_t left = below(3); left > 0; --left) {
      Metric metric{.name = name(), .goal = static_cast<MetricGoal>(below(3)), .value = {}};
      if (coin())
        metric.value = {static_cast<double>(below(1'000'000)) / 7, static_cast<std::int64_t>(below(1000)) - 500};
      attempt.metrics.push_back(std::move(metric));
    }
    return attempt;
  }

  Experiment experiment() {
    Experiment experiment;
    experiment.key = name();
    experiment.project = name();
    experiment.owner = bytes();
    for (std::uint64_t left = below(5); left > 0; --left) experiment.command.push_back(bytes());
    experiment.directory = "/" + bytes();
    experiment.studio_version = bytes();
    experiment.created = time();
    if (coin()) experiment.deleted = time();
    experiment.stop_request = static_cast<StopRequest>(below(3));
    experiment.attempt = attempt(below(5));
    experiment.revision = number();
    return experiment;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace studio::model
