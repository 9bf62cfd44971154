#include "engine/run.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "base/name.hpp"
#include "base/studio_version.hpp"
#include "engine/attempt.hpp"
#include "engine/blob_cache.hpp"
#include "engine/capture.hpp"
#include "engine/environment.hpp"
#include "engine/executor.hpp"
#include "engine/ledger.hpp"
#include "engine/live_sender.hpp"
#include "engine/lost_run.hpp"
#include "engine/metric_watch.hpp"
#include "engine/output_follower.hpp"
#include "engine/recovery.hpp"
#include "engine/resource_watch.hpp"
#include "engine/signal_watch.hpp"
#include "os/atomic_file.hpp"
#include "os/file_lock.hpp"
#include "os/process_tree.hpp"

namespace studio::engine {

namespace {

// One attempt from its creation on. The functions are called in the order in which they stand.
class Attempt {
 public:
  Attempt(const Services& services, const RunSpec& spec, os::SignalFd& signals)
      : services_(services), spec_(spec), signals_(signals) {}

  std::uint64_t number() const { return experiment_.last().number; }
  // Creates the record: from here on there is an experiment that must not stay in state `starting`.
  Result<void> create(const std::string& key, const std::vector<Pinned>& reuses);
  // Everything that must be there before the script: directories, reused artifacts, artifacts captured once.
  Result<void> prepare(const std::vector<Pinned>& reuses);
  Result<void> start();
  // Until the script has ended.
  Result<void> supervise();
  RunOutcome finish();

  // The record of an attempt that failed before its script ran. Returns the error.
  Error give_up(Error error);

 private:
  const std::string& key() const { return experiment_.key; }
  Result<void> check_is_ours(const model::Experiment& record) const;
  void tell_of_move(const char* what, const std::string& from, const std::string& to) const;
  std::string path_of(const char* file) const { return services_.home.attempt(key(), number()) + file; }
  std::string output_path() const { return path_of(k_output_file); }
  // Where the script writes for TensorBoard; empty if it is told nothing of that.
  std::string board_directory() const;
  void send_live();
  void gather_in_background();
  void watch_metrics();
  void follow_metrics();
  void tell_of_missing_metrics() const;
  template <class Action>
  auto patiently(const std::stop_token& stop, const Action& action) -> decltype(action());
  bool capture_finally(const std::stop_token& stop);
  void record_end(bool all_captured, const std::stop_token& stop);
  void keep_end() const;
  void decide_state(model::Attempt& attempt) const;
  void summarise() const;

