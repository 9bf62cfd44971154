#include "engine/lost_run.hpp"

#include <fcntl.h>
#include <unistd.h>

#include "base/concat.hpp"
#include "engine/attempt.hpp"
#include "engine/capture.hpp"
#include "engine/ledger.hpp"
#include "os/fd.hpp"

namespace studio::engine {

namespace {

os::GroupIdentity identity_of(const Services& services, const model::Experiment& experiment) {
  const model::Attempt& attempt = experiment.last();
  return {.leader = static_cast<pid_t>(attempt.process.script_pid),
          .leader_start_time = attempt.process.script_start,
          .environment = {concat("STUDIOML_EXPERIMENT=", experiment.key), concat("STUDIOML_ATTEMPT=", attempt.number),
                          concat("STUDIOML_HOME=", services.home.root)}};
}

std::string orphan_marker(const Services& services, const model::Experiment& experiment) {
  return services.home.attempt(experiment.key, experiment.last().number) + "/orphaned";
}

}  // namespace

std::string this_host() {
  std::string name(256, '\0');
  if (::gethostname(name.data(), name.size() - 1) != 0) return "unknown";
  name.resize(name.find('\0'));
  return name;
}

std::vector<os::Process> living_processes(const Services& services, const model::Experiment& experiment) {
  return os::group_members(identity_of(services, experiment));
}

std::string what_runs(const Services& services, const model::Experiment& experiment) {
  if (model::is_live(experiment.state())) return concat("runs on ", experiment.last().process.host);
  const bool is_orphan = experiment.state() == model::State::lost && !living_processes(services, experiment).empty();
  return is_orphan ? "is lost, but its script still runs" : "";
}

bool end_processes(const Services& services, const model::Experiment& experiment, const os::EndOptions& options) {
  const auto left = os::end_group(identity_of(services, experiment), options);
  for (const os::Process& process : left)
    services.report(Severity::warning,
                    concat("process ", process.pid, " of '", experiment.key, "' could not be ended"));
  return left.empty();
}

Result<void> mark_orphaned(const Services& services, const model::Experiment& experiment) {
  TRY(os::open(orphan_marker(services, experiment), O_WRONLY | O_CREAT, 0600));
  return {};
}

bool is_orphaned(const Services& services, const model::Experiment& experiment) {
  return os::exists(orphan_marker(services, experiment));
}

Result<void> recover_artifacts(const Services& services, const model::Experiment& experiment) {
  const std::uint64_t number = experiment.last().number;
  const std::string directory = services.home.attempt(experiment.key, number);
  Capturer capturer(services, experiment.key, number, directory + k_output_file, {services.home.root});
  bool all = true;
  for (const model::Artifact& artifact : experiment.last().artifacts) {
    if (artifact.mode != model::CaptureMode::capture || !artifact.path.starts_with(directory + "/")) continue;
    if (!os::exists(artifact.path)) continue;
    const auto captured = capturer.capture(artifact, model::CaptureReason::recovered);
    if (!captured) services.report(Severity::warning, captured.error().message);
    all = all && captured && captured->complete;
  }
  TRY_ASSIGN(const auto versions, services.catalog.versions(experiment.key, std::nullopt));
  TRY_ASSIGN(const auto complete,
             change_experiment(services, experiment.key, [&](model::Experiment& record) -> Result<void> {
               if (record.last().number != number) return Error{Code::conflict, "another attempt has begun"};
               for (model::Artifact& artifact : record.last().artifacts) {
                 for (const model::Version& version : versions) {
                   if (version.tag != artifact.tag || version.attempt != number) continue;
                   if (!artifact.first_version) artifact.first_version = version.number;
                   artifact.last_version = version.number;
                 }
               }
               return {};
             }));
  if (all) mark_captured(services, complete);
  ::unlink(orphan_marker(services, experiment).c_str());
  return {};
}

}  // namespace studio::engine
