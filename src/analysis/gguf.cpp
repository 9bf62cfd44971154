// GGUF, as llama.cpp reads and writes it: magic, version, how many tensors and how many entries of metadata there are,
// the entries, what each tensor is and where it lies, the data. All in the byte order of the machine that wrote it.
#include <algorithm>
#include <array>

#include "analysis/byte_cursor.hpp"
#include "analysis/checkpoint.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::string_view k_alignment = "general.alignment";
constexpr std::uint32_t k_most_dimensions = 4;  // GGML_MAX_DIMS
constexpr std::size_t k_deepest = 4;            // of arrays in arrays, which nobody writes

// What a block of a tensor takes (ggml/src/ggml-common.h). The quantized types keep ggml's names.
struct Type {
  std::uint32_t number;
  std::string_view name;
  std::uint64_t elements;
  std::uint64_t bytes;
};
constexpr std::array<Type, 34> k_types{
    {{0, "float32", 1, 4},     {1, "float16", 1, 2},     {2, "Q4_0", 32, 18},      {3, "Q4_1", 32, 20},
     {6, "Q5_0", 32, 22},      {7, "Q5_1", 32, 24},      {8, "Q8_0", 32, 34},      {9, "Q8_1", 32, 40},
     {10, "Q2_K", 256, 84},    {11, "Q3_K", 256, 110},   {12, "Q4_K", 256, 144},   {13, "Q5_K", 256, 176},
     {14, "Q6_K", 256, 210},   {15, "Q8_K", 256, 292},   {16, "IQ2_XXS", 256, 66}, {17, "IQ2_XS", 256, 74},
     {18, "IQ3_XXS", 256, 98}, {19, "IQ1_S", 256, 50},   {20, "IQ4_NL", 32, 18},   {21, "IQ3_S", 256, 110},
     {22, "IQ2_S", 256, 82},   {23, "IQ4_XS", 256, 136}, {24, "int8", 1, 1},       {25, "int16", 1, 2},
     {26, "int32", 1, 4},      {27, "int64", 1, 8},      {28, "float64", 1, 8},    {29, "IQ1_M", 256, 56},
     {30, "bfloat16", 1, 2},   {34, "TQ1_0", 256, 54},   {35, "TQ2_0", 256, 66},   {39, "MXFP4", 32, 17},
     {40, "NVFP4", 64, 36},    {41, "Q1_0", 128, 18}}};

// Of metadata.
enum class ValueType : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

