#include "engine/capture.hpp"

#include <sys/stat.h>

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "engine/ledger.hpp"
#include "os/priority.hpp"

namespace studio::engine {

namespace {

std::string label_of(const model::Artifact& artifact) { return concat("artifact '", artifact.tag, "'"); }

model::Version make_version(const content::Saved& saved, const std::string& experiment, std::uint64_t attempt,
                            const std::string& tag, model::CaptureReason reason, WallTime now) {
  return {.experiment = experiment,
          .tag = tag,
          .attempt = attempt,
          .reason = reason,
          .created = now,
          .kind = saved.tree.kind,
          .file_name = saved.tree.file_name,
          .root = saved.tree.root,
          .root_mode = saved.tree.root_mode,
          .root_modified_ns = saved.tree.root_modified_ns,
          .totals = saved.tree.totals,
          .changes = saved.changes,
          .new_bytes = saved.new_bytes,
          .stored_bytes = saved.stored_bytes,
          .problems = saved.tree.problems,
          .problem_count = saved.tree.problem_count};
}

}  // namespace

Capturer::Capturer(const Services& services, std::string experiment, std::uint64_t attempt, std::string output_path,
                   const std::vector<std::string>& own_paths)
    : services_(services), experiment_(std::move(experiment)), attempt_(attempt), output_path_(std::move(output_path)) {
  for (const std::string& path : own_paths) {
    struct stat info {};
    if (::stat(path.c_str(), &info) == 0) left_out_.push_back(os::id_of(info));
  }
}

Result<Captured> Capturer::capture(const model::Artifact& artifact, model::CaptureReason reason, std::stop_token stop) {
  auto captured = capture_unnamed(artifact, reason, std::move(stop));
  if (!captured) return within(label_of(artifact), captured.error());
  return captured;
}

Result<Captured> Capturer::capture_unnamed(const model::Artifact& artifact, model::CaptureReason reason,
                                           std::stop_token stop) {
  TRY_ASSIGN(const auto previous, services_.catalog.latest(experiment_, artifact.tag));
  content::SaveRequest request{.path = artifact.path,
                               .previous = previous ? &*previous : nullptr,
                               .left_out = left_out_,
                               .missing_is_empty = reason == model::CaptureReason::final,
                               .append_only = artifact.path == output_path_};
  TRY_ASSIGN(auto saved, services_.repository.save(std::move(request), stop));
  report_once(artifact, saved);

  Captured captured{.tag = artifact.tag, .is_new = saved.changed, .complete = saved.tree.problem_count == 0};
  model::Version version;
  if (saved.changed) {
    version = make_version(saved, experiment_, attempt_, artifact.tag, reason, services_.clock.now());
    TRY(commit_version(services_, version));
  } else {
    version = *previous;
  }
  services_.repository.remember(saved, artifact.path, version);
  captured.version = version.number;
  services_.report(Severity::detail, concat("captured ", artifact.tag, " ", model::version_name(version.number),
                                            captured.is_new ? "" : " (unchanged)"));
  const std::lock_guard lock(mutex_);
  const auto [range, added] = ranges_.try_emplace(artifact.tag, Range{version.number, version.number});
  range->second.last = version.number;
  return captured;
}

void Capturer::report_once(const model::Artifact& artifact, const content::Saved& saved) {
  std::vector<std::string>& told = told_[artifact.tag];
  const auto tell = [&](Severity severity, const std::string& line) {
    if (std::find(told.begin(), told.end(), line) != told.end()) return;
    told.push_back(line);
    services_.report(severity, line);
  };
  for (const std::string& path : saved.tree.left_out)
    tell(Severity::notice, concat(label_of(artifact), ": '", printable(path), "' is left out: it is Studio's own"));
  for (const model::Problem& problem : saved.tree.problems)
    if (told.size() < 10)
      tell(Severity::warning, concat(label_of(artifact), ": '", printable(problem.path), "': ", problem.problem));
}

void Capturer::fill_versions(std::vector<model::Artifact>& artifacts) const {
  const std::lock_guard lock(mutex_);
  for (model::Artifact& artifact : artifacts) {
    const auto range = ranges_.find(artifact.tag);
    if (range == ranges_.end()) continue;
    artifact.first_version = range->second.first;
    artifact.last_version = range->second.last;
  }
}

CaptureLoop::CaptureLoop(Capturer& capturer, const Reporter& report, std::vector<model::Artifact> artifacts,
                         std::vector<std::string> at_start, std::chrono::milliseconds interval,
                         std::function<void()> after_round)
    : capturer_(capturer),
      report_(report),
      artifacts_(std::move(artifacts)),
      at_start_(std::move(at_start)),
      interval_(interval),
      after_round_(std::move(after_round)),
      thread_([this](std::stop_token stop) { run(std::move(stop)); }) {}

CaptureLoop::~CaptureLoop() { thread_.request_stop(); }

void CaptureLoop::run(std::stop_token stop) {
  os::lower_priority_of_this_thread();
  round(model::CaptureReason::start, &at_start_, stop);
  auto due = std::chrono::steady_clock::now() + interval_;
  bool told_of_delay = false;
  while (true) {
    {
      std::unique_lock lock(mutex_);
      wake_.wait_until(lock, stop, due, [] { return false; });
    }
    if (stop.stop_requested()) return;
    round(model::CaptureReason::interval, nullptr, stop);
    if (!stop.stop_requested()) after_round_();
    due += interval_;
    const auto now = std::chrono::steady_clock::now();
    if (now <= due) continue;
    if (!told_of_delay && !stop.stop_requested())
      report_(Severity::notice, concat("a capture takes longer than the interval of ", format_duration(interval_),
                                       "; the next one begins when it has ended"));
    told_of_delay = true;
    due = now;
  }
}

void CaptureLoop::round(model::CaptureReason reason, const std::vector<std::string>* only, std::stop_token stop) {
  for (const model::Artifact& artifact : artifacts_) {
    if (stop.stop_requested()) return;
    if (only != nullptr && std::find(only->begin(), only->end(), artifact.tag) == only->end()) continue;
    const auto captured = capturer_.capture(artifact, reason, stop);
    if (captured) {
      last_error_.erase(artifact.tag);
    } else if (captured.error().code != Code::cancelled && captured.error().code != Code::not_found) {
      // A script may take its directory away and put another in its place: not_found is no news. The same failure is
      // told once.
      if (std::exchange(last_error_[artifact.tag], captured.error().message) != captured.error().message)
        report_(Severity::warning, captured.error().message);
    }
  }
}

}  // namespace studio::engine
