#include "analysis/event_file.hpp"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

#include "analysis/crc32c.hpp"
#include "analysis/event_testing.hpp"
#include "analysis/protobuf.hpp"
#include "analysis/tensor_proto.hpp"
#include "base/codec.hpp"

namespace studio::analysis {
namespace {

using testing::event;
using testing::Message;
using testing::record;
using testing::scalar;

Message of_plugin(std::string_view plugin) { return Message().message(1, Message().bytes(1, plugin)); }

// What was read, in words.
struct Reading {
  std::vector<std::string> lines;
  EventVisitor visitor{
      .scalar = [this](const PointHead& head, double value) { add("scalar", head, std::to_string(value)); },
      .histogram =
          [this](const PointHead& head, const std::vector<HistogramBucket>& buckets) {
            std::string text;
            for (const auto& each : buckets)
              text += std::to_string(each.left) + ".." + std::to_string(each.right) + ":" + std::to_string(each.count) +
                      " ";
            add("histogram", head, text);
          },
      .image =
          [this](const PointHead& head, const std::vector<Image>& images) {
            for (const Image& image : images)
              add("image", head,
                  std::to_string(image.width) + "x" + std::to_string(image.height) + " " +
                      std::string(as_text(image.encoded)));
          },
      .text =
          [this](const PointHead& head, const std::vector<std::string_view>& texts) {
            for (const auto text : texts) add("text", head, text);
          },
      .hyperparameters =
          [this](std::string_view tag, ByteView content) {
            lines.push_back("hparams " + std::string(tag) + " " + std::string(as_text(content)));
          }};

