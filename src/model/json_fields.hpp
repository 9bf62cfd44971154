// JSON documents field by field, as doc/records.md defines them. Includes all of nlohmann: for .cpp files only.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/content_ref.hpp"

namespace studio::model {

// No integer of a document is greater: every database and nearly every language holds it.
inline constexpr std::int64_t k_greatest_integer = INT64_MAX;

// An enumerator and how it is written.
template <class Value>
struct Named {
  Value value;
  std::string_view name;
};

template <class Value, std::size_t Size>
std::string_view name_in(const std::array<Named<Value>, Size>& table, Value value) {
  for (const auto& entry : table)
    if (entry.value == value) return entry.name;
  return {};
}

template <class Value, std::size_t Size>
std::optional<Value> value_in(const std::array<Named<Value>, Size>& table, std::string_view name) {
  for (const auto& entry : table)
    if (entry.name == name) return entry.value;
  return {};
}

// `corrupt` if the text is not JSON. Never throws; nesting costs no stack.
Result<nlohmann::json> parse_json(std::string_view text);

// A JSON string if the bytes are UTF-8, otherwise {"hex": "…"}.
nlohmann::json byte_string(std::string_view bytes);
nlohmann::json content_ref(const ContentRef& ref);
// null for nothing
nlohmann::json optional_time(const std::optional<WallTime>& time);
template <class Number>
nlohmann::json optional_number(const std::optional<Number>& number) {
  return number ? nlohmann::json(*number) : nlohmann::json();
}

// Reads the fields of one JSON object. The first fault is kept and all that is read after it is of no meaning (zeros,
// empty strings), so that a parser asks result() once, at the end. A field that is null counts as absent; a field that
// nobody asks for is ignored. Borrows the JSON; a reader of a nested object borrows the reader around it. Not
// thread-safe.
class FieldReader {
 public:
  // `document` ("version manifest") opens the messages.
  FieldReader(const nlohmann::json& json, std::string_view document);
  FieldReader(const FieldReader&) = delete;
  FieldReader& operator=(const FieldReader&) = delete;

  // The field "format"; greater than `newest` is `unsupported`.
  void format(std::int64_t newest);

  bool has(std::string_view field) const { return find(field) != nullptr; }
  bool boolean(std::string_view field);
  std::int64_t integer(std::string_view field, std::int64_t least, std::int64_t most);
  std::uint64_t count(std::string_view field);  // 0 to k_greatest_integer
  std::optional<std::uint64_t> optional_count(std::string_view field);
  double real(std::string_view field);     // finite
  double seconds(std::string_view field);  // finite, not negative
  WallTime time(std::string_view field);
  std::optional<WallTime> optional_time(std::string_view field);
  std::string bytes(std::string_view field);  // a byte string
  std::vector<std::string> byte_strings(std::string_view field);
  std::string name(std::string_view field);  // valid_name()
  ContentRef content_ref(std::string_view field);

  template <class Value, std::size_t Size>
  Value one_of(std::string_view field, const std::array<Named<Value>, Size>& table) {
    const auto value = value_in(table, bytes(field));
    require(value.has_value(), field, "has an unknown value");
    return value.value_or(table[0].value);
  }

  FieldReader object(std::string_view field);

  // Calls `visit(FieldReader&)` for each object of an array, until one has a fault.
  template <class Visit>
  void each(std::string_view field, Visit visit) {
    const nlohmann::json* items = array(field);
    for (std::size_t i = 0; items != nullptr && i < items->size() && !failed(); ++i) {
      FieldReader item((*items)[i], *this, field, i);
      visit(item);
    }
  }

  void require(bool condition, std::string_view field, std::string_view complaint) {
    if (!condition) fail(field, complaint);
  }
  bool failed() const { return root_.fault_.has_value(); }
  // `corrupt` (or `unsupported`, see format()) naming the field.
  Result<void> result() const;

 private:
  static constexpr std::size_t k_no_index = SIZE_MAX;

  FieldReader(const nlohmann::json& json, FieldReader& parent, std::string_view field, std::size_t index);
  void fail(std::string_view field, std::string_view complaint);
  std::string path_to(std::string_view field) const;
  const nlohmann::json* find(std::string_view field) const;  // null when absent
  const nlohmann::json& need(std::string_view field);        // a JSON null, and a fault, when absent
  const nlohmann::json* array(std::string_view field);
  std::string bytes_of(const nlohmann::json& value, std::string_view field);

  const nlohmann::json& json_;
  std::string_view document_;
  FieldReader& root_;
  const FieldReader* parent_ = nullptr;
  std::string_view field_;  // in the parent
  std::size_t index_ = k_no_index;
  std::optional<Error> fault_;  // of the root only
};

}  // namespace studio::model
