#include "server/chart_routes.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <memory>
#include <optional>

#include <nlohmann/json.hpp>

#include "analysis/event_file.hpp"
#include "analysis/scalar_series.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "content/tree_walk.hpp"
#include "server/answer.hpp"
#include "server/content_cache.hpp"
#include "server/find.hpp"
#include "server/live_scalars.hpp"
#include "server/stored_file.hpp"

namespace studio::server {

namespace {

using analysis::ScalarPoint;
using analysis::ScalarPoints;
using nlohmann::ordered_json;

constexpr std::size_t k_most_cached = 128 << 20;  // bytes of points
constexpr std::uint64_t k_usual_buckets = 800;
constexpr std::uint64_t k_most_buckets = 10'000;

using Cache = ContentCache<analysis::EventFileScalars>;

Result<std::shared_ptr<const analysis::EventFileScalars>> scalars_of(content::ChunkSource& chunks, Cache& cache,
                                                                     const content::TreeEntry& file) {
  return cache.get(file, [&]() -> Result<std::pair<analysis::EventFileScalars, std::size_t>> {
    StoredFile source(chunks, file);
    TRY_ASSIGN(auto scalars, analysis::read_scalars(source));
    std::size_t weight = 1;
    for (const auto& [tag, points] : scalars.series) weight += tag.size() + points.size() * sizeof(ScalarPoint);
    return std::pair(std::move(scalars), weight);
  });
}

// Of each directory, which TensorBoard calls a run, the points of its event files together.
struct Scalars {
  std::optional<std::uint64_t> version;  // of the artifact; nothing if they were read as they are written
  ScalarRuns runs;
  std::vector<std::string> problems;
};

Result<Scalars> read_version(const Backend& backend, Cache& cache, const model::Version& version,
                             const LiveScalars::Wanted& wanted) {
  Scalars scalars{.version = version.number, .runs = {}, .problems = {}};
  content::ChunkSource& chunks = backend.repository.chunks();
  content::TreeWalk walk(chunks, version.root);
  std::size_t count = 0;
  while (true) {
    TRY_ASSIGN(auto event, walk.next());
    if (!event) break;
    if (event->kind != content::TreeWalk::Event::Kind::entry || !content::has_bytes(event->entry.type) ||
        !analysis::is_event_file_name(event->entry.name))
      continue;
    const std::size_t slash = event->path.rfind('/');
    const std::string run = slash == event->path.npos ? std::string() : event->path.substr(0, slash);
    TRY_ASSIGN(const content::TreeEntry file,
               content::resolve_hard_link(chunks, version.root, std::move(event->entry)));
    TRY_ASSIGN(const auto read, scalars_of(chunks, cache, file));
    if (!read->problem.empty()) scalars.problems.push_back(concat(printable(event->path), ": ", read->problem));
    for (const auto& [tag, points] : read->series) {
      if (!wanted(run, tag)) continue;
      const std::size_t room = std::min(points.size(), analysis::k_most_points - count);
      if (room == 0) continue;
      ScalarPoints& all = scalars.runs[run][tag];
      all.insert(all.end(), points.begin(), points.begin() + static_cast<std::ptrdiff_t>(room));
      count += room;
    }
  }
  if (count == analysis::k_most_points) scalars.problems.push_back(concat("only ", count, " values are shown"));
  return scalars;
}

struct Reader {
  const Backend& backend;
  Cache cache{k_most_cached};
  LiveScalars live;

  Result<Scalars> read(const Call& call, const LiveScalars::Wanted& wanted) {
    TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, call));
    if (const auto path = find_live_path(backend, attempt, k_tensorboard))
      return Scalars{.version = {}, .runs = live.read(*path, wanted), .problems = {}};
    TRY_ASSIGN(const auto version, find_last_version(backend, call.name("key"), attempt, k_tensorboard));
    return version ? read_version(backend, cache, *version, wanted) : Scalars();
  }
};

// A training that was resumed may repeat steps; the earlier ones stay, in the order in which they were written.
void sort_by(analysis::Axis axis, ScalarPoints& points) {
  const auto at = [axis](const ScalarPoint& point) { return analysis::position(point, axis); };
  if (!std::ranges::is_sorted(points, {}, at)) std::ranges::stable_sort(points, {}, at);
}

// JSON has no NaN and no infinity.
ordered_json number_json(double value) { return std::isfinite(value) ? ordered_json(value) : ordered_json(); }

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

Result<void> list_scalars(Reader& reader, Call& call) {
  TRY_ASSIGN(Scalars scalars, reader.read(call, [](const std::string&, const std::string&) { return true; }));
  ordered_json series = ordered_json::array();
  for (auto& [run, tags] : scalars.runs)
    for (auto& [tag, points] : tags) series.push_back(series_json(run, tag, points));
  ordered_json problems = ordered_json::array();
  for (const std::string& problem : scalars.problems) problems.push_back(to_utf8(problem));
  answer_json(call,
              {{"version", scalars.version ? ordered_json(model::version_name(*scalars.version)) : ordered_json()},
               {"series", std::move(series)},
               {"problems", std::move(problems)}});
  return {};
}

Result<double> real_parameter(const Call& call, std::string_view name, double otherwise) {
  const auto text = call.target.parameter(name);
  if (!text) return otherwise;
  const auto number = parse_real(*text);
  if (number) return *number;
  return Error{Code::invalid, concat("the parameter '", name, "' is not a number")};
}

Result<void> get_series(Reader& reader, Call& call) {
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
  TRY_ASSIGN(Scalars scalars, reader.read(call, is_wanted));
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
  const auto reader = std::make_shared<Reader>(backend);
  const std::string scalars = "/api/v1/experiments/{key}/attempts/{attempt}/scalars";
  router.add({"GET", scalars, Access::read, [reader](Call& call) { return list_scalars(*reader, call); }});
  router.add({"GET", scalars + "/series", Access::read, [reader](Call& call) { return get_series(*reader, call); }});
}

}  // namespace studio::server
