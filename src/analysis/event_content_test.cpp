#include "analysis/event_content.hpp"

#include <gtest/gtest.h>

#include <random>

#include "analysis/encoded_image.hpp"
#include "analysis/event_testing.hpp"
#include "analysis/histogram.hpp"

namespace studio::analysis {
namespace {

using testing::event;
using testing::Message;
using testing::record;
using testing::scalar;

std::string event_file(int count) {
  std::string file;
  for (int i = 0; i < count; ++i)
    file += record(
        event(static_cast<std::uint64_t>(i), scalar(i % 2 == 0 ? "even" : "odd", 0.5f * static_cast<float>(i))).text());
  return file;
}

TEST(EventContentTest, HasThePointsOfEachTag) {
  const std::string file = event_file(5);
  MemorySource source(as_bytes(file));
  const auto read = read_event_file(source);
  ASSERT_TRUE(read.has_value());
  EXPECT_TRUE(read->problems.empty());
  EXPECT_EQ(read->content.scalars, (ScalarSeries{{"even", {{0, 1.5e9, 0}, {2, 1.5e9, 1}, {4, 1.5e9, 2}}},
                                                 {"odd", {{1, 1.5e9, 0.5}, {3, 1.5e9, 1.5}}}}));
}

TEST(EventContentTest, WhatCameBeforeDamageIsKept) {
  std::string file = event_file(4);
  file[file.size() - 6] = static_cast<char>(file[file.size() - 6] ^ 1);
  MemorySource source(as_bytes(file));
  const auto read = read_event_file(source);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->problems.size(), 1u);
  EXPECT_EQ(read->content.scalars.at("odd").size(), 1u);

  MemorySource cut(as_bytes(file).first(file.size() - 20));
  EXPECT_TRUE(read_event_file(cut)->problems.empty()) << "it is still being written";
}

Message text_value(std::string_view tag, std::string_view text, bool says_plugin) {
  Message value = Message().bytes(1, tag);
  if (says_plugin) value.message(9, Message().message(1, Message().bytes(1, "text")));
  return value.message(8, Message().varint(1, 7).bytes(8, text));
}

TEST(EventContentTest, PlacesAreReadAgain) {
  const std::string file = record(event(1, text_value("note", "one", true)).text()) +
                           record(event(1, scalar("note", 3)).text()) +
                           record(event(2, text_value("note", "two", false)).text());
  MemorySource source(as_bytes(file));
  const auto read = read_event_file(source);
  ASSERT_TRUE(read.has_value());
  const auto& places = read->content.summaries.at(SummaryKind::text).at("note");
  ASSERT_EQ(places.size(), 2u);
  EXPECT_EQ(places[1].step, 2);
  EXPECT_EQ(places[1].parts, 1u);
  EXPECT_EQ(places[1].offset + places[1].length, file.size());
  std::string found;
  const EventVisitor visitor{.text = [&](const PointHead& head, const std::vector<std::string_view>& texts) {
    found = std::string(head.tag) + ":" + std::string(texts.front());
  }};
  ASSERT_TRUE(read_place(source, places[1], SummaryKind::text, "note", visitor));
  EXPECT_EQ(found, "note:two");

  std::string other = file;
  other[places[1].offset + 20] ^= 1;
  MemorySource damaged(as_bytes(other));
  EXPECT_EQ(read_place(damaged, places[1], SummaryKind::text, "note", visitor).error().code, Code::corrupt);
  MemorySource cut(as_bytes(file).first(file.size() - 1));
  EXPECT_EQ(read_place(cut, places[1], SummaryKind::text, "note", visitor).error().code, Code::corrupt);
  SummaryPlace shorter = places[1];
  --shorter.length;
  EXPECT_EQ(read_place(source, shorter, SummaryKind::text, "note", visitor).error().code, Code::corrupt);
}

TEST(EventContentTest, SaysWhatItPassesOver) {
  std::string file;
  for (std::size_t i = 0; i <= k_most_tags; ++i) file += record(event(1, scalar("tag" + std::to_string(i), 1)).text());
  file += record(event(1, scalar(std::string(EventFileReader::k_most_name + 1, 'x'), 1)).text());
  MemorySource source(as_bytes(file));
  const auto read = read_event_file(source);
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->content.scalars.size(), k_most_tags);
  EXPECT_EQ(read->problems,
            (std::vector<std::string>{"records that cannot be read: 1", "only the first 10000 tags are shown"}));
}

