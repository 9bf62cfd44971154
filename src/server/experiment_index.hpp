// All experiments as a page lists them: in memory, so that 100,000 are searched and sorted in milliseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "model/experiment.hpp"
#include "server/experiment_query.hpp"
#include "server/experiment_rows.hpp"
#include "server/reuse_index.hpp"

namespace studio::server {

struct ExperimentChange {
  std::uint64_t sequence = 0;
  ExperimentPointer experiment;
};

struct ExperimentChanges {
  std::vector<ExperimentChange> experiments;  // ascending
  std::uint64_t sequence = 0;
  bool is_all = true;  // false: what changed is no longer known, there was more than is kept
};

// Thread-safe. Shows what the catalog held when refresh() began, or later.
class ExperimentIndex {
 public:
  // The catalog outlives it.
  explicit ExperimentIndex(catalog::Catalog& catalog) : catalog_(catalog) {}

  // Reads what has changed in the catalog: the first call all of it, later ones next to nothing. `now`: orders by
  // duration those that run.
  Result<void> refresh();
  ExperimentPage query(const ExperimentQuery& query, WallTime now) const;
  std::set<std::string> projects(const Visible& visible) const;
  std::uint64_t sequence() const;
  // After a moment, as far as the last 1,000 changes go back.
  ExperimentChanges changes(std::uint64_t sequence) const;
  // Who reuses the artifacts of the experiment, in any of their attempts. Asks the catalog, once for each experiment,
  // for attempts that came and went unseen.
  Result<Reuses> reuses(std::string_view key, std::size_t limit);
  // Those that are not listed because their records cannot be read, by key.
  std::vector<catalog::Unreadable> unreadable() const;
  // The experiment as it is; nothing if there is none, or it cannot be read.
  ExperimentPointer find(std::string_view key) const;

 private:
  void take(catalog::Changes changes);
  void take_uses(const model::Experiment& experiment);

  catalog::Catalog& catalog_;
  std::mutex refreshing_;
  mutable std::shared_mutex mutex_;
  ExperimentRows rows_;
  std::map<std::string, Error, std::less<>> unreadable_;
  std::deque<ExperimentChange> recent_;  // ascending
  ReuseIndex reuses_;                    // as the next, guarded by refreshing_
  // By key the first attempt whose artifacts are not in reuses_: a record holds those of its last attempt only.
  std::map<std::string, std::uint64_t> unseen_attempts_;
  std::uint64_t sequence_ = 0;
  std::uint64_t forgotten_ = 0;  // the last moment before recent_
};

}  // namespace studio::server
