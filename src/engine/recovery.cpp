#include "engine/recovery.hpp"

#include <cerrno>
#include <csignal>
#include <functional>
#include <optional>
#include <string>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "engine/ledger.hpp"
#include "engine/lost_run.hpp"
#include "model/json_fields.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_experiments = 10'000;

// Nothing while the run's Studio lives. The lock, which the kernel drops with its holder, decides; it is kept while the
// record is mended, so that neither a new run nor another repair comes in between.
Result<std::optional<os::FileLock>> take_lock_of_dead(const Services& services, const model::Experiment& experiment) {
  const std::string path = services.home.run_lock(experiment.key);
  const model::ProcessInfo& process = experiment.last().process;
  const bool is_here = process.host == this_host();  // a container that was made anew has another name
  // A home that several machines mount may have locks that hold on one of them only.
  if (!is_here && os::is_on_network(services.home.root)) return std::optional<os::FileLock>();
  // Without a lock file the run was started with another home.
  const bool is_gone = is_here && ::kill(static_cast<pid_t>(process.studio_pid), 0) != 0 && errno == ESRCH;
  if (!os::exists(path) && !is_gone) return std::optional<os::FileLock>();
  return os::FileLock::try_acquire(path);
}

// Everything that is lost by a second interruption comes before the record says `lost`: then the next command tries
// again.
Result<void> mend_lost_run(const Services& services, const model::Experiment& found) {
  TRY_ASSIGN(const model::Experiment current, services.catalog.load(found.key));
  if (current.token() != found.token() || !model::is_live(current.state())) return {};  // its own Studio was quicker
  const bool script_lives = !living_processes(services, current).empty();
  TRY(adopt_published_versions(services, current.key));
  TRY(script_lives ? mark_orphaned(services, current) : recover_artifacts(services, current));
  TRY_ASSIGN(const auto lost,
             change_experiment(services, current.key, [&](model::Experiment& experiment) -> Result<void> {
               if (experiment.token() != current.token()) return Error{Code::conflict, "another attempt has begun"};
               model::Attempt& attempt = experiment.last();
               attempt.state = model::State::lost;
               attempt.failure = "studio";
               attempt.reason = concat("studio (process ", attempt.process.studio_pid,
                                       ") died without recording an end: it was killed, or the machine went down");
               if (script_lives)
                 attempt.reason += concat("; its script (process ", attempt.process.script_pid, ") went on");
               attempt.ended = services.clock.now();
               return {};
             }));
  services.report(Severity::warning,
                  concat("experiment ", lost.key, " is lost: ", lost.last().reason,
                         script_lives ? concat("; end it with 'studio runs stop ", lost.key, "'") : std::string()));
  return {};
}

// Of a run that was lost while its script went on: what the script has left, once it has ended.
Result<void> mend_orphaned_run(const Services& services, const model::Experiment& found) {
  TRY_ASSIGN(const model::Experiment current, services.catalog.load(found.key));
  if (current.token() != found.token() || !is_orphaned(services, current)) return {};
  if (!living_processes(services, current).empty()) return {};
  TRY(recover_artifacts(services, current));
  services.report(Severity::notice, concat("the script of the lost experiment ", current.key,
                                           " has ended; what it left in Studio's directories was captured"));
  return {};
}

Result<model::Experiment> parse_record(ByteView text) {
  TRY_ASSIGN(const auto json, model::parse_json(as_text(text)));
  return model::experiment_from_json(json);
}

Result<void> mend_each(const Services& services, const catalog::Filter& filter,
                       const std::function<Result<void>(const model::Experiment&)>& mend) {
  TRY_ASSIGN(const auto experiments, services.catalog.list(filter, k_most_experiments));
  for (const model::Experiment& experiment : experiments) {
    TRY_ASSIGN(const auto lock, take_lock_of_dead(services, experiment));
    if (!lock) continue;
    if (const auto mended = mend(experiment); !mended)
      services.report(Severity::warning, concat("cannot repair '", experiment.key, "': ", mended.error().message));
  }
  return {};
}

}  // namespace

Result<void> repair(const Services& services) {
  TRY(mend_each(services, {.states = {model::State::starting, model::State::running}},
                [&](const model::Experiment& experiment) { return mend_lost_run(services, experiment); }));
  return mend_each(services, {.states = {model::State::lost}}, [&](const model::Experiment& experiment) {
    return is_orphaned(services, experiment) ? mend_orphaned_run(services, experiment) : Result<void>();
  });
}

Result<std::size_t> rebuild_catalog(const Services& services) {
  std::size_t count = 0;
  blob::Store& store = services.repository.objects();
  TRY(store.list(content::k_experiments_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (!info.key.ends_with("/experiment.json")) return {};
    TRY_ASSIGN(const Bytes text, store.get(info.key));
    const auto experiment = parse_record(text);
    if (!experiment) {
      services.report(Severity::warning, concat(info.key, " is left out: ", experiment.error().message));
      return {};
    }
    const auto created = services.catalog.create(*experiment);
    if (!created && created.error().code != Code::already_exists) return created;
    ++count;
    return adopt_published_versions(services, experiment->key);
  }));
  return count;
}

}  // namespace studio::engine
