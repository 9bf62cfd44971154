// An experiment and its attempts: plain values, and their JSON as doc/records.md defines it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/version.hpp"

namespace studio::model {

enum class State {
  starting,  // artifacts are being prepared; the script does not run yet
  running,
  finished,  // the script exited with 0
  failed,    // it exited with another code, or Studio could not run it
  killed,    // it died of a signal that no user sent through Studio
  stopped,   // a user ended it
  lost,      // Studio itself died
};

std::string_view name_of(State state);
std::optional<State> parse_state(std::string_view name);
inline bool is_live(State state) { return state == State::starting || state == State::running; }

enum class CaptureMode { capture, once, reuse };
std::string_view name_of(CaptureMode mode);

// The version that a reused artifact is pinned to.
struct ArtifactSource {
  std::string experiment;
  std::string tag;
  std::uint64_t version = 0;
  friend bool operator==(const ArtifactSource&, const ArtifactSource&) = default;
};

// An artifact of one attempt.
struct Artifact {
  std::string tag;
  std::string path;  // where the script finds it: absolute
  CaptureMode mode = CaptureMode::capture;
  bool is_default = false;
  std::optional<ArtifactSource> source;        // mode reuse
  std::optional<std::uint64_t> first_version;  // committed or confirmed unchanged in this attempt
  std::optional<std::uint64_t> last_version;
  friend bool operator==(const Artifact&, const Artifact&) = default;
};

struct Usage {
  double user_seconds = 0;
  double system_seconds = 0;
  std::uint64_t peak_memory_bytes = 0;
  friend bool operator==(const Usage&, const Usage&) = default;
};

struct ProcessInfo {
  std::string host;
  std::int64_t studio_pid = 0;
  std::int64_t script_pid = 0;     // also its process group; 0 before it starts
  std::uint64_t script_start = 0;  // field 22 of /proc/PID/stat: tells the script from a later process with its number
  friend bool operator==(const ProcessInfo&, const ProcessInfo&) = default;
};

// Which of a metric's values counts.
enum class MetricGoal { min, max, last };
std::string_view name_of(MetricGoal goal);
std::optional<MetricGoal> parse_metric_goal(std::string_view name);

// A scalar that the user wants to see beside the experiment, from what the script writes for TensorBoard.
struct Metric {
  struct Value {
    double number = 0;  // finite
    std::int64_t step = 0;
    friend bool operator==(const Value&, const Value&) = default;
  };
  std::string name;  // of the scalar, or "RUN/NAME"; not empty
  MetricGoal goal = MetricGoal::last;
  std::optional<Value> value;  // as far as it was written
  friend bool operator==(const Metric&, const Metric&) = default;
};

// One execution.
struct Attempt {
  std::uint64_t number = 0;
  State state = State::starting;
  std::string failure;  // "", "script" or "studio"
  std::optional<int> exit_code;
  std::optional<int> signal;
  std::string reason;  // a sentence, may be empty
  WallTime started;
  std::optional<WallTime> ended;
  ProcessInfo process;
  Usage usage;
  std::vector<Artifact> artifacts;
  std::vector<Metric> metrics;
  friend bool operator==(const Attempt&, const Attempt&) = default;
};

enum class StopRequest { none, stop, kill };

struct Experiment {
  std::string key;
  std::string project;
  std::string owner;
  std::vector<std::string> command;  // the script and its arguments as typed
  std::string directory;
  std::string studio_version;
  WallTime created;
  std::optional<WallTime> deleted;               // when a user deleted it, and has not restored it since
  StopRequest stop_request = StopRequest::none;  // of the last attempt
  Attempt attempt;                               // the last one; earlier ones are final, and kept apart
  std::uint64_t revision = 0;                    // counts updates; the catalog sets it

  const Attempt& last() const { return attempt; }
  Attempt& last() { return attempt; }
  State state() const { return last().state; }
  // The token that fences off earlier attempts: a version is accepted from the last attempt only.
  std::uint64_t token() const { return last().number; }
  friend bool operator==(const Experiment&, const Experiment&) = default;
};

// experiment.json of doc/records.md. Strings that are not UTF-8 are kept. `from_json` fails with `corrupt`, naming the
// field; with `unsupported` if a newer Studio wrote it.
nlohmann::json to_json(const Experiment& experiment);
Result<Experiment> experiment_from_json(const nlohmann::json& json);
// All that the record names: one, unless an older Studio wrote it.
Result<std::vector<Attempt>> attempts_from_json(const nlohmann::json& json);

// attempt.json: an attempt of the experiment on its own.
nlohmann::json to_json(const Attempt& attempt, std::string_view experiment);
Result<Attempt> attempt_from_json(const nlohmann::json& json);

}  // namespace studio::model
