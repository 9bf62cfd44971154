// `studio run`: one attempt of an experiment on this machine, from the request to the recorded end.
#pragma once

#include <chrono>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "model/experiment.hpp"

namespace studio::engine {

// An artifact that the user asked for. `flag` is how they wrote it ("--capture=~/w:w"), for messages.
struct CaptureSpec {
  model::CaptureMode mode = model::CaptureMode::capture;  // capture or once
  std::string tag;
  std::string path;  // absolute
  std::string flag;
};

struct ReuseSpec {
  std::string artifact;  // "EXP/TAG", "EXP/TAG@vN", "EXP/TAG@latest"
  std::string tag;       // in this run
  std::string flag;
};

struct RunSpec {
  std::string experiment;  // its key; empty: one is made
  std::string project;
  std::string owner;
  std::vector<std::string> command;  // as typed: script and arguments
  std::vector<std::string> argv;     // as executed: the interpreter before it
  std::string interpreter;           // a Python whose packages are recorded; may be empty
  std::string directory;             // absolute
  std::vector<CaptureSpec> captures;
  std::vector<ReuseSpec> reuses;
  std::vector<model::Metric> metrics;  // without values
  std::vector<std::string> own_paths;  // Studio's own besides its home (a store or database elsewhere): never captured
  std::chrono::milliseconds interval{60'000};
  std::chrono::milliseconds grace{10'000};
};

struct RunOutcome {
  model::Experiment experiment;  // as recorded at the end
  int exit_code = 0;             // for the shell: the script's, or 128 + signal
  bool interrupted = false;      // the user did not wait for the final capture
};

// Errors come before the script has started (and, where an experiment had been created by then, after its record says
// so): `invalid` and `not_found` when a flag cannot be honoured, `already_exists` when the name is in use by a live
// run. What goes wrong later is reported and recorded, and the script's exit code is still returned.
Result<RunOutcome> run(const Services& services, const RunSpec& spec);

}  // namespace studio::engine
