#include "engine/recovery.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "engine/attempt.hpp"
#include "engine/ledger.hpp"
#include "engine/lost_run.hpp"
#include "model/json_fields.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_experiments = 10'000;

bool began_here(const model::Experiment& experiment) { return experiment.last().process.host == this_host(); }

// Whether the last attempt may be one that began with this home. A catalog of many machines holds runs of others under
// names that were used here, too, whose locks are still there: only what lies in this home itself tells.
bool may_be_of_this_home(const Services& services, const model::Experiment& experiment) {
  if (!services.catalog_is_shared) return true;
  const std::string directory = services.home.attempt(experiment.key, experiment.last().number) + "/";
  const auto lies_there = [&](const model::Artifact& artifact) { return artifact.path.starts_with(directory); };
  return began_here(experiment) && std::ranges::any_of(experiment.last().artifacts, lies_there) &&
         os::exists(directory);
}

// Of a run that began on this machine, and whose process number nobody has now.
bool is_studio_gone(const model::Experiment& experiment) {
  const auto pid = static_cast<pid_t>(experiment.last().process.studio_pid);
  return began_here(experiment) && ::kill(pid, 0) != 0 && errno == ESRCH;
}

// Nothing while the run's Studio lives. The lock, which the kernel drops with its holder, decides; it is kept while the
// record is mended, so that neither a new run nor another repair comes in between.
Result<std::optional<os::FileLock>> take_lock_of_dead(const Services& services, const model::Experiment& experiment) {
  if (!may_be_of_this_home(services, experiment)) return std::optional<os::FileLock>();
  const std::string path = services.home.run_lock(experiment.key);
  // A home that several machines mount may have locks that hold on one of them only. (A container that was made anew
  // has another name.)
  if (!began_here(experiment) && os::is_on_network(services.home.root)) return std::optional<os::FileLock>();
  // Without a lock file the run was started with another home.
  if (!os::exists(path) && !is_studio_gone(experiment)) return std::optional<os::FileLock>();
  return os::FileLock::try_acquire(path);
}

Result<model::Attempt> parse_attempt(ByteView text) {
  TRY_ASSIGN(const auto json, model::parse_json(as_text(text)));
  return model::attempt_from_json(json);
}

// How it ended, if its Studio knew and could not record it.
std::optional<model::Attempt> kept_end(const Services& services, const model::Experiment& experiment) {
  const auto text = os::read_file(services.home.attempt(experiment.key, experiment.last().number) + k_end_file);
  if (!text) return std::nullopt;
  auto attempt = parse_attempt(*text);
  if (!attempt || attempt->number != experiment.last().number) return std::nullopt;
  return *std::move(attempt);
}

// Everything that is lost by a second interruption comes before the record says `lost`: then the next command tries
// again.
Result<void> mend_lost_run(const Services& services, const model::Experiment& found) {
  TRY_ASSIGN(const model::Experiment current, services.catalog.load(found.key));
  if (current.token() != found.token() || !model::is_live(current.state())) return {};  // its own Studio was quicker
  const bool script_lives = !living_processes(services, current).empty();
  TRY(adopt_published_versions(services, current.key));
  TRY(script_lives ? mark_orphaned(services, current) : recover_artifacts(services, current));
  const auto end = script_lives ? std::nullopt : kept_end(services, current);
  TRY_ASSIGN(const auto mended,
             change_experiment(services, current.key, [&](model::Experiment& experiment) -> Result<void> {
               if (experiment.token() != current.token()) return Error{Code::conflict, "another attempt has begun"};
               model::Attempt& attempt = experiment.last();
               if (end) {
                 // The versions there are now were found by the recovery.
                 auto artifacts = std::move(attempt.artifacts);
                 attempt = *end;
                 attempt.artifacts = std::move(artifacts);
                 return {};
               }
               attempt.state = model::State::lost;
               attempt.failure = "studio";
               attempt.reason = concat("studio (process ", attempt.process.studio_pid,
                                       ") died without recording an end: it was killed, or the machine went down");
               if (script_lives)
                 attempt.reason += concat("; its script (process ", attempt.process.script_pid, ") went on");
               attempt.ended = services.clock.now();
               return {};
             }));
  if (end) {
    services.report(Severity::notice,
                    concat("the end of experiment ", mended.key, " is recorded now: ", model::name_of(mended.state())));
    return {};
  }
  services.report(Severity::warning,
                  concat("experiment ", mended.key, " is lost: ", mended.last().reason,
                         script_lives ? concat("; end it with 'studio runs stop ", mended.key, "'") : std::string()));
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

void tell_failure(const Services& services, const std::string& key, const Result<void>& mended) {
  if (!mended) services.report(Severity::warning, concat("cannot repair '", key, "': ", mended.error().message));
}

// Deleted ones too: they may be restored. Those that cannot be read are told by who lists them.
Result<void> mend_each(const Services& services, const std::vector<model::State>& states,
                       const std::function<Result<void>(const model::Experiment&)>& mend) {
  TRY_ASSIGN(const auto found,
             services.catalog.list({.states = states, .deleted = catalog::Deleted::any}, k_most_experiments));
  for (const model::Experiment& experiment : found.experiments) {
    TRY_ASSIGN(const auto lock, take_lock_of_dead(services, experiment));
    if (!lock) continue;
    tell_failure(services, experiment.key, mend(experiment));
  }
  return {};
}

}  // namespace

