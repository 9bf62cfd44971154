// All experiments as a page lists them: in memory, so that 100,000 are searched and sorted in milliseconds.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "model/experiment.hpp"
#include "server/reuse_index.hpp"

namespace studio::server {

enum class SortKey { created, key, project, owner, status, started, duration, metric };
// Of all but `metric`, which needs a name.
std::optional<SortKey> parse_sort_key(std::string_view name);

// Whether the one who asks may know of the experiment; empty: of all.
using Visible = std::function<bool(const model::Experiment&)>;

struct ExperimentQuery {
  std::vector<std::string>
      words;  // each must occur in key, project, owner, command or directory; ASCII case is ignored
  std::optional<std::string> project;
  std::vector<model::State> states;       // empty: any
  std::optional<std::string> key_prefix;  // compared as bytes
  bool deleted = false;                   // those that were deleted, in place of all others
  SortKey sort = SortKey::created;
  std::string metric;         // the name to sort by; who has no value of it comes last
  bool is_descending = true;  // ties go by key, ascending
  std::uint64_t offset = 0;
  std::uint64_t limit = 100;
  Visible visible = nullptr;
};

using ExperimentPointer = std::shared_ptr<const model::Experiment>;  // without the attempt's artifacts

struct ExperimentPage {
  std::vector<ExperimentPointer> experiments;
  std::uint64_t total = 0;           // that match, on all pages
  std::uint64_t sequence = 0;        // the moment (catalog::Changes) that it shows
  std::vector<std::string> metrics;  // names among those that match, the most frequent first, at most 20
};

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
  // The experiment as it is; nothing if there is none.
  ExperimentPointer find(std::string_view key) const;

 private:
  struct Row {
    ExperimentPointer experiment;
    std::string text;  // what is searched, in small letters
    WallTime created;  // again, where all rows are looked at: an experiment lies elsewhere in memory
  };

  void take(catalog::Changes changes);
  void take_uses(const model::Experiment& experiment);

  catalog::Catalog& catalog_;
  std::mutex refreshing_;
  mutable std::shared_mutex mutex_;
  std::vector<Row> rows_;
  std::map<std::string, std::size_t, std::less<>> positions_;  // in rows_, by key
  std::deque<ExperimentChange> recent_;                        // ascending
  ReuseIndex reuses_;                                          // as the next, guarded by refreshing_
  // By key the first attempt whose artifacts are not in reuses_: a record holds those of its last attempt only.
  std::map<std::string, std::uint64_t> unseen_attempts_;
  bool has_metrics_ = false;  // any of them
  std::uint64_t sequence_ = 0;
  std::uint64_t forgotten_ = 0;  // the last moment before recent_
};

}  // namespace studio::server
