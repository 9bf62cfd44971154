// The safetensors format: the length of the head (8 bytes, little-endian), the head (a JSON object), the data.
#include <algorithm>
#include <array>
#include <cstring>

#include <nlohmann/json.hpp>

#include "analysis/checkpoint.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using nlohmann::json;

constexpr std::string_view k_metadata = "__metadata__";

struct Type {
  std::string_view written;
  std::string_view name;
  std::uint64_t bits;
};
constexpr std::array<Type, 22> k_types{{{"BOOL", "bool", 8},
                                        {"U8", "uint8", 8},
                                        {"I8", "int8", 8},
                                        {"F8_E5M2", "float8_e5m2", 8},
                                        {"F8_E4M3", "float8_e4m3fn", 8},
                                        {"F8_E4M3FNUZ", "float8_e4m3fnuz", 8},
                                        {"F8_E5M2FNUZ", "float8_e5m2fnuz", 8},
                                        {"F8_E8M0", "float8_e8m0fnu", 8},
                                        {"U16", "uint16", 16},
                                        {"I16", "int16", 16},
                                        {"F16", "float16", 16},
                                        {"BF16", "bfloat16", 16},
                                        {"U32", "uint32", 32},
                                        {"I32", "int32", 32},
                                        {"F32", "float32", 32},
                                        {"U64", "uint64", 64},
                                        {"I64", "int64", 64},
                                        {"F64", "float64", 64},
                                        {"C64", "complex64", 64},
                                        {"F4", "float4", 4},
                                        {"F6_E2M3", "float6_e2m3", 6},
                                        {"F6_E3M2", "float6_e3m2", 6}}};

Error malformed(std::string_view what) { return {Code::corrupt, concat("the safetensors head ", what)}; }

Result<json> read_head(ByteSource& file, std::uint64_t& data) {
  TRY_ASSIGN(const Bytes prefix, file.read(0, 8));
  std::uint64_t length = 0;
  std::memcpy(&length, prefix.data(), sizeof length);
  if (length > k_most_head)
    return Error{Code::exhausted,
                 concat("the safetensors head says that it is ", length, " bytes long, more than any is")};
  TRY_ASSIGN(const Bytes head, file.read(8, length));
  data = 8 + length;
  auto parsed = json::parse(as_text(head), nullptr, false);
  if (!parsed.is_object()) return malformed("is no JSON object");
  if (parsed.size() > k_most_tensors + 1) return Error{Code::exhausted, "the safetensors head names too many tensors"};
  return parsed;
}

// Where the data of a tensor lies, from the end of the head.
struct Place {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

Result<Place> read_place(const std::string& name, const json& value) {
  const auto offsets = value.find("data_offsets");
  const bool is_good = offsets != value.end() && offsets->is_array() && offsets->size() == 2 &&
                       (*offsets)[0].is_number_unsigned() && (*offsets)[1].is_number_unsigned();
  if (!is_good) return malformed(concat("has no place for '", printable(name), "'"));
  const Place place{(*offsets)[0].get<std::uint64_t>(), (*offsets)[1].get<std::uint64_t>()};
  if (place.begin > place.end) return malformed(concat("has a wrong place for '", printable(name), "'"));
  return place;
}

Result<TensorFacts> read_tensor(const std::string& name, const json& value, const Place& place) {
  const auto type = value.find("dtype");
  const auto shape = value.find("shape");
  const bool is_good = type != value.end() && type->is_string() && shape != value.end() && shape->is_array();
  if (!is_good) return malformed(concat("does not say what '", printable(name), "' is"));
  TensorFacts tensor{
      .name = name, .type = to_utf8(type->get<std::string>()), .shape = {}, .bytes = place.end - place.begin};
  for (const json& size : *shape) {
    if (!size.is_number_unsigned()) return malformed(concat("has a wrong shape for '", printable(name), "'"));
    tensor.shape.push_back(size.get<std::uint64_t>());
  }
  const auto* const known =
      std::find_if(k_types.begin(), k_types.end(), [&](const Type& each) { return each.written == tensor.type; });
  if (known == k_types.end()) return tensor;  // a newer type: its size cannot be checked
  tensor.type = known->name;
  const auto count = element_count(tensor.shape);
  std::uint64_t bits = 0;
  if (!count || __builtin_mul_overflow(*count, known->bits, &bits) || bits / 8 != tensor.bytes)
    return malformed(concat("has a wrong size for '", printable(name), "'"));
  return tensor;
}

}  // namespace

Result<CheckpointFacts> read_safetensors(ByteSource& file) {
  std::uint64_t data = 0;
  TRY_ASSIGN(const json head, read_head(file, data));
  CheckpointFacts facts{.format = "safetensors"};
  std::uint64_t end = 0;
  for (const auto& [name, value] : head.items()) {
    if (!value.is_object()) return malformed(concat("has no description of '", printable(name), "'"));
    if (name == k_metadata) {
      if (value.size() > k_most_metadata)
        return Error{Code::exhausted, concat("the head has more than ", k_most_metadata, " entries of metadata")};
      for (const auto& [key, text] : value.items())
        if (text.is_string()) facts.metadata.emplace(to_utf8(key), to_utf8(text.get<std::string>()));
      continue;
    }
    TRY_ASSIGN(const Place place, read_place(name, value));
    TRY_ASSIGN(TensorFacts tensor, read_tensor(name, value, place));
    end = std::max(end, place.end);
    facts.tensors.push_back(std::move(tensor));
  }
  facts.incomplete = missing_data(file.size() - data, end);
  return facts;
}

}  // namespace studio::analysis
