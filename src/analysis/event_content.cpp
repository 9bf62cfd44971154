#include "analysis/event_content.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/concat.hpp"

namespace studio::analysis {

namespace {

constexpr std::uint64_t k_piece = 1 << 20;

std::string_view plugin_of(SummaryKind kind) {
  switch (kind) {
    case SummaryKind::histogram: return EventFileReader::k_histograms;
    case SummaryKind::image: return EventFileReader::k_images;
    case SummaryKind::text: return EventFileReader::k_text;
  }
  return "";
}

}  // namespace

std::string_view name_of(SummaryKind kind) {
  switch (kind) {
    case SummaryKind::histogram: return "histogram";
    case SummaryKind::image: return "image";
    case SummaryKind::text: return "text";
  }
  return "";
}

template <class Points>
Points* EventCollector::room(std::map<std::string, Points, std::less<>>& series, std::string_view tag) {
  if (points_ == k_most_points) {
    lacks_points_ = true;
    return nullptr;
  }
  auto found = series.find(tag);
  if (found == series.end()) {
    if (tags_ == k_most_tags) {
      lacks_tags_ = true;
      return nullptr;
    }
    ++tags_;
    found = series.try_emplace(std::string(tag)).first;
  }
  ++points_;
  return &found->second;
}

void EventCollector::add_place(RunContent& run, SummaryKind kind, const PointHead& head, SummaryPlace place) {
  place.step = head.step;
  place.wall_time = head.wall_time;
  if (auto* places = room(run.summaries[kind], head.tag)) places->push_back(place);
}

EventVisitor EventCollector::visitor(const EventFileReader& reader, const std::string& run, std::uint32_t file) {
  RunContent& content = runs_[run];
  const auto add = [this, &content, &reader, file](SummaryKind kind, const PointHead& head, std::size_t parts) {
    if (reader.record_length() > k_most_place) {
      ++too_long_;
      return;
    }
    add_place(content, kind, head,
              {.offset = reader.offset(),
               .length = static_cast<std::uint32_t>(reader.record_length()),
               .file = file,
               .parts = static_cast<std::uint32_t>(parts)});
  };
  return {
      .scalar =
          [this, &content](const PointHead& head, double value) {
            if (auto* points = room(content.scalars, head.tag)) points->push_back({head.step, head.wall_time, value});
          },
      .histogram = [add](const PointHead& head,
                         const auto& buckets) { add(SummaryKind::histogram, head, buckets.size()); },
      .image = [add](const PointHead& head, const auto& images) { add(SummaryKind::image, head, images.size()); },
      .text = [add](const PointHead& head, const auto& texts) { add(SummaryKind::text, head, texts.size()); },
      .hyperparameters = [&content](std::string_view,
                                    ByteView message) { take_hyperparameters(message, content.hyperparameters); },
  };
}

std::vector<std::string> EventCollector::problems() const {
  std::vector<std::string> problems;
  if (lacks_tags_) problems.push_back(concat("only the first ", k_most_tags, " tags are shown"));
  if (lacks_points_) problems.push_back(concat("only the first ", k_most_points, " values are shown"));
  if (too_long_ > 0) problems.push_back(concat("values in records that are too long to be shown: ", too_long_));
  return problems;
}

Result<EventFileContent> read_event_file(ByteSource& file) {
  EventCollector collector;
  EventFileReader reader;
  const EventVisitor visitor = collector.visitor(reader, "");
  for (std::uint64_t at = 0; at < file.size() && !collector.is_full(); at += k_piece) {
    TRY_ASSIGN(const Bytes piece, file.read(at, std::min(k_piece, file.size() - at)));
    if (!reader.feed(piece, visitor)) break;
  }
  EventFileContent found{.content = std::move(collector.runs().begin()->second), .problems = reader.problems()};
  std::ranges::move(collector.problems(), std::back_inserter(found.problems));
  return found;
}

Result<void> read_place(ByteSource& file, const SummaryPlace& place, SummaryKind kind, std::string_view tag,
                        const EventVisitor& visitor) {
  TRY_ASSIGN(const Bytes record, file.read(place.offset, place.length));
  EventFileReader reader;
  reader.set_plugin(tag, plugin_of(kind));
  TRY(reader.feed(record, visitor));
  if (reader.offset() != place.length) return Error{Code::corrupt, "the event file is no longer what it was"};
  return {};
}

}  // namespace studio::analysis