std::uint64_t size_of(ValueType type) {
  constexpr std::array<std::uint64_t, 13> k_sizes{1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  const auto number = static_cast<std::size_t>(type);
  return number < k_sizes.size() ? k_sizes[number] : 0;
}

class Reader {
 public:
  explicit Reader(ByteSource& file) : file_(file), in_(file, 0, k_most_head) {}

  Result<CheckpointFacts> read() {
    if (!read_all()) return in_.failure() ? *in_.failure() : error_;
    sort_by_name(facts_.tensors);
    return std::move(facts_);
  }

 private:
  bool fail(std::string_view what) {
    error_ = {Code::corrupt, concat("the GGUF head ", what)};
    return false;
  }

  bool read_all() {
    std::uint32_t magic = 0;
    std::uint32_t version = 0;
    std::uint64_t tensors = 0;
    std::uint64_t entries = 0;
    if (!in_.number(magic) || !in_.number(version)) return false;
    if (version != 2 && version != 3) {
      const bool is_other_order = version == __builtin_bswap32(2) || version == __builtin_bswap32(3);
      const std::string what = is_other_order ? "big-endian GGUF files" : concat("GGUF files of version ", version);
      error_ = {Code::unsupported, concat(what, " are not read here")};
      return false;
    }
    if (!in_.number(tensors) || !in_.number(entries)) return false;
    if (tensors > k_most_tensors || entries > k_most_metadata) {
      error_ = {Code::exhausted, "the GGUF head names more tensors, or more entries of metadata, than any does"};
      return false;
    }
    for (std::uint64_t i = 0; i < entries; ++i)
      if (!read_entry()) return false;
    std::uint64_t end = 0;
    for (std::uint64_t i = 0; i < tensors; ++i)
      if (!read_tensor(end)) return false;
    std::uint64_t data = 0;
    if (__builtin_add_overflow(in_.position(), alignment_ - 1, &data)) return fail("has a wrong alignment");
    data -= data % alignment_;
    facts_.incomplete = missing_data(file_.size() - std::min(data, file_.size()), end);
    return true;
  }

  bool read_text(std::string& text) {
    std::uint64_t size = 0;
    return in_.number(size) && in_.text(size, text);
  }

  bool read_entry() {
    std::string name;
    ValueType type{};
    std::string value;
    if (!read_text(name) || !in_.number(type)) return false;
    if (name == k_alignment && type == ValueType::u32) {
      std::uint32_t alignment = 0;
      if (!in_.number(alignment)) return false;
      if (alignment == 0) return fail("has a wrong alignment");
      alignment_ = alignment;
      value = std::to_string(alignment);
    } else if (!read_value(type, value)) {
      return false;
    }
    facts_.metadata.emplace(to_utf8(name), std::move(value));
    return true;
  }

  bool read_value(ValueType type, std::string& value) {
    switch (type) {
      case ValueType::u8: return read_number<std::uint8_t>(value);
      case ValueType::i8: return read_number<std::int8_t>(value);
      case ValueType::u16: return read_number<std::uint16_t>(value);
      case ValueType::i16: return read_number<std::int16_t>(value);
      case ValueType::u32: return read_number<std::uint32_t>(value);
      case ValueType::i32: return read_number<std::int32_t>(value);
      case ValueType::u64: return read_number<std::uint64_t>(value);
      case ValueType::i64: return read_number<std::int64_t>(value);
      case ValueType::f32: return read_real<float>(value);
      case ValueType::f64: return read_real<double>(value);
      case ValueType::boolean: {
        std::uint8_t byte = 0;
        if (!in_.number(byte)) return false;
        value = byte != 0 ? "true" : "false";
        return true;
      }
      case ValueType::string: {
        std::string text;
        if (!read_text(text)) return false;
        value = to_utf8(text);
        return true;
      }
      case ValueType::array: return read_array(value, 0);
    }
    return fail("has metadata of a type that is not known");
  }

  template <class Integer>
  bool read_number(std::string& text) {
    Integer number{};
    if (!in_.number(number)) return false;
    text = std::to_string(number);
    return true;
  }
  template <class Real>
  bool read_real(std::string& text) {
    Real number{};
    if (!in_.number(number)) return false;
    text = number_text(static_cast<double>(number));
    return true;
  }

  // Of a vocabulary, say: only how long it is.
  bool read_array(std::string& value, std::size_t depth) {
    ValueType type{};
    std::uint64_t count = 0;
    if (!in_.number(type) || !in_.number(count)) return false;
    value = concat(count, " values");
    if (type == ValueType::string || type == ValueType::array) {
      if (depth == k_deepest) return fail("has arrays that are too deep");
      for (std::uint64_t i = 0; i < count; ++i)
        if (std::string inner; type == ValueType::string ? !skip_text() : !read_array(inner, depth + 1)) return false;
      return true;
    }
    std::uint64_t size = size_of(type);
    if (size == 0) return fail("has metadata of a type that is not known");
    if (__builtin_mul_overflow(size, count, &size)) return fail("has an array that is too long");
    return in_.skip(size);
  }
  bool skip_text() {
    std::uint64_t size = 0;
    return in_.number(size) && in_.skip(size);
  }

  // `end`: where the data of all that was read until now ends.
  bool read_tensor(std::uint64_t& end) {
    std::string name;
    std::uint32_t dimensions = 0;
    if (!read_text(name) || !in_.number(dimensions)) return false;
    if (dimensions > k_most_dimensions) return fail("has a tensor of too many dimensions");
    TensorFacts tensor{.name = to_utf8(name)};
    tensor.shape.resize(dimensions);
    for (std::uint64_t& size : tensor.shape)
      if (!in_.number(size)) return false;
    std::ranges::reverse(tensor.shape);  // ggml has the fastest first
    std::uint32_t type = 0;
    std::uint64_t offset = 0;
    if (!in_.number(type) || !in_.number(offset)) return false;
    const auto* const known = std::ranges::find(k_types, type, &Type::number);
    const auto count = element_count(tensor.shape);
    if (!count) return fail(concat("has a wrong size for '", printable(name), "'"));
    if (known != k_types.end()) {
      tensor.type = known->name;
      std::uint64_t tensor_end = 0;
      const bool is_good = *count % known->elements == 0 &&
                           !__builtin_mul_overflow(*count / known->elements, known->bytes, &tensor.bytes) &&
                           !__builtin_add_overflow(offset, tensor.bytes, &tensor_end);
      if (!is_good) return fail(concat("has a wrong size for '", printable(name), "'"));
      end = std::max(end, tensor_end);
    } else {
      tensor.type = concat("ggml type ", type);  // a newer one: its size is not known
    }
    facts_.tensors.push_back(std::move(tensor));
    return true;
  }

  ByteSource& file_;
  ByteCursor in_;
  std::uint64_t alignment_ = 32;
  CheckpointFacts facts_{.format = "gguf"};
  Error error_;
};

}  // namespace

Result<CheckpointFacts> read_gguf(ByteSource& file) { return Reader(file).read(); }

}  // namespace studio::analysis
