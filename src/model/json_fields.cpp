#include "model/json_fields.hpp"

#include <cmath>

#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/display.hpp"
#include "base/name.hpp"

namespace studio::model {

namespace {

const nlohmann::json k_null;

std::optional<std::string> bytes_from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return {};
  std::string bytes;
  bytes.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = hex_value(text[i]);
    const int low = hex_value(text[i + 1]);
    if (high < 0 || low < 0) return {};
    bytes.push_back(static_cast<char>((high << 4) | low));
  }
  return bytes;
}

// Exactly as format_time() writes it. The years are those that nanoseconds in 64 bits reach in full: others would
// overflow in parse_time().
std::optional<WallTime> canonical_time(std::string_view text) {
  static constexpr std::string_view k_shape = "dddd-dd-ddTdd:dd:dd.dddddddddZ";
  if (text.size() != k_shape.size()) return {};
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (k_shape[i] == 'd' ? !digit : text[i] != k_shape[i]) return {};
  }
  if (text.substr(0, 4) < "1678" || text.substr(0, 4) > "2261") return {};
  const auto time = parse_time(text);
  if (!time || format_time(*time) != text) return {};
  return *time;
}

}  // namespace

Result<nlohmann::json> parse_json(std::string_view text) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_discarded()) return Error{Code::corrupt, "not a JSON document"};
  return json;
}

nlohmann::json byte_string(std::string_view bytes) {
  if (valid_utf8(bytes)) return bytes;
  return nlohmann::json::object({{"hex", hex(as_bytes(bytes))}});
}

nlohmann::json content_ref(const ContentRef& ref) {
  return {{"size", ref.size}, {"level", ref.level}, {"digest", ref.digest.hex()}};
}

nlohmann::json optional_time(const std::optional<WallTime>& time) {
  return time ? nlohmann::json(format_time(*time)) : nlohmann::json();
}

FieldReader::FieldReader(const nlohmann::json& json, std::string_view document)
    : json_(json), document_(document), root_(*this) {
  if (!json.is_object()) fault_ = Error{Code::corrupt, concat(document, " is not a JSON object")};
}

FieldReader::FieldReader(const nlohmann::json& json, FieldReader& parent, std::string_view field, std::size_t index)
    : json_(json), document_(parent.document_), root_(parent.root_), parent_(&parent), field_(field), index_(index) {
  if (!json.is_object()) fail({}, "is not an object");
}

void FieldReader::format(std::int64_t newest) {
  const std::int64_t found = integer("format", 1, k_greatest_integer);
  if (failed() || found <= newest) return;
  root_.fault_ =
      Error{Code::unsupported, concat(document_, " has format ", found, ", this Studio reads formats up to ", newest),
            "it was written by a newer Studio: use that one"};
}

bool FieldReader::boolean(std::string_view field) {
  const nlohmann::json& value = need(field);
  require(value.is_boolean(), field, "is not true or false");
  return value.is_boolean() && value.get<bool>();
}

std::int64_t FieldReader::integer(std::string_view field, std::int64_t least, std::int64_t most) {
  const nlohmann::json& value = need(field);
  // What was parsed is unsigned when it is not negative; what was built from a C++ int is not.
  const bool fits =
      value.is_number_unsigned() ? value.get<std::uint64_t>() <= std::uint64_t{INT64_MAX} : value.is_number_integer();
  const std::int64_t number = fits ? value.get<std::int64_t>() : 0;
  require(value.is_number_integer(), field, "is not an integer");
  require(fits && number >= least && number <= most, field, "is out of range");
  return failed() ? least : number;
}

std::uint64_t FieldReader::count(std::string_view field) {
  return static_cast<std::uint64_t>(integer(field, 0, k_greatest_integer));
}

std::optional<std::uint64_t> FieldReader::optional_count(std::string_view field) {
  if (!has(field)) return {};
  return count(field);
}

double FieldReader::real(std::string_view field) {
  const nlohmann::json& value = need(field);
  const double number = value.is_number() ? value.get<double>() : 0;
  require(value.is_number(), field, "is not a number");
  require(std::isfinite(number), field, "is out of range");
  return number;
}

double FieldReader::seconds(std::string_view field) {
  const double number = real(field);
  require(number >= 0, field, "is out of range");
  return number;
}

WallTime FieldReader::time(std::string_view field) {
  const auto time = canonical_time(bytes(field));
  require(time.has_value(), field, "is not a time");
  return time.value_or(WallTime());
}

std::optional<WallTime> FieldReader::optional_time(std::string_view field) {
  if (!has(field)) return {};
  return time(field);
}

std::string FieldReader::bytes(std::string_view field) { return bytes_of(need(field), field); }

std::vector<std::string> FieldReader::byte_strings(std::string_view field) {
  std::vector<std::string> strings;
  const nlohmann::json* items = array(field);
  strings.reserve(items == nullptr ? 0 : items->size());
  for (std::size_t i = 0; items != nullptr && i < items->size() && !failed(); ++i)
    strings.push_back(bytes_of((*items)[i], field));
  return strings;
}

std::string FieldReader::name(std::string_view field) {
  std::string text = bytes(field);
  require(valid_name(text), field, "is not a valid name");
  return text;
}

ContentRef FieldReader::content_ref(std::string_view field) {
  FieldReader in = object(field);
  ContentRef ref;
  ref.size = in.count("size");
  ref.level = static_cast<std::uint8_t>(in.integer("level", 0, 255));
  const auto digest = Digest::from_hex(in.bytes("digest"));
  in.require(digest.has_value(), "digest", "is not a SHA-256 digest");
  if (digest) ref.digest = *digest;
  in.require(ref.size > 0 || ref == ContentRef(), "size", "is 0, but level or digest is not");
  return ref;
}

FieldReader FieldReader::object(std::string_view field) { return FieldReader(need(field), *this, field, k_no_index); }

Result<void> FieldReader::result() const {
  if (root_.fault_) return *root_.fault_;
  return {};
}

void FieldReader::fail(std::string_view field, std::string_view complaint) {
  if (failed()) return;
  root_.fault_ = Error{Code::corrupt, concat(document_, ": field '", path_to(field), "' ", complaint)};
}

std::string FieldReader::path_to(std::string_view field) const {
  std::string path = parent_ == nullptr ? std::string() : parent_->path_to(field_);
  if (index_ != k_no_index) path += concat('[', index_, ']');
  if (!path.empty() && !field.empty()) path += '.';
  return path.append(field);
}

const nlohmann::json* FieldReader::find(std::string_view field) const {
  if (!json_.is_object()) return nullptr;
  const auto found = json_.find(field);
  return found == json_.end() || found->is_null() ? nullptr : &*found;
}

const nlohmann::json& FieldReader::need(std::string_view field) {
  const nlohmann::json* found = find(field);
  require(found != nullptr, field, "is missing");
  return found == nullptr ? k_null : *found;
}

const nlohmann::json* FieldReader::array(std::string_view field) {
  const nlohmann::json& value = need(field);
  require(value.is_array(), field, "is not an array");
  return value.is_array() ? &value : nullptr;
}

std::string FieldReader::bytes_of(const nlohmann::json& value, std::string_view field) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_object() && value.contains("hex") && value["hex"].is_string())
    if (auto bytes = bytes_from_hex(value["hex"].get_ref<const std::string&>())) return *std::move(bytes);
  fail(field, "is not a string or {\"hex\": …}");
  return {};
}

}  // namespace studio::model
