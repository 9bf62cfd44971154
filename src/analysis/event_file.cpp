#include "analysis/event_file.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>

#include "analysis/crc32c.hpp"
#include "analysis/protobuf.hpp"
#include "analysis/tensor_proto.hpp"
#include "base/concat.hpp"

namespace studio::analysis {

namespace {

// A record: length (8 bytes), its masked CRC (4), the data, its masked CRC (4); all little-endian.
constexpr std::size_t k_length_size = 8;
constexpr std::size_t k_head_size = 12;
constexpr std::size_t k_sum_size = 4;

template <class Integer>
Integer integer_at(ByteView bytes, std::size_t at) {
  Integer value;
  std::memcpy(&value, bytes.data() + at, sizeof value);
  return value;
}

// The old form, whose buckets have their upper limits only: the first and the last that hold something begin and end
// with the least and the greatest value.
bool parse_old_histogram(ByteView message, std::vector<HistogramBucket>& buckets) {
  double least = 0;
  double greatest = 0;
  std::vector<double> limits;
  std::vector<double> counts;
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) least = in.real();
    if (in.field() == 2) greatest = in.real();
    if (in.field() != 6 && in.field() != 7) continue;
    std::vector<double>& values = in.field() == 6 ? limits : counts;
    if (in.wire() == ProtobufReader::Wire::bytes) {
      append_doubles(in.bytes(), values);
    } else {
      values.push_back(in.real());
    }
  }
  if (in.failed() || limits.size() != counts.size()) return false;
  const auto holds_some = [](double count) { return count > 0; };
  const auto first = std::find_if(counts.begin(), counts.end(), holds_some);
  if (first == counts.end()) return true;
  const auto end = std::find_if(counts.rbegin(), counts.rend(), holds_some).base();
  for (auto count = first; count != end; ++count) {
    const auto i = static_cast<std::size_t>(count - counts.begin());
    buckets.push_back({count == first ? least : limits[i - 1], count + 1 == end ? greatest : limits[i], *count});
  }
  return true;
}

bool parse_old_image(ByteView message, Image& image) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) image.height = static_cast<std::int64_t>(in.integer());
    if (in.field() == 2) image.width = static_cast<std::int64_t>(in.integer());
    if (in.field() == 4) image.encoded = in.bytes();
  }
  return !in.failed();
}

// Width and height as text, then the images.
bool images_of(const SmallTensor& tensor, std::vector<Image>& images) {
  if (tensor.strings.size() < 2) return false;
  Image image;
  const auto parse = [](std::string_view text, std::int64_t& value) {
    return std::from_chars(text.data(), text.data() + text.size(), value).ec == std::errc();
  };
  if (!parse(tensor.strings[0], image.width) || !parse(tensor.strings[1], image.height)) return false;
  for (std::size_t i = 2; i < tensor.strings.size(); ++i) {
    image.encoded = as_bytes(tensor.strings[i]);
    images.push_back(image);
  }
  return true;
}

bool buckets_of(const SmallTensor& tensor, std::vector<HistogramBucket>& buckets) {
  if (tensor.shape.size() != 2 || tensor.shape[1] != 3) return false;
  for (std::size_t i = 0; i + 2 < tensor.numbers.size(); i += 3)
    buckets.push_back({tensor.numbers[i], tensor.numbers[i + 1], tensor.numbers[i + 2]});
  return true;
}

bool take_tensor(const PointHead& head, std::string_view plugin, ByteView message, const EventVisitor& visitor) {
  using Reader = EventFileReader;
  const bool is_known = plugin == Reader::k_scalars || plugin == Reader::k_histograms || plugin == Reader::k_images ||
                        plugin == Reader::k_text;
  if (!is_known) return true;  // of other plugins nothing is shown
  SmallTensor tensor;
  if (!parse_tensor(message, tensor)) return false;
  if (plugin == Reader::k_scalars) {
    if (tensor.numbers.size() != 1) return false;
    if (visitor.scalar) visitor.scalar(head, tensor.numbers.front());
  } else if (plugin == Reader::k_histograms) {
    std::vector<HistogramBucket> buckets;
    if (!buckets_of(tensor, buckets)) return false;
    if (visitor.histogram) visitor.histogram(head, buckets);
  } else if (plugin == Reader::k_images) {
    std::vector<Image> images;
    if (!images_of(tensor, images)) return false;
    if (visitor.image) visitor.image(head, images);
  } else if (visitor.text) {
    visitor.text(head, tensor.strings);
  }
  return true;
}

}  // namespace

