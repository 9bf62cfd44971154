#include "server/summary_routes.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <nlohmann/json.hpp>

#include "analysis/encoded_image.hpp"
#include "analysis/histogram.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "server/answer.hpp"
#include "server/event_json.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using analysis::HistogramBucket;
using analysis::Hyperparameters;
using analysis::PointHead;
using analysis::RunContent;
using analysis::SummaryKind;
using analysis::SummaryPlace;
using nlohmann::ordered_json;

constexpr std::size_t k_most_points = 1000;  // of one tag that are listed
constexpr std::size_t k_most_runs = 1000;    // whose hyperparameters are listed
constexpr std::uint64_t k_usual_steps = 200;
constexpr std::uint64_t k_most_steps = 500;
constexpr std::uint64_t k_usual_bins = 60;
constexpr std::uint64_t k_most_bins = 200;
constexpr std::size_t k_most_buckets = 1024;                      // of one histogram that are held
constexpr std::uint64_t k_most_read = analysis::k_most_place;     // bytes of records for one answer
constexpr std::size_t k_most_text = 256 << 10;                    // bytes
constexpr std::size_t k_most_texts = 1000;                        // at one step
constexpr std::uint64_t k_most_pixels = std::uint64_t{64} << 20;  // which a browser holds in 256 MiB

// All directories' hyperparameters, of each those of its files together.
using HyperparameterRuns = std::map<std::string, Hyperparameters>;

void add(const Hyperparameters& found, Hyperparameters& all) {
  for (const auto& [name, value] : found.values) all.values.insert_or_assign(name, value);
  if (!found.group.empty()) all.group = found.group;
  if (found.started) all.started = found.started;
  if (found.ended) all.ended = found.ended;
  if (!found.status.empty()) all.status = found.status;
  all.is_cut = all.is_cut || found.is_cut;
}

ordered_json value_json(const analysis::HyperparameterValue& value) {
  if (const auto* number = std::get_if<double>(&value)) {
    // JSON has none for those that are not finite; as text they are still told apart.
    return std::isfinite(*number) ? ordered_json(*number) : ordered_json(std::to_string(*number));
  }
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  return to_utf8(std::get<std::string>(value));
}

ordered_json hyperparameters_json(const HyperparameterRuns& runs) {
  ordered_json array = ordered_json::array();
  for (const auto& [run, found] : runs) {
    ordered_json values = ordered_json::object();
    for (const auto& [name, value] : found.values) values[to_utf8(name)] = value_json(value);
    array.push_back({{"run", to_utf8(run)},
                     {"values", std::move(values)},
                     {"group", view::text_or_null(found.group)},
                     {"started", found.started ? ordered_json(*found.started) : ordered_json()},
                     {"ended", found.ended ? ordered_json(*found.ended) : ordered_json()},
                     {"status", view::text_or_null(found.status)},
                     {"cut", found.is_cut}});
  }
  return array;
}

// What the list tells of a tag.
struct Extent {
  std::uint64_t points = 0;
  std::int64_t first = 0;
  std::int64_t last = 0;

  void add(const std::vector<SummaryPlace>& places) {
    for (const SummaryPlace& place : places) {
      first = points == 0 ? place.step : std::min(first, place.step);
      last = points == 0 ? place.step : std::max(last, place.step);
      ++points;
    }
  }
};

Result<void> list_summaries(AttemptEvents& events, Call& call) {
  std::map<SummaryKind, std::map<std::pair<std::string, std::string>, Extent>> kinds;  // by tag and run
  HyperparameterRuns runs;
  std::size_t tags = 0;
  bool is_cut = false;
  const auto take = [&](const std::string& run, const RunContent& content, std::uint32_t) {
    for (const auto& [kind, series] : content.summaries) {
      auto& extents = kinds[kind];
      for (const auto& [tag, places] : series) {
        const auto [extent, is_new] = extents.try_emplace({tag, run});
        extent->second.add(places);
        if (!is_new || ++tags <= analysis::k_most_tags) continue;
        extents.erase(extent);
        is_cut = true;
      }
    }
    if (content.hyperparameters.empty()) return;
    if (runs.size() < k_most_runs || runs.contains(run)) add(content.hyperparameters, runs[run]);
  };
  TRY_ASSIGN(auto files, events.read(call, take));
  if (is_cut) files.problems.push_back(concat("only ", analysis::k_most_tags, " tags are shown"));
  ordered_json series = ordered_json::array();
  for (const auto& [kind, extents] : kinds)
    for (const auto& [name, extent] : extents)
      series.push_back({{"kind", name_of(kind)},
                        {"run", to_utf8(name.second)},
                        {"tag", to_utf8(name.first)},
                        {"points", extent.points},
                        {"first_step", extent.first},
                        {"last_step", extent.last}});
  answer_json(call, {{"version", version_json(files)},
                     {"series", std::move(series)},
                     {"hyperparameters", hyperparameters_json(runs)},
                     {"problems", problems_json(files)}});
  return {};
}

