// TensorBoard's event files: records of TensorFlow's TFRecord format, each an Event message (tensorflow/core/util/
// event.proto, tensorflow/core/framework/summary.proto).
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::analysis {

// "…tfevents…": what TensorBoard takes for an event file.
inline bool is_event_file_name(std::string_view name) { return name.find("tfevents") != name.npos; }

// Of one tag at one step. `wall_time`: seconds since 1970.
struct PointHead {
  std::string_view tag;
  std::int64_t step = 0;
  double wall_time = 0;
};

// A bucket holds values from `left` to `right`.
struct HistogramBucket {
  double left = 0;
  double right = 0;
  double count = 0;
  friend bool operator==(const HistogramBucket&, const HistogramBucket&) = default;
};

struct Image {
  std::int64_t width = 0;
  std::int64_t height = 0;
  ByteView encoded;  // PNG, or what the writer chose
};

// What is found in a file; each may be left empty. What the heads and values refer to lives during the call.
struct EventVisitor {
  std::function<void(const PointHead&, double value)> scalar = {};
  std::function<void(const PointHead&, const std::vector<HistogramBucket>&)> histogram = {};
  std::function<void(const PointHead&, const std::vector<Image>&)> image = {};
  std::function<void(const PointHead&, const std::vector<std::string_view>&)> text = {};
  // The metadata of the hyperparameters plugin (tensorboard/plugins/hparams/plugin_data.proto), as it stands.
  std::function<void(std::string_view tag, ByteView content)> hyperparameters = {};
};

// Takes a file piece by piece, as it grows. Not thread-safe.
class EventFileReader {
 public:
  // The next bytes of the file, however they are cut; what is whole by then is handed on, the rest waits for more.
  // `corrupt` at a damaged record: nothing behind it can be read, and the reader stays there.
  Result<void> feed(ByteView bytes, const EventVisitor& visitor);

  // Of the file: where the first record begins that is not complete, or damaged. While a visitor is called: where the
  // record begins that it is called for, and how long that is.
  std::uint64_t offset() const { return offset_; }
  std::uint64_t record_length() const { return record_length_; }
  std::uint64_t skipped_events() const { return skipped_; }  // well-framed records that are no Event, or not wholly
  bool is_damaged() const { return is_damaged_; }
  // Why some of the file could not be read, in words.
  std::vector<std::string> problems() const;

  // Of a tag whose first value, which says its plugin, was read by another.
  void set_plugin(std::string_view tag, std::string_view plugin) {
    plugins_.insert_or_assign(std::string(tag), plugin);
  }

  // An image of some megapixels is in one record; what is longer is taken for damage.
  static constexpr std::uint64_t k_most_record = 256 << 20;
  static constexpr std::size_t k_most_plugins = 100'000;  // tags whose plugin is remembered
  static constexpr std::size_t k_most_name = 4096;        // bytes of a tag or plugin; what has a longer one is skipped

  // Names of plugins.
  static constexpr std::string_view k_scalars = "scalars";
  static constexpr std::string_view k_histograms = "histograms";
  static constexpr std::string_view k_images = "images";
  static constexpr std::string_view k_text = "text";
  static constexpr std::string_view k_hyperparameters = "hparams";

 private:
  Error damage() const;
  Result<bool> take_record(const EventVisitor& visitor);
  bool take_event(ByteView message, const EventVisitor& visitor);
  bool take_summary(ByteView message, std::int64_t step, double wall_time, const EventVisitor& visitor);
  bool take_value(ByteView message, std::int64_t step, double wall_time, const EventVisitor& visitor);
  // The plugin that a tag is of: only the first value of a tag says it.
  const std::string& plugin_of(std::string_view tag, ByteView metadata, const EventVisitor& visitor);

  Bytes waiting_;
  std::size_t at_ = 0;  // of waiting_: bytes before were taken
  std::uint64_t offset_ = 0;
  std::uint64_t record_length_ = 0;
  std::uint64_t skipped_ = 0;
  bool is_damaged_ = false;
  std::map<std::string, std::string, std::less<>> plugins_;  // by tag
};

}  // namespace studio::analysis
