// Which experiments a list shows, and in which order.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"
#include "model/experiment.hpp"
#include "server/experiment_rows.hpp"

namespace studio::server {

enum class SortKey { created, key, project, owner, status, started, duration, metric, parameter };

struct Sort {
  SortKey key = SortKey::created;
  std::string name = {};  // of the metric or parameter; experiments that have no value of it come last
  // Numbers come before other text, whatever the direction. What is equal goes by key, ascending.
  bool is_descending = true;
};
// "key", "-created", "metric:loss", "-parameter:lr"; nothing if it is no such thing.
std::optional<Sort> parse_sort(std::string_view text);

// Whether the one who asks may know of the experiment, as its project and owner tell; empty: of all.
using Visible = std::function<bool(const model::Experiment&)>;

struct ExperimentQuery {
  std::vector<std::string>
      words;  // each must occur in key, project, owner, command or directory; ASCII case is ignored
  std::optional<std::string> project;
  std::vector<model::State> states;       // empty: any
  std::optional<std::string> key_prefix;  // compared as bytes
  bool deleted = false;                   // those that were deleted, in place of all others
  Sort sort;
  std::uint64_t offset = 0;
  std::uint64_t limit = 100;
  Visible visible = nullptr;
};

struct ParameterName {
  std::string name;
  bool differs = false;  // not all that match have the same value of it
  friend bool operator==(const ParameterName&, const ParameterName&) = default;
};

struct ExperimentPage {
  std::vector<ExperimentPointer> experiments;
  std::uint64_t total = 0;     // that match, on all pages
  std::uint64_t sequence = 0;  // the moment (catalog::Changes) that it shows
  // Names that those which match have. The most frequent first, at most 20.
  std::vector<std::string> metrics;
  // Those that differ first, each of both the most frequent first, at most 50.
  std::vector<ParameterName> parameters;
};

// Of rows that are settled. `now`: orders by duration those that run. Leaves `sequence` alone.
ExperimentPage find_page(const ExperimentRows& rows, const ExperimentQuery& query, WallTime now);

}  // namespace studio::server