// The points of one tag of one run, by ascending step. Of a step that was written several times, as by a training that
// was resumed, the last.
struct Points {
  AttemptEvents::Files files;
  std::string run;  // as it was asked for, which is UTF-8
  std::string tag;
  std::string written_tag;  // as it is in the file
  std::vector<SummaryPlace> places;
};

Result<Points> find_points(AttemptEvents& events, const Call& call, SummaryKind kind) {
  Points points{.files = {},
                .run = call.target.parameter("run").value_or(""),
                .tag = call.target.parameter("tag").value_or(""),
                .written_tag = {},
                .places = {}};
  const auto take = [&](const std::string& run, const RunContent& content, std::uint32_t first_file) {
    const auto series = content.summaries.find(kind);
    if (series == content.summaries.end() || to_utf8(run) != points.run) return;
    for (const auto& [tag, places] : series->second) {
      // Of those that look the same as UTF-8, the first.
      if (to_utf8(tag) != points.tag || (!points.places.empty() && tag != points.written_tag)) continue;
      points.written_tag = tag;
      for (SummaryPlace place : places) {
        if (points.places.size() == analysis::k_most_points) return;
        place.file += first_file;
        points.places.push_back(place);
      }
    }
  };
  TRY_ASSIGN(points.files, events.read(call, take));
  if (points.places.empty())
    return Error{Code::not_found, concat("there is no ", name_of(kind), " '", printable(points.tag), "' of run '",
                                         printable(points.run), "'")};
  std::vector<SummaryPlace>& places = points.places;
  std::ranges::stable_sort(places, {}, &SummaryPlace::step);
  // From the end, so that the last of a step is the one that stays.
  const auto stay =
      std::unique(places.rbegin(), places.rend(), [](const auto& a, const auto& b) { return a.step == b.step; });
  places.erase(places.begin(), stay.base());
  return points;
}

// At most `most` (not 0) of them, evenly, the last among them.
void thin(std::vector<SummaryPlace>& places, std::size_t most) {
  const std::size_t count = places.size();
  if (count <= most) return;
  for (std::size_t i = 0; i < most; ++i) places[i] = places[most == 1 ? count - 1 : i * (count - 1) / (most - 1)];
  places.resize(most);
}

// The one that the parameter `step` names.
Result<SummaryPlace> find_place(const Points& points, const Call& call) {
  const std::string text = call.target.parameter("step").value_or("");
  std::int64_t step = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), step);
  if (error != std::errc() || end != text.data() + text.size())
    return Error{Code::invalid, "the parameter 'step' is not a whole number"};
  const auto at = std::ranges::lower_bound(points.places, step, {}, &SummaryPlace::step);
  if (at != points.places.end() && at->step == step) return *at;
  return Error{Code::not_found, concat("'", printable(points.tag), "' has no step ", step)};
}

Result<void> list_points(AttemptEvents& events, Call& call) {
  const std::string name = call.target.parameter("kind").value_or("");
  const auto kind = std::ranges::find(analysis::k_summary_kinds, name, analysis::name_of);
  if (kind == analysis::k_summary_kinds.end())
    return Error{Code::invalid, "the parameter 'kind' is neither 'histogram' nor 'image' nor 'text'"};
  TRY_ASSIGN(Points points, find_points(events, call, *kind));
  thin(points.places, k_most_points);
  ordered_json rows = ordered_json::array();
  for (const SummaryPlace& place : points.places) rows.push_back({place.step, place.wall_time, place.parts});
  answer_json(call, {{"run", points.run}, {"tag", points.tag}, {"points", std::move(rows)}});
  return {};
}

struct Histogram {
  std::vector<HistogramBucket> buckets;
  std::vector<double> quantiles;
};

// Neighbours as one until there are few enough.
void coarsen(std::vector<HistogramBucket>& buckets) {
  while (buckets.size() > k_most_buckets) {
    const std::size_t pairs = buckets.size() / 2;
    for (std::size_t i = 0; i < pairs; ++i) {
      const HistogramBucket& left = buckets[2 * i];
      const HistogramBucket& right = buckets[2 * i + 1];
      buckets[i] = {left.left, right.right, left.count + right.count};
    }
    if (buckets.size() % 2 != 0) buckets[pairs] = buckets.back();
    buckets.resize(buckets.size() - pairs);
  }
}