  const Services& services_;
  const RunSpec& spec_;
  os::SignalFd& signals_;
  model::Experiment experiment_;
  std::optional<Capturer> capturer_;
  ExecutionSpec execution_spec_;
  std::optional<Executor> executor_;
  std::unique_ptr<OutputFollower> follower_;
  std::optional<LiveSender> sender_;
  std::jthread gathering_;
  std::optional<MetricWatch> metrics_;
  std::unique_ptr<CaptureLoop> loop_;
  std::optional<ResourceWatch> resources_;
  Execution execution_;
  std::vector<Captured> captured_;  // of each artifact, the last
  bool final_interrupted_ = false;
  std::optional<std::chrono::steady_clock::time_point> patience_ends_;  // once a server was away at the end
  std::vector<std::string> final_failures_;
};

// Fences off an attempt that another one has followed.
Result<void> Attempt::check_is_ours(const model::Experiment& record) const {
  if (record.token() == experiment_.token()) return {};
  return Error{Code::conflict, concat("attempt ", number(), " was superseded by attempt ", record.last().number)};
}

// Of an experiment that is run again.
void Attempt::tell_of_move(const char* what, const std::string& from, const std::string& to) const {
  if (from != to)
    services_.report(Severity::warning,
                     concat("the ", what, " of the experiment was ", from, ", and is ", to, " from this attempt on"));
}

Result<void> Attempt::create(const std::string& key, const std::vector<Pinned>& reuses) {
  const WallTime now = services_.clock.now();
  model::Attempt attempt{.started = now, .process = {.host = this_host(), .studio_pid = ::getpid()}};
  const auto complete = [&](model::Experiment& experiment) {
    attempt.artifacts = list_artifacts(services_.home, spec_, reuses, services_.home.attempt(key, attempt.number));
    attempt.metrics = spec_.metrics;
    experiment.project = spec_.project;
    experiment.owner = spec_.owner;
    experiment.command = spec_.command;
    experiment.directory = spec_.directory;
    experiment.studio_version = k_studio_version;
    experiment.stop_request = model::StopRequest::none;
    experiment.attempt = attempt;
  };
  model::Experiment fresh{.key = key, .created = now};
  complete(fresh);
  const auto created = services_.catalog.create(fresh);
  if (created) {
    TRY_ASSIGN(experiment_, services_.catalog.load(key));
    return {};
  }
  if (created.error().code != Code::already_exists) return created;
  bool was_deleted = false;
  std::string project;
  std::string owner;
  TRY_ASSIGN(experiment_,
             catalog::redo_update(services_.catalog, key, [&](model::Experiment& experiment) -> Result<void> {
               // Two scripts would write to the same directories, and only the later one could be ended or captured.
               if (const std::string what = what_runs(services_, experiment); !what.empty()) return in_use(key, what);
               was_deleted = experiment.deleted.has_value();
               experiment.deleted.reset();
               project = experiment.project;
               owner = experiment.owner;
               attempt.number = experiment.last().number + 1;
               complete(experiment);
               return {};
             }));
  if (was_deleted)
    services_.report(Severity::notice, concat("experiment ", key, " was deleted; this attempt restores it"));
  tell_of_move("project", project, spec_.project);
  tell_of_move("owner", owner, spec_.owner);
  return {};
}

Result<void> Attempt::prepare(const std::vector<Pinned>& reuses) {
  TRY_ASSIGN(const auto watch, SignalWatch::start(signals_));
  const model::Attempt& attempt = experiment_.last();
  TRY(make_attempt_directory(services_.home, key(), attempt.number));
  TRY(make_missing_directories(services_, attempt.artifacts));
  std::vector<std::string> own = spec_.own_paths;
  own.push_back(services_.home.root);
  capturer_.emplace(services_, key(), attempt.number, output_path(), own);
  for (const model::Artifact& artifact : attempt.artifacts) {
    if (artifact.mode != model::CaptureMode::once) continue;
    TRY_ASSIGN(const Captured captured, capturer_->capture(artifact, model::CaptureReason::once, watch->token()));
    captured_.push_back(captured);
  }
  for (const Pinned& reuse : reuses) TRY(place(services_, reuse.version, watch->token()));
  if (const auto signal = watch->end())
    return Error{Code::cancelled, concat("interrupted by ", os::signal_name(*signal))};
  return {};
}

Result<void> Attempt::start() {
  TRY_ASSIGN(auto environment, compose_environment(services_.home, experiment_));
  execution_spec_ = {.argv = spec_.argv,
                     .environment = std::move(environment),
                     .directory = spec_.directory,
                     .output_path = output_path(),
                     .grace = spec_.grace,
                     .stop_request = [this] {
                       const auto record = services_.catalog.load(key());
                       const bool ours = record && record->token() == experiment_.token();
                       return ours ? record->stop_request : model::StopRequest::none;
                     }};
  executor_.emplace(execution_spec_, signals_, services_.report);
  TRY(executor_->start());
  resources_.emplace(services_, ResourceWatchOptions{.path = path_of(k_resources_file),
                                                     .object = content::resources_key(key(), number())});
  auto follower = OutputFollower::start(execution_spec_.output_path, STDOUT_FILENO);
  if (follower) {
    follower_ = std::move(*follower);
  } else {
    services_.report(Severity::warning, concat("the output is not shown: ", follower.error().message));
  }
  return {};
}

Result<void> Attempt::supervise() {
  model::ProcessInfo process = experiment_.last().process;
  process.script_pid = executor_->pid();
  process.script_start = os::start_time_of(executor_->pid()).value_or(0);
  auto running = change_experiment(services_, key(), [&](model::Experiment& experiment) -> Result<void> {
    TRY(check_is_ours(experiment));
    experiment.last().state = model::State::running;
    experiment.last().process = process;
    experiment.last().artifacts = experiment_.last().artifacts;
    return {};
  });
  // The script runs: a record that cannot be written (a full disk) is no reason to stop watching it.
  if (running) {
    experiment_ = std::move(*running);
  } else {
    services_.report(Severity::warning, running.error().message);
    experiment_.last().process = process;
  }
  send_live();
  gather_in_background();
  watch_metrics();
  std::vector<model::Artifact> mutable_artifacts;
  for (const model::Artifact& artifact : experiment_.last().artifacts)
    if (artifact.mode == model::CaptureMode::capture) mutable_artifacts.push_back(artifact);
  loop_ = std::make_unique<CaptureLoop>(*capturer_, services_.report, std::move(mutable_artifacts),
                                        std::vector<std::string>{"workspace"}, spec_.interval,
                                        [this] { follow_metrics(); });
  auto execution = executor_->wait();
  resources_.reset();
  loop_.reset();
  TRY_ASSIGN(execution_, std::move(execution));
  return {};
}

std::string Attempt::board_directory() const {
  const auto& artifacts = experiment_.last().artifacts;
  const auto board = std::ranges::find(artifacts, "tb", &model::Artifact::tag);
  return board == artifacts.end() || board->mode != model::CaptureMode::capture ? std::string() : board->path;
}

// From when the record says that the script runs: of what does not run nothing is taken.
void Attempt::send_live() {
  if (services_.live_files == nullptr) return;
  sender_.emplace(*services_.live_files, services_.report,
                  LiveSenderOptions{.experiment = key(),
                                    .attempt = number(),
                                    .output_path = output_path(),
                                    .board_directory = board_directory(),
                                    .resources_path = path_of(k_resources_file)});
}

void Attempt::watch_metrics() {
  const std::string board = board_directory();
  if (!spec_.metrics.empty() && !board.empty()) metrics_.emplace(board, spec_.metrics);
}

// Between captures, by their thread.
void Attempt::follow_metrics() {
  if (!metrics_ || !metrics_->update()) return;
  const auto changed = change_experiment(services_, key(), [&](model::Experiment& experiment) -> Result<void> {
    TRY(check_is_ours(experiment));
    experiment.last().metrics = metrics_->metrics();
    return {};
  });
  // The next round tries again, and the end of the run writes them in any case.
  if (!changed) services_.report(Severity::detail, concat("the metrics are not recorded: ", changed.error().message));
}

void Attempt::tell_of_missing_metrics() const {
  for (const model::Metric& metric : metrics_->metrics()) {
    if (metric.value) continue;
    std::string found;
    for (const std::string& name : metrics_->found()) found += concat(found.empty() ? "" : ", ", printable(name));
    services_.report(Severity::warning,
                     concat("no finite value of the metric '", printable(metric.name), "' was written for TensorBoard",
                            found.empty() ? "; nothing was" : concat("; there is ", found)));
  }
}

void Attempt::gather_in_background() {
  gathering_ = std::jthread([this](std::stop_token stop) {
    const auto environment = gather_environment({.directory = spec_.directory, .interpreter = spec_.interpreter}, stop);
    const std::string text = model::to_json(environment).dump(2) + "\n";
    const auto put = blob::put(services_.repository.objects(),
                               content::environment_key(key(), experiment_.last().number), as_bytes(text));
    if (!put) services_.report(Severity::warning, concat("the environment is not recorded: ", put.error().message));
  });
}

// What the end of a run leaves on a server that is away now may get there in a while.
template <class Action>
auto Attempt::patiently(const std::stop_token& stop, const Action& action) -> decltype(action()) {
  using namespace std::chrono_literals;
  constexpr auto k_patience = 10min;
  std::mutex mutex;
  std::condition_variable_any never;
  for (std::chrono::milliseconds pause = 1s;; pause = std::min<std::chrono::milliseconds>(2 * pause, 30s)) {
    auto result = action();
    const bool may_pass = !result && result.error().code == Code::unavailable && services_.catalog_is_shared;
    if (!may_pass || stop.stop_requested()) return result;
    const auto now = std::chrono::steady_clock::now();
    if (!patience_ends_) {
      patience_ends_ = now + k_patience;
      services_.report(Severity::warning, concat(result.error().message, "; the end of the run waits up to ",
                                                 format_duration(k_patience), " for it: interrupt it to go on"));
    }
    if (now >= *patience_ends_) return result;
    std::unique_lock lock(mutex);
    never.wait_for(lock, stop, pause, [] { return false; });
  }
}

// Everything that is captured continuously, once more, at normal priority: now nothing changes any more. False if it is
// not all in the store.
bool Attempt::capture_finally(const std::stop_token& stop) {
  bool all = true;
  for (const model::Artifact& artifact : experiment_.last().artifacts) {
    if (artifact.mode != model::CaptureMode::capture) continue;
    const auto captured =
        patiently(stop, [&] { return capturer_->capture(artifact, model::CaptureReason::final, stop); });
    all = all && captured && captured->complete;
    if (captured) {
      captured_.push_back(*captured);
    } else if (captured.error().code == Code::cancelled) {
      final_interrupted_ = true;
    } else {
      final_failures_.push_back(captured.error().message);
      services_.report(Severity::warning, concat("the last state is not captured: ", captured.error().message));
    }
  }
  if (final_interrupted_)
    services_.report(Severity::warning, "the final capture was interrupted; the versions before it are kept");
  return all;
}

void Attempt::decide_state(model::Attempt& attempt) const {
  const os::ChildExit& exit = execution_.exit;
  attempt.failure.clear();  // another command may have taken the run for lost
  attempt.reason.clear();
  attempt.exit_code = exit.exit_code;
  attempt.signal = exit.signal;
  attempt.usage = {exit.usage.user_seconds, exit.usage.system_seconds, exit.usage.peak_memory_bytes};
  if (execution_.stop_request != model::StopRequest::none) {
    attempt.state = model::State::stopped;
    attempt.reason = execution_.stop_request == model::StopRequest::kill ? "ended by 'studio runs kill'"
                                                                         : "ended by 'studio runs stop'";
  } else if (execution_.stop_signal) {
    attempt.state = model::State::stopped;
    attempt.reason = concat("interrupted by ", os::signal_name(*execution_.stop_signal));
  } else if (exit.signal) {
    attempt.state = model::State::killed;
    attempt.failure = "script";
    attempt.reason =
        concat("the script died of ", os::signal_name(*exit.signal), exit.core_dumped ? " and left a core dump" : "");
  } else if (exit.exit_code != 0) {
    attempt.state = model::State::failed;
    attempt.failure = "script";
    attempt.reason = concat("the script exited with code ", *exit.exit_code);
  } else {
    attempt.state = model::State::finished;
  }
  std::string trouble = final_interrupted_ ? "the final capture was interrupted" : "";
  for (const std::string& failure : final_failures_)
    trouble += concat(trouble.empty() ? "" : "; ", "final capture: ", failure);
  if (!trouble.empty()) attempt.reason += concat(attempt.reason.empty() ? "" : "; ", trouble);
}

// A signal from now on means: leave out what is not done yet.
RunOutcome Attempt::finish() {
  const auto watch = SignalWatch::start(signals_);
  const std::stop_token stop = watch ? (*watch)->token() : std::stop_token();
  const bool all_captured = capture_finally(stop);
  if (metrics_) {
    metrics_->update();
    tell_of_missing_metrics();
  }
  // Who looks on is to see the last line before the record says that it was the last.
  if (sender_) sender_->finish(stop);
  record_end(all_captured, stop);
  {
    const std::stop_callback hurry(stop, [this] { gathering_.request_stop(); });
    if (gathering_.joinable()) gathering_.join();
  }
  if (follower_) follower_->finish(stop);
  summarise();
  const os::ChildExit& exit = execution_.exit;
  return {experiment_, exit.signal ? 128 + *exit.signal : exit.exit_code.value_or(0), final_interrupted_};
}

void Attempt::record_end(bool all_captured, const std::stop_token& stop) {
  const auto end = [&](model::Experiment& experiment) -> Result<void> {
    TRY(check_is_ours(experiment));
    model::Attempt& attempt = experiment.last();
    attempt.artifacts = experiment_.last().artifacts;
    attempt.process = experiment_.last().process;
    attempt.ended = services_.clock.now();
    decide_state(attempt);
    if (metrics_) attempt.metrics = metrics_->metrics();
    capturer_->fill_versions(attempt.artifacts);
    return {};
  };
  auto ended = patiently(stop, [&] { return change_experiment(services_, key(), end); });
  if (ended) {
    experiment_ = std::move(*ended);
    if (all_captured) mark_captured(services_, experiment_);
    remove_captured_attempts(services_, experiment_);
  } else {
    services_.report(Severity::warning, concat("the end of '", key(), "' is not recorded: ", ended.error().message));
    (void)end(experiment_);  // for the summary; it cannot be superseded by itself
    keep_end();
  }
}

void Attempt::keep_end() const {
  const std::string text = model::to_json(experiment_.last(), key()).dump() + "\n";
  if (const auto kept = os::write_file(path_of(k_end_file), as_bytes(text)); !kept)
    services_.report(Severity::warning, kept.error().message);
  else
    services_.report(
        Severity::notice,
        "the next studio command on this machine records it, and captures what is left in Studio's directories");
}

void Attempt::summarise() const {
  std::string line = concat(key(), " ", model::name_of(experiment_.state()));
  const char* separator = "; ";
  for (const Captured& captured : captured_) {
    line += concat(separator, captured.tag, " ", model::version_name(captured.version),
                   captured.is_new ? " (new)" : " (unchanged)");
    separator = ", ";
  }
  services_.report(Severity::notice, line);
}

Error Attempt::give_up(Error error) {
  const auto recorded = change_experiment(services_, key(), [&](model::Experiment& experiment) -> Result<void> {
    TRY(check_is_ours(experiment));
    model::Attempt& attempt = experiment.last();
    attempt.state = error.code == Code::cancelled ? model::State::stopped : model::State::failed;
    attempt.failure = error.code == Code::cancelled ? "" : "studio";
    attempt.reason = error.message;
    attempt.ended = services_.clock.now();
    if (capturer_) capturer_->fill_versions(attempt.artifacts);
    return {};
  });
  if (!recorded) services_.report(Severity::warning, recorded.error().message);
  return error;
}

}  // namespace

Result<RunOutcome> run(const Services& services, const RunSpec& spec) {
  const std::vector<int> watched = signals_to_watch();
  TRY_ASSIGN(os::SignalFd signals, os::SignalFd::make(watched));
  TRY(os::become_subreaper());
  std::string key = spec.experiment;
  if (key.empty()) {
    TRY_ASSIGN(key, make_key());
  }
  TRY(check_sources(spec));
  TRY(check_not_own(services.home, spec));
  TRY_ASSIGN(const auto reuses, resolve_reuses(services, spec));
  TRY_ASSIGN(const os::FileLock lock, take_run_lock(services, key));
  Attempt attempt(services, spec, signals);
  TRY(attempt.create(key, reuses));
  services.report(Severity::notice, concat("experiment ", key, " attempt ", attempt.number()));
  if (auto prepared = attempt.prepare(reuses); !prepared) return attempt.give_up(prepared.error());
  if (auto started = attempt.start(); !started) return attempt.give_up(started.error());
  if (auto supervised = attempt.supervise(); !supervised) return attempt.give_up(supervised.error());
  return attempt.finish();
}

}  // namespace studio::engine
