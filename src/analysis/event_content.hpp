// What TensorBoard's event files hold: scalars with their values, and where in the files the images, histograms and
// texts stand, which are read again when someone looks at them.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/byte_source.hpp"
#include "analysis/event_file.hpp"
#include "analysis/hyperparameters.hpp"
#include "analysis/scalar_series.hpp"
#include "base/result.hpp"

namespace studio::analysis {

enum class SummaryKind { histogram, image, text };
inline constexpr std::array k_summary_kinds{SummaryKind::histogram, SummaryKind::image, SummaryKind::text};
std::string_view name_of(SummaryKind kind);

// The record that a summary is in.
struct SummaryPlace {
  std::int64_t step = 0;
  double wall_time = 0;      // seconds since 1970
  std::uint64_t offset = 0;  // in the file
  std::uint32_t length = 0;  // bytes, at most k_most_place
  std::uint32_t file = 0;    // its number, by whoever counts the files
  std::uint32_t parts = 0;   // images, buckets or texts
  friend bool operator==(const SummaryPlace&, const SummaryPlace&) = default;
};
using SummarySeries = std::map<std::string, std::vector<SummaryPlace>, std::less<>>;  // by tag

// Of one directory, which TensorBoard calls a run. All in the order of the files.
struct RunContent {
  ScalarSeries scalars;
  std::map<SummaryKind, SummarySeries> summaries;
  Hyperparameters hyperparameters;
};

inline constexpr std::size_t k_most_points = 2'000'000;  // scalars, which take 48 MB, and places together
inline constexpr std::size_t k_most_tags = 10'000;       // of all kinds
inline constexpr std::uint64_t k_most_place = 64 << 20;  // bytes of a record that is read again

// Takes in what readers of event files find, up to those bounds. Used by one thread at a time.
class EventCollector {
 public:
  // To be handed to that reader of a file of that run; both must stay where they are.
  EventVisitor visitor(const EventFileReader& reader, const std::string& run, std::uint32_t file = 0);

  const std::map<std::string, RunContent>& runs() const { return runs_; }
  std::map<std::string, RunContent>& runs() { return runs_; }
  bool is_full() const { return lacks_points_; }  // all values that follow are passed over
  // What was passed over, in words.
  std::vector<std::string> problems() const;

 private:
  // The points of a tag; null if there is no room for another.
  template <class Points>
  Points* room(std::map<std::string, Points, std::less<>>& series, std::string_view tag);
  void add_place(RunContent& run, SummaryKind kind, const PointHead& head, SummaryPlace place);

  std::map<std::string, RunContent> runs_;  // by the directory's path
  std::size_t points_ = 0;
  std::size_t tags_ = 0;
  std::uint64_t too_long_ = 0;  // records
  bool lacks_tags_ = false;
  bool lacks_points_ = false;
};

struct EventFileContent {
  RunContent content;
  std::vector<std::string> problems;  // why some of it could not be read
};

// Reads the whole file. Damage is a problem of what was read before it; errors are those of the source.
Result<EventFileContent> read_event_file(ByteSource& file);

// What stands at a place now, handed to the visitor; it may be of other tags too. `corrupt` if that is no record.
Result<void> read_place(ByteSource& file, const SummaryPlace& place, SummaryKind kind, std::string_view tag,
                        const EventVisitor& visitor);

}  // namespace studio::analysis
