// print_events FILE PIECE: what our reader finds in an event file that is fed to it PIECE bytes at a time, as lines of
// JSON that test_event_files.py holds against TensorBoard's own reader.
// print_events FILE again: the same of summaries that are read again from where the collector says that they stand, the
// quantiles of histograms, and hyperparameters as the collector has them.
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <iterator>

#include <nlohmann/json.hpp>

#include "analysis/event_content.hpp"
#include "analysis/event_file.hpp"
#include "analysis/histogram.hpp"
#include "base/digest.hpp"

namespace {

using nlohmann::ordered_json;
using namespace studio;
using namespace studio::analysis;

void print(std::string_view kind, const PointHead& head, ordered_json value) {
  std::cout << ordered_json{{"kind", kind},
                            {"tag", std::string(head.tag)},
                            {"step", head.step},
                            {"wall_time", head.wall_time},
                            {"value", std::move(value)}}
                   .dump()
            << "\n";
}

// Infinities and NaN have no number in JSON.
ordered_json number(double value) {
  char text[40];
  std::snprintf(text, sizeof text, "%.17g", value);
  return text;
}

const EventVisitor k_printer{
    .scalar = [](const PointHead& head, double value) { print("scalar", head, number(value)); },
    .histogram =
        [](const PointHead& head, const std::vector<HistogramBucket>& buckets) {
          auto list = ordered_json::array();
          for (const auto& bucket : buckets)
            list.push_back({number(bucket.left), number(bucket.right), number(bucket.count)});
          print("histogram", head, std::move(list));
        },
    .image =
        [](const PointHead& head, const std::vector<Image>& images) {
          auto list = ordered_json::array();
          for (const Image& image : images)
            list.push_back({image.width, image.height, Sha256::of(image.encoded).hex()});
          print("image", head, std::move(list));
        },
    .text =
        [](const PointHead& head, const std::vector<std::string_view>& texts) {
          auto list = ordered_json::array();
          for (const auto text : texts) list.push_back(std::string(text));
          print("text", head, std::move(list));
        },
    .hyperparameters =
        [](std::string_view tag, ByteView content) {
          print("hparams", {.tag = tag, .step = 0, .wall_time = 0}, hex(content));
        }};

ordered_json value_of(const HyperparameterValue& value) {
  return std::visit([](const auto& each) { return ordered_json(each); }, value);
}

// Of what stands in the same record nothing else.
EventVisitor printer_of(SummaryKind kind, const std::string& wanted) {
  const auto only = [&wanted](const auto& print_it) {
    return [&wanted, &print_it](const PointHead& head, const auto& value) {
      if (head.tag == wanted) print_it(head, value);
    };
  };
  if (kind == SummaryKind::image) return {.image = only(k_printer.image)};
  if (kind == SummaryKind::text) return {.text = only(k_printer.text)};
  return {.histogram = [&wanted](const PointHead& head, const std::vector<HistogramBucket>& buckets) {
    if (head.tag != wanted) return;
    k_printer.histogram(head, buckets);
    print("distribution", head, quantiles(buckets));
  }};
}

int print_again(std::string_view file) {
  MemorySource source(as_bytes(file));
  const auto read = read_event_file(source);
  if (!read) return 1;
  for (const std::string& problem : read->problems) std::cerr << problem << "\n";
  for (const auto& [kind, series] : read->content.summaries)
    for (const auto& [tag, places] : series)
      for (const SummaryPlace& place : places)
        if (!read_place(source, place, kind, tag, printer_of(kind, tag))) return 1;
  const Hyperparameters& found = read->content.hyperparameters;
  if (found.empty()) return 0;
  auto values = ordered_json::object();
  for (const auto& [name, value] : found.values) values[name] = value_of(value);
  std::cout << ordered_json{{"kind", "session"},
                            {"values", std::move(values)},
                            {"group", found.group},
                            {"started", found.started.value_or(0)},
                            {"ended", found.ended.value_or(0)},
                            {"status", found.status}}
                   .dump()
            << "\n";
  return 0;
}

}  // namespace

int main(int argument_count, char** arguments) {
  if (argument_count != 3) return 2;
  std::ifstream stream(arguments[1], std::ios::binary);
  const std::string file((std::istreambuf_iterator<char>(stream)), {});
  if (arguments[2] == std::string_view("again")) return print_again(file);
  const auto piece = static_cast<std::size_t>(std::atol(arguments[2]));
  EventFileReader reader;
  for (std::size_t at = 0; at < file.size(); at += piece) {
    const auto fed = reader.feed(as_bytes(std::string_view(file).substr(at, piece)), k_printer);
    if (fed) continue;
    std::cerr << fed.error().message << "\n";
    return 1;
  }
  std::cerr << reader.offset() << " " << reader.skipped_events() << "\n";
  return 0;
}