// Whatever the bytes, they are read again as they were found, and nothing outside them is read (the sanitizers look).
TEST(EventContentTest, HostileMessages) {
  std::mt19937_64 random(11);
  const auto plugin = [](std::string_view name, std::string_view content) {
    return Message().message(1, Message().bytes(1, name).bytes(2, content));
  };
  const Message entry = Message().bytes(1, "lr").message(2, Message().bytes(3, "fast").real(2, 0.1));
  const std::string session = Message().message(3, Message().message(1, entry).bytes(4, "g").real(5, 1)).text();
  const Message shape = Message().message(2, Message().varint(1, 2)).message(2, Message().varint(1, 3));
  const Message tensor = Message().varint(1, 2).message(2, shape).bytes(4, std::string(48, 'x'));
  const Message image = Message().varint(1, 1).varint(2, 1).bytes(4, "GIF89a\1\1\1\1");
  const std::vector<std::string> good{
      event(1, Message().bytes(1, "x").message(9, plugin("hparams", session))).text(),
      event(1, Message().bytes(1, "x").message(9, plugin("histograms", "")).message(8, tensor)).text(),
      event(1, Message().bytes(1, "x").message(4, image)).text(), event(1, text_value("x", "text", true)).text()};
  std::size_t found = 0;
  const EventVisitor visitor{.histogram =
                                 [&](const PointHead&, const std::vector<HistogramBucket>& buckets) {
                                   ++found;
                                   EXPECT_EQ(quantiles(buckets).size(), k_quantiles.size());
                                 },
                             .image =
                                 [&](const PointHead&, const std::vector<Image>& images) {
                                   ++found;
                                   for (const Image& each : images) recognise_image(each.encoded);
                                 },
                             .text = [&](const PointHead&, const std::vector<std::string_view>&) { ++found; }};
  for (int round = 0; round < 20'000; ++round) {
    std::string data = good[static_cast<std::size_t>(round) % good.size()];
    for (int changes = 0; changes < 3; ++changes) data[random() % data.size()] = static_cast<char>(random());
    if (round % 3 == 0) data.resize(random() % (data.size() + 1));
    const std::string file = record(data);
    MemorySource source(as_bytes(file));
    const auto read = read_event_file(source);
    ASSERT_TRUE(read.has_value());
    for (const auto& [kind, series] : read->content.summaries)
      for (const auto& [tag, places] : series)
        for (const SummaryPlace& place : places) {
          found = 0;
          EXPECT_TRUE(read_place(source, place, kind, tag, visitor));
          EXPECT_GT(found, 0u);
        }
  }
}

TEST(HyperparametersTest, ThoseOfASession) {
  const auto entry = [](std::string_view name, const Message& value) {
    return Message().bytes(1, name).message(2, value);
  };
  Message start;
  start.message(1, entry("lr", Message().real(2, 0.1)))
      .message(1, entry("net", Message().bytes(3, std::string(2000, 'n'))))
      .message(1, entry("bias", Message().varint(4, 1)))
      .message(1, entry("nothing", Message().varint(1, 0)))
      .bytes(4, "group")
      .real(5, 1.5e9);
  Hyperparameters found;
  take_hyperparameters(Message().message(3, start).view(), found);
  take_hyperparameters(Message().message(4, Message().varint(1, 2).real(2, 1.6e9)).view(), found);
  EXPECT_EQ(found.values, (std::map<std::string, HyperparameterValue>{
                              {"bias", true}, {"lr", 0.1}, {"net", std::string(k_most_hyperparameter, 'n')}}));
  EXPECT_EQ(found.group, "group");
  EXPECT_EQ(found.started, 1.5e9);
  EXPECT_EQ(found.ended, 1.6e9);
  EXPECT_EQ(found.status, "failure");
  EXPECT_TRUE(found.is_cut);
  for (std::size_t i = 0; i < 2 * k_most_hyperparameters; ++i)
    take_hyperparameters(
        Message().message(3, Message().message(1, entry(std::to_string(i), Message().varint(4, 0)))).view(), found);
  EXPECT_EQ(found.values.size(), k_most_hyperparameters);
}

}  // namespace
}  // namespace studio::analysis
