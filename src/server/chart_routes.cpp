#include "server/chart_routes.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <memory>

#include <nlohmann/json.hpp>

#include "analysis/scalar_series.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "server/answer.hpp"
#include "server/attempt_events.hpp"
#include "server/event_json.hpp"
#include "server/summary_routes.hpp"

namespace studio::server {

namespace {

using analysis::ScalarPoint;
using analysis::ScalarPoints;
using nlohmann::ordered_json;

constexpr std::uint64_t k_usual_buckets = 800;
constexpr std::uint64_t k_most_buckets = 10'000;

using ScalarRuns = std::map<std::string, analysis::ScalarSeries>;  // by the directory's path, "" for the root
using Wanted = std::function<bool(const std::string& run, const std::string& tag)>;

// Of each run the points of its event files together.
struct Scalars {
  AttemptEvents::Files files;
  ScalarRuns runs;
};

Result<Scalars> read_scalars(AttemptEvents& events, const Call& call, const Wanted& wanted) {
  ScalarRuns runs;
  std::size_t count = 0;
  const auto take = [&](const std::string& run, const analysis::RunContent& content, std::uint32_t) {
    for (const auto& [tag, points] : content.scalars) {
      const std::size_t room = std::min(points.size(), analysis::k_most_points - count);
      if (room == 0 || !wanted(run, tag)) continue;
      ScalarPoints& all = runs[run][tag];
      all.insert(all.end(), points.begin(), points.begin() + static_cast<std::ptrdiff_t>(room));
      count += room;
    }
  };
  TRY_ASSIGN(auto files, events.read(call, take));
  if (count == analysis::k_most_points) files.problems.push_back(concat("only ", count, " values are shown"));
  return Scalars{std::move(files), std::move(runs)};
}

// A training that was resumed may repeat steps; the earlier ones stay, in the order in which they were written.
void sort_by(analysis::Axis axis, ScalarPoints& points) {
  const auto at = [axis](const ScalarPoint& point) { return analysis::position(point, axis); };
  if (!std::ranges::is_sorted(points, {}, at)) std::ranges::stable_sort(points, {}, at);
}

ordered_json series_json(const std::string& run, const std::string& tag, ScalarPoints& points) {
  sort_by(analysis::Axis::step, points);
  const auto all = analysis::downsample(points, analysis::Axis::step, -INFINITY, INFINITY, 1);
  return {{"run", to_utf8(run)},
          {"tag", to_utf8(tag)},
          {"points", points.size()},
          {"first_step", points.front().step},
          {"last_step", points.back().step},
          {"last_value", number_json(points.back().value)},
          {"min", number_json(all.front().least)},
          {"max", number_json(all.front().greatest)}};
}

Result<void> list_scalars(AttemptEvents& events, Call& call) {
  TRY_ASSIGN(Scalars scalars, read_scalars(events, call, [](const auto&, const auto&) { return true; }));
  ordered_json series = ordered_json::array();
  for (auto& [run, tags] : scalars.runs)
    for (auto& [tag, points] : tags) series.push_back(series_json(run, tag, points));
  answer_json(call, {{"version", version_json(scalars.files)},
                     {"series", std::move(series)},
                     {"problems", problems_json(scalars.files)}});
  return {};
}

Result<double> real_parameter(const Call& call, std::string_view name, double otherwise) {
  const auto text = call.target.parameter(name);
  if (!text) return otherwise;
  const auto number = parse_real(*text);
  if (number) return *number;
  return Error{Code::invalid, concat("the parameter '", name, "' is not a number")};
}

Result<void> get_series(AttemptEvents& events, Call& call) {
  const std::string run = call.target.parameter("run").value_or("");
  const std::string tag = call.target.parameter("tag").value_or("");
  const std::string axis_name = call.target.parameter("axis").value_or("step");
  if (axis_name != "step" && axis_name != "time")
    return Error{Code::invalid, "the parameter 'axis' is neither 'step' nor 'time'"};
  const auto axis = axis_name == "step" ? analysis::Axis::step : analysis::Axis::time;
  TRY_ASSIGN(const std::uint64_t buckets, number_parameter(call, "buckets", k_usual_buckets, k_most_buckets));
  TRY_ASSIGN(const double from, real_parameter(call, "from", -INFINITY));
  TRY_ASSIGN(const double to, real_parameter(call, "to", INFINITY));
  const auto is_wanted = [&](const std::string& a_run, const std::string& a_tag) {
    return to_utf8(a_run) == run && to_utf8(a_tag) == tag;
  };
  TRY_ASSIGN(Scalars scalars, read_scalars(events, call, is_wanted));
  if (scalars.runs.empty())
    return Error{Code::not_found, concat("there are no scalars '", printable(tag), "' of run '", printable(run), "'")};
  ScalarPoints& points = scalars.runs.begin()->second.begin()->second;
  sort_by(axis, points);
  ordered_json rows = ordered_json::array();
  for (const auto& bucket : analysis::downsample(points, axis, from, to, std::max<std::uint64_t>(buckets, 1)))
    rows.push_back({bucket.step, bucket.wall_time, number_json(bucket.least), number_json(bucket.greatest),
                    number_json(bucket.last)});
  answer_json(call, {{"run", run}, {"tag", tag}, {"points", std::move(rows)}});
  return {};
}

}  // namespace

void add_chart_routes(Router& router, const Backend& backend) {
  const auto events = std::make_shared<AttemptEvents>(backend);
  const std::string scalars = "/api/v1/experiments/{key}/attempts/{attempt}/scalars";
  router.add({"GET", scalars, Access::read, [events](Call& call) { return list_scalars(*events, call); }});
  router.add({"GET", scalars + "/series", Access::read, [events](Call& call) { return get_series(*events, call); }});
  add_summary_routes(router, events);
}

}  // namespace studio::server