Result<void> repair(const Services& services) {
  TRY(mend_each(services, {model::State::starting, model::State::running},
                [&](const model::Experiment& experiment) { return mend_lost_run(services, experiment); }));
  return mend_each(services, {model::State::lost}, [&](const model::Experiment& experiment) {
    return is_orphaned(services, experiment) ? mend_orphaned_run(services, experiment) : Result<void>();
  });
}

Error in_use(const std::string& key, const std::string& why) {
  return {Code::already_exists, concat("experiment '", key, "' ", why),
          concat("choose another name, or end it with 'studio runs stop ", key, "'")};
}

Result<os::FileLock> take_run_lock(const Services& services, const std::string& key) {
  constexpr auto k_pause = std::chrono::milliseconds(20);
  constexpr int k_tries = 100;
  for (int i = 0; i < k_tries; ++i) {
    TRY_ASSIGN(auto lock, os::FileLock::try_acquire(services.home.run_lock(key)));
    const auto record = services.catalog.load(key);
    const bool is_live = record && model::is_live(record->state());
    const bool is_dead = is_live && may_be_of_this_home(services, *record) && is_studio_gone(*record);
    if (lock) {
      if (is_dead) tell_failure(services, key, mend_lost_run(services, *record));
      return std::move(*lock);
    }
    if (is_live && !is_dead) return in_use(key, "is running");
    services.clock.sleep_until(services.clock.now() + k_pause);
  }
  return Error{Code::already_exists,
               concat("experiment '", key, "' is in use: its last run is ending or being repaired"),
               "try again in a moment, or choose another name"};
}

namespace {

// What the store has of an experiment.
struct StoredExperiment {
  model::Experiment experiment;
  std::map<std::uint64_t, model::Attempt> attempts;  // by number, the last among them
};

Result<StoredExperiment> parse_experiment(ByteView text) {
  TRY_ASSIGN(const auto json, model::parse_json(as_text(text)));
  StoredExperiment stored;
  TRY_ASSIGN(stored.experiment, model::experiment_from_json(json));
  TRY_ASSIGN(auto attempts, model::attempts_from_json(json));
  for (model::Attempt& attempt : attempts) stored.attempts.emplace(attempt.number, std::move(attempt));
  return stored;
}

void report_left_out(const Services& services, const std::string& object, const Error& error) {
  services.report(Severity::warning, concat(object, " is left out: ", error.message));
}

Result<void> add_earlier_attempts(const Services& services, StoredExperiment& stored) {
  blob::Store& store = services.repository.objects();
  const std::string prefix = concat(content::k_experiments_prefix, stored.experiment.key, "/attempts/");
  return store.list(prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (!info.key.ends_with("/attempt.json")) return {};
    TRY_ASSIGN(const Bytes text, store.get(info.key));
    auto attempt = parse_attempt(text);
    if (!attempt) {
      report_left_out(services, info.key, attempt.error());
    } else if (attempt->number < stored.experiment.attempt.number) {
      stored.attempts.emplace(attempt->number, std::move(*attempt));
    }
    return {};
  });
}

// One attempt after the other, as they were made: the catalog keeps the earlier ones.
Result<void> enter(const Services& services, const StoredExperiment& stored) {
  model::Experiment record = stored.experiment;
  bool is_there = false;
  for (const auto& [number, attempt] : stored.attempts) {
    record.attempt = attempt;
    if (is_there) {
      TRY_ASSIGN(record.revision, services.catalog.update(record));
      continue;
    }
    const auto created = services.catalog.create(record);
    if (!created && created.error().code == Code::already_exists) return {};
    TRY(created);
    record.revision = 1;
    is_there = true;
  }
  return {};
}

}  // namespace

Result<std::size_t> rebuild_catalog(const Services& services) {
  std::size_t count = 0;
  blob::Store& store = services.repository.objects();
  const auto add = [&](const blob::ObjectInfo& info) -> Result<void> {
    if (!info.key.ends_with("/experiment.json")) return {};
    TRY_ASSIGN(const Bytes text, store.get(info.key));
    auto stored = parse_experiment(text);
    if (!stored) {
      report_left_out(services, info.key, stored.error());
      return {};
    }
    TRY(add_earlier_attempts(services, *stored));
    TRY(enter(services, *stored));
    ++count;
    return adopt_published_versions(services, stored->experiment.key);
  };
  TRY(store.list(content::k_experiments_prefix, add));
  return count;
}

}  // namespace studio::engine