  void add(std::string_view kind, const PointHead& head, std::string_view value) {
    lines.push_back(std::string(kind) + " " + std::string(head.tag) + " " + std::to_string(head.step) + " " +
                    std::string(value));
  }
};

std::vector<std::string> read(std::string_view file) {
  Reading reading;
  EventFileReader reader;
  EXPECT_TRUE(reader.feed(as_bytes(file), reading.visitor));
  return reading.lines;
}

TEST(Crc32c, KnownSums) {
  EXPECT_EQ(crc32c(as_bytes(std::string_view("123456789"))), 0xe3069283u);  // the check value of the catalogues
  EXPECT_EQ(crc32c({}), 0u);
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\0'))), 0x8a9136aau);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(as_bytes(std::string(32, '\xff'))), 0x62a8ab43u);
}

TEST(EventFile, ReadsEveryKindOfValue) {
  const auto tensor = [](std::uint64_t type, std::initializer_list<std::uint64_t> shape) {
    Message sizes;
    for (const std::uint64_t size : shape) sizes.message(2, Message().varint(1, size));
    return Message().varint(1, type).message(2, sizes);
  };
  std::string file = record(Message().real(1, 1).bytes(3, "brain.Event:2").text());
  file += record(event(7, scalar("loss", 0.25F)).text());
  file += record(
      event(8, Message().bytes(1, "acc").message(9, of_plugin("scalars")).message(8, tensor(1, {}).real32(5, 0.5F)))
          .text());
  file += record(event(9, Message().bytes(1, "acc").message(8, tensor(2, {}).bytes(4, std::string(8, '\0'))))
                     .text());  // metadata once
  Message buckets = tensor(2, {2, 3});
  for (const double value : {0.0, 1.0, 5.0, 1.0, 2.0, 6.0}) buckets.real(6, value);
  file += record(event(1, Message().bytes(1, "h").message(9, of_plugin("histograms")).message(8, buckets)).text());
  Message old;
  old.real(1, -3).real(2, 9).real(3, 4);
  for (const double limit : {-5.0, -1.0, 4.0, 10.0, 20.0}) old.real(6, limit);
  for (const double count : {0.0, 1.0, 0.0, 3.0, 0.0}) old.real(7, count);
  file += record(event(2, Message().bytes(1, "old").message(5, old)).text());
  file += record(event(3, Message()
                              .bytes(1, "i")
                              .message(9, of_plugin("images"))
                              .message(8, tensor(7, {3}).bytes(8, "4").bytes(8, "5").bytes(8, "PNG")))
                     .text());
  file +=
      record(event(4, Message().bytes(1, "j").message(4, Message().varint(1, 2).varint(2, 3).bytes(4, "png"))).text());
  file += record(
      event(
          5,
          Message().bytes(1, "t").message(9, of_plugin("text")).message(8, tensor(7, {2}).bytes(8, "a").bytes(8, "b")))
          .text());
  file += record(event(0, Message()
                              .bytes(1, "_hparams_")
                              .message(9, Message().message(1, Message().bytes(1, "hparams").bytes(2, "content"))))
                     .text());
  EXPECT_EQ(
      read(file),
      (std::vector<std::string>{
          "scalar loss 7 0.250000", "scalar acc 8 0.500000", "scalar acc 9 0.000000",
          "histogram h 1 0.000000..1.000000:5.000000 1.000000..2.000000:6.000000 ",
          "histogram old 2 -3.000000..-1.000000:1.000000 -1.000000..4.000000:0.000000 4.000000..9.000000:3.000000 ",
          "image i 3 4x5 PNG", "image j 4 3x2 png", "text t 5 a", "text t 5 b", "hparams _hparams_ content"}));
}

TEST(EventFile, TakesAFileHoweverItIsCut) {
  std::string file;
  std::vector<std::string> expected;
  for (int step = 0; step < 200; ++step) {
    file += record(
        event(static_cast<std::uint64_t>(step), scalar("tag" + std::string(static_cast<std::size_t>(step), 'x'), 1))
            .text());
    expected.push_back("scalar tag" + std::string(static_cast<std::size_t>(step), 'x') + " " + std::to_string(step) +
                       " 1.000000");
  }
  std::minstd_rand random(1);
  for (int round = 0; round < 50; ++round) {
    Reading reading;
    EventFileReader reader;
    for (std::size_t at = 0; at < file.size();) {
      const std::size_t size = std::min<std::size_t>(random() % 100, file.size() - at);
      ASSERT_TRUE(reader.feed(as_bytes(std::string_view(file).substr(at, size)), reading.visitor));
      at += size;
      EXPECT_LE(reader.offset(), at);
    }
    EXPECT_EQ(reading.lines, expected);
    EXPECT_EQ(reader.offset(), file.size());
  }
}

TEST(EventFile, StopsAtDamageAndSaysWhere) {
  const std::string first = record(event(1, scalar("a", 1)).text());
  const std::string second = record(event(2, scalar("a", 2)).text());
  for (std::size_t at = 0; at < second.size(); ++at) {
    std::string file = first + second + first;
    file[first.size() + at] = static_cast<char>(file[first.size() + at] ^ 0x40);
    Reading reading;
    EventFileReader reader;
    const auto fed = reader.feed(as_bytes(file), reading.visitor);
    ASSERT_FALSE(fed) << at;
    EXPECT_EQ(fed.error().code, Code::corrupt);
    EXPECT_NE(fed.error().message.find(std::to_string(first.size())), std::string::npos);
    EXPECT_EQ(reading.lines.size(), 1u);
    EXPECT_EQ(reader.offset(), first.size());
    EXPECT_FALSE(reader.feed(as_bytes(first), reading.visitor));
    EXPECT_EQ(reading.lines.size(), 1u);
  }
}

TEST(EventFile, WhatIsNoEventIsPassedOver) {
  Reading reading;
  EventFileReader reader;
  const std::string file = record("\xff\xff\xff") +
                           record(event(1, Message().bytes(1, "x").message(8, Message().varint(1, 99))).text()) +
                           record(event(2, scalar("a", 1)).text());
  ASSERT_TRUE(reader.feed(as_bytes(file), reading.visitor));
  EXPECT_EQ(reading.lines, std::vector<std::string>{"scalar a 2 1.000000"});
}

// Whatever the bytes, the reader ends, and reads nothing outside them (the sanitizers look).
TEST(EventFile, HostileMessages) {
  std::mt19937_64 random(3);
  const std::string good = event(1, Message()
                                        .bytes(1, "x")
                                        .message(9, of_plugin("histograms"))
                                        .message(8, Message().varint(1, 2).bytes(4, std::string(48, 'x'))))
                               .text();
  Reading reading;
  for (int round = 0; round < 20'000; ++round) {
    std::string data = good;
    for (int changes = 0; changes < 3; ++changes) data[random() % data.size()] = static_cast<char>(random());
    data.resize(random() % (data.size() + 1));
    EventFileReader reader;
    EXPECT_TRUE(reader.feed(as_bytes(record(data)), reading.visitor));
  }
}

TEST(TensorProto, NumbersOfAllTypes) {
  const auto value_of = [](std::uint64_t type, const std::string& content) {
    SmallTensor tensor;
    EXPECT_TRUE(parse_tensor(Message().varint(1, type).bytes(4, content).view(), tensor)) << type;
    return tensor.numbers.empty() ? NAN : tensor.numbers.front();
  };
  EXPECT_EQ(value_of(3, std::string("\xfe\xff\xff\xff", 4)), -2);
  EXPECT_EQ(value_of(4, "\xfe"), 254);
  EXPECT_EQ(value_of(6, "\xfe"), -2);
  EXPECT_EQ(value_of(9, std::string("\xfe\xff\xff\xff\xff\xff\xff\xff", 8)), -2);
  EXPECT_EQ(value_of(14, std::string("\x80\x3f", 2)), 1);
  EXPECT_EQ(value_of(19, std::string("\x00\xc0", 2)), -2);
  EXPECT_EQ(value_of(19, std::string("\x01\x00", 2)), std::ldexp(1.0, -24));
  EXPECT_TRUE(std::isinf(value_of(19, std::string("\x00\x7c", 2))));
  SmallTensor tensor;
  const Message shape = Message().message(2, Message().varint(1, 4));
  ASSERT_TRUE(parse_tensor(Message()
                               .varint(1, 3)
                               .message(2, shape)
                               .bytes(7, std::string("\x05\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11))
                               .view(),
                           tensor));
  EXPECT_EQ(tensor.numbers, (std::vector<double>{5, -1, -1, -1}));  // the last stands for the rest
  const Message huge = Message().message(2, Message().varint(1, 1u << 30)).message(2, Message().varint(1, 1u << 30));
  EXPECT_FALSE(parse_tensor(Message().varint(1, 1).message(2, huge).real32(5, 1).view(), tensor));
}

}  // namespace
}  // namespace studio::analysis
