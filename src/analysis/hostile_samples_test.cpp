// The files of real frameworks (test/analysis/samples), cut off and changed: read in this process, so that a sanitizer
// sees what the readers do. What they make of the whole ones is held against the frameworks by test_samples.py.
#include <gtest/gtest.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <random>
#include <vector>

#include "analysis/checkpoint.hpp"
#include "analysis/event_content.hpp"
#include "analysis/event_testing.hpp"

namespace studio::analysis {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_cuts = 100;     // of each file
constexpr std::size_t k_changes = 300;  // of each file

struct Sample {
  std::string name;
  std::string text;
};

std::vector<Sample> samples_that(bool (*is_wanted)(std::string_view name)) {
  const fs::path folder = fs::path(STUDIO_SOURCE_DIRECTORY) / "test/analysis/samples";
  std::vector<Sample> samples;
  for (const auto& entry : fs::recursive_directory_iterator(folder)) {
    if (!entry.is_regular_file() || !is_wanted(entry.path().filename().native())) continue;
    std::ifstream stream(entry.path(), std::ios::binary);
    samples.push_back(
        {entry.path().lexically_relative(folder).native(), std::string((std::istreambuf_iterator<char>(stream)), {})});
  }
  std::ranges::sort(samples, {}, &Sample::name);
  return samples;
}

std::vector<Sample> checkpoints() { return samples_that(may_be_checkpoint); }
std::vector<Sample> event_files() { return samples_that(is_event_file_name); }

// The first bytes of a file where what is read beyond their end is seen.
class Copy {
 public:
  explicit Copy(std::string_view text)
      : size_(text.size()), bytes_(std::make_unique_for_overwrite<std::byte[]>(size_)) {
    set(text);
  }
  void set(std::string_view text) const { std::memcpy(bytes_.get(), text.data(), size_); }
  std::span<std::byte> bytes() const { return {bytes_.get(), size_}; }

 private:
  std::size_t size_;
  std::unique_ptr<std::byte[]> bytes_;
};

// The ends of the file more closely than what is between.
std::vector<std::size_t> cuts_of(std::size_t size) {
  std::vector<std::size_t> cuts;
  for (std::size_t i = 0; i < k_cuts / 4 && i < size; ++i) cuts.insert(cuts.end(), {i, size - 1 - i});
  for (std::size_t i = 1; i < k_cuts / 2; ++i) cuts.push_back(size * i / (k_cuts / 2));
  return cuts;
}

using Random = std::minstd_rand;

// Some bytes, mostly near each other as those of one number are.
void change(std::span<std::byte> bytes, Random& random) {
  constexpr unsigned char k_values[]{0, 1, 0x7f, 0x80, 0xfe, 0xff};
  const std::size_t at = random() % bytes.size();
  const std::size_t count = random() % 4 + 1;
  for (std::size_t i = 0; i < count; ++i) {
    const std::size_t place = random() % 4 != 0 ? std::min(at + i, bytes.size() - 1) : random() % bytes.size();
    const std::size_t kind = random() % 8;
    bytes[place] = kind < std::size(k_values) ? std::byte{k_values[kind]} : static_cast<std::byte>(random() % 256);
  }
}

TEST(HostileSamplesTest, ACheckpointThatIsCutOffIsNeverTakenForTheWhole) {
  const auto samples = checkpoints();
  ASSERT_GT(samples.size(), 50u);
  for (const Sample& sample : samples)
    for (const std::size_t size : cuts_of(sample.text.size())) {
      if (std::string_view(sample.text).substr(size) == "\n") continue;  // of JSON, which is whole without
      const Copy part(std::string_view(sample.text).substr(0, size));
      MemorySource source(part.bytes());
      const auto facts = read_checkpoint(sample.name, source);
      EXPECT_TRUE(!facts || !*facts || !(*facts)->incomplete.empty()) << sample.name << ", " << size << " bytes of it";
    }
}

TEST(HostileSamplesTest, AChangedCheckpointIsReadOrRefused) {
  for (const Sample& sample : checkpoints()) {
    Random random(1);
    const Copy changed(sample.text);
    for (std::size_t i = 0; i < k_changes; ++i) {
      changed.set(sample.text);
      change(changed.bytes(), random);
      MemorySource source(changed.bytes());
      const auto facts = read_checkpoint(sample.name, source);
      EXPECT_TRUE(facts || !facts.error().message.empty()) << sample.name;
    }
  }
}

// What a reader finds in all, so that something of each value is looked at.
std::size_t count_in(std::string_view file) {
  std::size_t found = 0;
  EventFileReader reader;
  const EventVisitor visitor{
      .scalar = [&](const PointHead& head, double) { found += 1 + head.tag.size(); },
      .histogram = [&](const PointHead&, const auto& buckets) { found += buckets.size(); },
      .image =
          [&](const PointHead&, const auto& images) {
            for (const Image& image : images) found += image.encoded.size();
          },
      .text =
          [&](const PointHead&, const auto& texts) {
            for (const std::string_view text : texts) found += text.size();
          },
      .hyperparameters = [&](std::string_view, ByteView content) { found += content.size(); },
  };
  const Copy copy(file);
  (void)reader.feed(copy.bytes(), visitor);
  return found;
}

TEST(HostileSamplesTest, AnEventFileThatIsCutOffIsReadAsFarAsItIs) {
  const auto samples = event_files();
  ASSERT_GT(samples.size(), 10u);
  for (const Sample& sample : samples) {
    auto cuts = cuts_of(sample.text.size());
    std::ranges::sort(cuts);
    std::size_t before = 0;
    for (const std::size_t size : cuts) {
      const std::size_t found = count_in(std::string_view(sample.text).substr(0, size));
      EXPECT_GE(found, before) << sample.name << ", " << size << " bytes of it";
      before = found;
    }
    EXPECT_GE(count_in(sample.text), before) << sample.name;
  }
}

TEST(HostileSamplesTest, AChangedEventIsReadOrPassedOver) {
  constexpr std::size_t k_around = 16;  // bytes of a record around its data
  for (const Sample& sample : event_files()) {
    Random random(1);
    for (std::size_t i = 0; i < k_changes / 10; ++i) {
      // Each record again, with sums that are right: else nothing behind them is looked at.
      std::string file;
      std::string_view rest = sample.text;
      while (rest.size() >= k_around) {
        std::uint64_t length = 0;
        std::memcpy(&length, rest.data(), sizeof length);
        std::string data(rest.substr(12, length));
        if (!data.empty()) change(std::as_writable_bytes(std::span(data)), random);
        file += testing::record(data);
        rest.remove_prefix(k_around + length);
      }
      const Copy changed(file);
      MemorySource source(changed.bytes());
      const auto read = read_event_file(source);
      ASSERT_TRUE(read.has_value()) << sample.name;
      for (const auto& [kind, series] : read->content.summaries)
        for (const auto& [tag, places] : series)
          for (const SummaryPlace& place : places)
            EXPECT_TRUE(read_place(source, place, kind, tag, {}).has_value()) << sample.name;
    }
  }
}

}  // namespace
}  // namespace studio::analysis