Result<void> get_histograms(AttemptEvents& events, Call& call) {
  TRY_ASSIGN(const std::uint64_t steps, number_parameter(call, "steps", k_usual_steps, k_most_steps));
  TRY_ASSIGN(const std::uint64_t asked_bins, number_parameter(call, "bins", k_usual_bins, k_most_bins));
  const std::uint64_t bins = std::max<std::uint64_t>(asked_bins, 1);
  TRY_ASSIGN(Points points, find_points(events, call, SummaryKind::histogram));
  const std::uint32_t longest = std::ranges::max(points.places, {}, &SummaryPlace::length).length;
  thin(points.places, std::clamp<std::uint64_t>(k_most_read / std::max<std::uint32_t>(longest, 1), 1,
                                                std::max<std::uint64_t>(steps, 1)));
  std::vector<Histogram> histograms(points.places.size());
  analysis::Range range;
  bool has_range = false;
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    Histogram& histogram = histograms[i];
    const analysis::EventVisitor visitor{
        .histogram = [&](const PointHead& head, const std::vector<HistogramBucket>& buckets) {
          if (head.tag == points.written_tag) histogram.buckets = buckets;
        }};
    TRY(events.read_place(points.files, points.places[i], SummaryKind::histogram, points.written_tag, visitor));
    histogram.quantiles = analysis::quantiles(histogram.buckets);
    coarsen(histogram.buckets);
    analysis::Range own;
    if (!analysis::range_of(histogram.buckets, own)) continue;
    range = has_range ? analysis::Range{std::min(range.least, own.least), std::max(range.greatest, own.greatest)} : own;
    has_range = true;
  }
  ordered_json rows = ordered_json::array();
  for (std::size_t i = 0; i < histograms.size(); ++i) {
    ordered_json counts = ordered_json::array();
    for (const double count : analysis::spread(histograms[i].buckets, range, bins))
      counts.push_back(number_json(count));
    ordered_json quantiles = ordered_json::array();
    for (const double value : histograms[i].quantiles) quantiles.push_back(number_json(value));
    rows.push_back({{"step", points.places[i].step},
                    {"wall_time", points.places[i].wall_time},
                    {"counts", std::move(counts)},
                    {"quantiles", std::move(quantiles)}});
  }
  answer_json(call, {{"run", points.run},
                     {"tag", points.tag},
                     {"least", range.least},
                     {"greatest", range.greatest},
                     {"points", std::move(rows)}});
  return {};
}

Result<void> get_text(AttemptEvents& events, Call& call) {
  TRY_ASSIGN(const Points points, find_points(events, call, SummaryKind::text));
  TRY_ASSIGN(const SummaryPlace place, find_place(points, call));
  ordered_json texts = ordered_json::array();
  bool is_cut = false;
  const analysis::EventVisitor visitor{.text = [&](const PointHead& head, const std::vector<std::string_view>& found) {
    if (head.tag != points.written_tag) return;
    texts = ordered_json::array();
    std::size_t room = k_most_text;
    is_cut = found.size() > k_most_texts;
    for (const std::string_view text : found) {
      if (texts.size() == k_most_texts) break;
      is_cut = is_cut || text.size() > room;
      texts.push_back(to_utf8(text.substr(0, room)));
      room -= std::min(room, text.size());
    }
  }};
  TRY(events.read_place(points.files, place, SummaryKind::text, points.written_tag, visitor));
  answer_json(call, {{"run", points.run},
                     {"tag", points.tag},
                     {"step", place.step},
                     {"wall_time", place.wall_time},
                     {"texts", std::move(texts)},
                     {"cut", is_cut}});
  return {};
}

Result<void> get_image(AttemptEvents& events, Call& call) {
  TRY_ASSIGN(const std::uint64_t index, number_parameter(call, "index", 0, analysis::k_most_place));
  TRY_ASSIGN(const Points points, find_points(events, call, SummaryKind::image));
  TRY_ASSIGN(const SummaryPlace place, find_place(points, call));
  Bytes bytes;
  const analysis::EventVisitor visitor{.image = [&](const PointHead& head, const std::vector<analysis::Image>& images) {
    if (head.tag != points.written_tag || index >= images.size()) return;
    bytes.assign(images[index].encoded.begin(), images[index].encoded.end());
  }};
  TRY(events.read_place(points.files, place, SummaryKind::image, points.written_tag, visitor));
  if (index >= place.parts)
    return Error{Code::not_found, concat("there are only ", place.parts, " images at step ", place.step)};
  const auto image = analysis::recognise_image(bytes);
  // What anyone may have written is only ever served as what it was recognised to be.
  if (!image) return Error{Code::invalid, "this is no image that can be shown: neither PNG nor JPEG nor GIF"};
  if (std::uint64_t{image->width} * image->height > k_most_pixels)
    return Error{Code::invalid,
                 concat("the image is too large to be shown: ", image->width, " × ", image->height, " pixels")};
  return answer_bytes(call, {.size = bytes.size(),
                             .etag = {},
                             .headers = {{"Content-Type", std::string(image->media_type)}},
                             .write = [&](std::uint64_t offset, std::uint64_t length, const auto& sink) {
                               return sink(ByteView(bytes).subspan(offset, length));
                             }});
}

}  // namespace

void add_summary_routes(Router& router, const std::shared_ptr<AttemptEvents>& events) {
  const std::string summaries = "/api/v1/experiments/{key}/attempts/{attempt}/summaries";
  const auto add_route = [&](const std::string& pattern, Result<void> (*handle)(AttemptEvents&, Call&)) {
    router.add({"GET", pattern, Access::read, [events, handle](Call& call) { return handle(*events, call); }});
  };
  add_route(summaries, list_summaries);
  add_route(summaries + "/points", list_points);
  add_route(summaries + "/histograms", get_histograms);
  add_route(summaries + "/text", get_text);
  add_route(summaries + "/image", get_image);
}

}  // namespace studio::server
