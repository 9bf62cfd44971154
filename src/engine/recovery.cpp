#include "engine/recovery.hpp"

#include <unistd.h>

#include <string>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "engine/attempt.hpp"
#include "engine/capture.hpp"
#include "engine/ledger.hpp"
#include "engine/lost_run.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_live = 10'000;

// Whether a record that says "live" is of a process that is gone. The lock, which the kernel drops with its holder,
// decides; it is kept while the record is mended, so that neither a new run nor another repair comes in between.
Result<std::optional<os::FileLock>> take_lock_of_dead(const Services& services, const model::Experiment& experiment) {
  if (experiment.last().process.host != this_host()) return std::optional<os::FileLock>();
  return os::FileLock::try_acquire(services.home.run_lock(experiment.key));
}

Result<void> mark_lost(const Services& services, const model::Experiment& found) {
  const bool script_lives = !living_processes(services, found).empty();
  TRY_ASSIGN(const auto lost,
             change_experiment(services, found.key, [&](model::Experiment& experiment) -> Result<void> {
               model::Attempt& attempt = experiment.last();
               if (!model::is_live(attempt.state)) return Error{Code::cancelled, ""};  // its own studio was quicker
               attempt.state = model::State::lost;
               attempt.failure = "studio";
               attempt.reason = concat("studio (process ", attempt.process.studio_pid,
                                       ") died without recording an end: it was killed, or the machine went down");
               if (script_lives)
                 attempt.reason += concat("; its script (process ", attempt.process.script_pid,
                                          ") still runs, end it with 'studio runs stop ", experiment.key, "'");
               attempt.ended = services.clock.now();
               return {};
             }));
  services.report(Severity::warning, concat("experiment ", lost.key, " is lost: ", lost.last().reason));
  TRY(adopt_published_versions(services, lost.key));
  return script_lives ? Result<void>() : recover_artifacts(services, lost);
}

}  // namespace

Result<void> repair(const Services& services) {
  const catalog::Filter live{.states = {model::State::starting, model::State::running}};
  TRY_ASSIGN(const auto experiments, services.catalog.list(live, k_most_live));
  for (const model::Experiment& experiment : experiments) {
    TRY_ASSIGN(const auto lock, take_lock_of_dead(services, experiment));
    if (!lock) continue;
    const auto marked = mark_lost(services, experiment);
    if (!marked && marked.error().code != Code::cancelled)
      services.report(Severity::warning, concat("cannot repair '", experiment.key, "': ", marked.error().message));
  }
  return {};
}

Result<std::size_t> rebuild_catalog(const Services& services) {
  std::size_t count = 0;
  blob::Store& store = services.repository.objects();
  TRY(store.list(content::k_experiments_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (!info.key.ends_with("/experiment.json")) return {};
    TRY_ASSIGN(const Bytes text, store.get(info.key));
    const auto experiment = model::experiment_from_json(nlohmann::json::parse(as_text(text), nullptr, false));
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