Result<void> EventFileReader::feed(ByteView bytes, const EventVisitor& visitor) {
  if (is_damaged_) return damage();
  waiting_.insert(waiting_.end(), bytes.begin(), bytes.end());
  while (true) {
    const auto taken = take_record(visitor);
    if (!taken) {
      Bytes().swap(waiting_);  // nothing behind damage is ever looked at
      return taken.error();
    }
    if (!*taken) break;
  }
  waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<std::ptrdiff_t>(at_));
  at_ = 0;
  return {};
}

Error EventFileReader::damage() const { return {Code::corrupt, concat("the record at byte ", offset_, " is damaged")}; }

std::vector<std::string> EventFileReader::problems() const {
  std::vector<std::string> problems;
  if (is_damaged_) problems.push_back(damage().message);
  if (skipped_ > 0) problems.push_back(concat("records that cannot be read: ", skipped_));
  return problems;
}

Result<bool> EventFileReader::take_record(const EventVisitor& visitor) {
  const ByteView rest = ByteView(waiting_).subspan(at_);
  if (rest.size() < k_head_size) return false;
  const auto length = integer_at<std::uint64_t>(rest, 0);
  is_damaged_ = masked_crc32c(rest.first(k_length_size)) != integer_at<std::uint32_t>(rest, k_length_size) ||
                length > k_most_record;
  if (is_damaged_) return damage();
  if (rest.size() < k_head_size + length + k_sum_size) return false;
  const ByteView data = rest.subspan(k_head_size, length);
  is_damaged_ = masked_crc32c(data) != integer_at<std::uint32_t>(rest, k_head_size + length);
  if (is_damaged_) return damage();
  record_length_ = k_head_size + length + k_sum_size;
  if (!take_event(data, visitor)) ++skipped_;
  at_ += record_length_;
  offset_ += record_length_;
  return true;
}

bool EventFileReader::take_event(ByteView message, const EventVisitor& visitor) {
  double wall_time = 0;
  std::int64_t step = 0;
  ByteView summary;
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) wall_time = in.real();
    if (!std::isfinite(wall_time)) wall_time = 0;  // what is on no axis cannot be shown
    if (in.field() == 2) step = static_cast<std::int64_t>(in.integer());
    if (in.field() == 5) summary = in.bytes();
  }
  return !in.failed() && take_summary(summary, step, wall_time, visitor);
}

bool EventFileReader::take_summary(ByteView message, std::int64_t step, double wall_time, const EventVisitor& visitor) {
  bool is_good = true;
  ProtobufReader in(message);
  while (in.next())
    if (in.field() == 1) is_good = take_value(in.bytes(), step, wall_time, visitor) && is_good;
  return is_good && !in.failed();
}

bool EventFileReader::take_value(ByteView message, std::int64_t step, double wall_time, const EventVisitor& visitor) {
  PointHead head{.tag = {}, .step = step, .wall_time = wall_time};
  ByteView metadata;
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() == 1) head.tag = in.text();
    if (in.field() == 9) metadata = in.bytes();
  }
  if (in.failed() || head.tag.size() > k_most_name) return false;
  const std::string& plugin = plugin_of(head.tag, metadata, visitor);
  bool is_good = true;
  for (ProtobufReader value(message); value.next();) {
    if (value.field() == 2 && value.wire() == ProtobufReader::Wire::fixed32) {
      if (visitor.scalar) visitor.scalar(head, value.real());
    } else if (value.field() == 4) {
      Image image;
      is_good = parse_old_image(value.bytes(), image);
      if (is_good && visitor.image) visitor.image(head, {image});
    } else if (value.field() == 5) {
      std::vector<HistogramBucket> buckets;
      is_good = parse_old_histogram(value.bytes(), buckets);
      if (is_good && visitor.histogram) visitor.histogram(head, buckets);
    } else if (value.field() == 8) {
      is_good = take_tensor(head, plugin, value.bytes(), visitor);
    }
  }
  return is_good;
}

const std::string& EventFileReader::plugin_of(std::string_view tag, ByteView metadata, const EventVisitor& visitor) {
  auto known = plugins_.find(tag);
  if (known != plugins_.end()) return known->second;
  std::string_view plugin;
  ByteView content;
  ProtobufReader in(metadata);
  while (in.next()) {
    if (in.field() != 1) continue;
    ProtobufReader data(in.bytes());
    while (data.next()) {
      if (data.field() == 1) plugin = data.text();
      if (data.field() == 2) content = data.bytes();
    }
  }
  if (plugin == k_hyperparameters && visitor.hyperparameters) visitor.hyperparameters(tag, content);
  // Of more tags than anyone can look at, the rest are taken for those of no plugin.
  static const std::string k_none;
  if (plugins_.size() >= k_most_plugins || plugin.size() > k_most_name) return k_none;
  return plugins_.emplace(tag, plugin).first->second;
}

}  // namespace studio::analysis
