// ONNX (github.com/onnx/onnx, onnx/onnx.proto): one message of Protocol Buffers, the weights in the midst of it. Their
// data is passed over, so the message is read where it lies.
#include <algorithm>
#include <array>

#include "analysis/byte_cursor.hpp"
#include "analysis/checkpoint.hpp"
#include "analysis/protobuf.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Wire = ProtobufReader::Wire;

// TensorProto.DataType
struct Type {
  std::uint64_t number;
  std::string_view name;
  std::uint64_t bits;  // 0: they differ
};
constexpr std::array<Type, 28> k_types{{{1, "float32", 32},       {2, "uint8", 8},
                                        {3, "int8", 8},           {4, "uint16", 16},
                                        {5, "int16", 16},         {6, "int32", 32},
                                        {7, "int64", 64},         {8, "string", 0},
                                        {9, "bool", 8},           {10, "float16", 16},
                                        {11, "float64", 64},      {12, "uint32", 32},
                                        {13, "uint64", 64},       {14, "complex64", 64},
                                        {15, "complex128", 128},  {16, "bfloat16", 16},
                                        {17, "float8_e4m3fn", 8}, {18, "float8_e4m3fnuz", 8},
                                        {19, "float8_e5m2", 8},   {20, "float8_e5m2fnuz", 8},
                                        {21, "uint4", 4},         {22, "int4", 4},
                                        {23, "float4_e2m1fn", 4}, {24, "float8_e8m0fnu", 8},
                                        {25, "uint2", 2},         {26, "int2", 2},
                                        {27, "float6_e2m3", 6},   {28, "float6_e3m2", 6}}};

// A message, and the field of it that was come to.
struct Message {
  std::uint64_t end = 0;
  std::uint64_t field = 0;
  Wire wire{};
  std::uint64_t integer = 0;     // of a varint
  std::uint64_t field_size = 0;  // of bytes, of which none are read yet
  std::uint64_t field_end = 0;
};

class Reader {
 public:
  explicit Reader(ByteSource& file) : file_(file), in_(file, 0, k_most_head) {}

  Result<CheckpointFacts> read() {
    Message model = {.end = file_.size()};
    while (next(model)) read_field_of_model(model);
    if (error_) return *error_;
    if (in_.failure() && (whole_ == 0 || in_.failure()->code != Code::corrupt)) return *in_.failure();
    if (!has_graph_) return malformed("holds no graph");
    if (whole_ > 0)
      facts_.incomplete = missing_data(file_.size(), whole_);
    else if (!has_operators_)
      facts_.incomplete = "it ends before it names its operator sets";
    sort_by_name(facts_.tensors);
    return std::move(facts_);
  }

 private:
  static Error malformed(std::string_view what) { return {Code::corrupt, concat("the ONNX model ", what)}; }
  bool fail(Error error) {
    if (!error_) error_ = std::move(error);
    return false;
  }

  // To the next field; false at the end, or if something is wrong.
  bool next(Message& message) {
    if (error_ || in_.failure()) return false;
    if (message.field_end > in_.position() && !in_.skip(message.field_end - in_.position())) return false;
    if (in_.position() >= message.end) return false;
    std::uint64_t key = 0;
    if (!in_.varint(key)) return cut_off_within(1);
    message.field = key >> 3;
    message.wire = static_cast<Wire>(key & 7);
    message.integer = 0;
    message.field_size = 0;
    switch (message.wire) {
      case Wire::varint:
        if (!in_.varint(message.integer)) return cut_off_within(1);
        break;
      case Wire::fixed64: message.field_size = 8; break;
      case Wire::fixed32: message.field_size = 4; break;
      case Wire::bytes:
        if (!in_.varint(message.field_size)) return cut_off_within(1);
        break;
      default: return fail(malformed("is malformed"));
    }
    if (in_.position() > message.end) return fail(malformed("is malformed"));
    if (message.field_size > message.end - in_.position()) {
      if (message.end < file_.size()) return fail(malformed("is malformed"));
      // As far as it is there.
      std::uint64_t whole = 0;
      if (__builtin_add_overflow(in_.position(), message.field_size, &whole)) return fail(malformed("is malformed"));
      whole_ = std::max(whole_, whole);
      message.field_size = message.end - in_.position();
    }
    message.field_end = in_.position() + message.field_size;
    return true;
  }
  bool cut_off_within(std::uint64_t missing) {
    if (in_.position() >= file_.size()) whole_ = std::max(whole_, file_.size() + missing);
    return false;
  }
  Message inner(const Message& message) const { return {.end = message.field_end}; }

  // Of a field; empty if it is not all there.
  std::string text(const Message& message) {
    std::string text;
    if (message.field_size > 0 && in_.text(message.field_size, text)) return to_utf8(text);
    return {};
  }
  void note(std::string name, std::string text) {
    if (facts_.metadata.size() < k_most_metadata && !text.empty())
      facts_.metadata.emplace(std::move(name), std::move(text));
  }

  void read_field_of_model(const Message& model) {
    switch (model.field) {
      case 1: return note("ir_version", std::to_string(model.integer));
      case 2: return note("producer_name", text(model));
      case 3: return note("producer_version", text(model));
      case 4: return note("domain", text(model));
      case 5: return note("model_version", std::to_string(model.integer));
      case 7: return read_graph(inner(model));
      case 8: return read_operators(inner(model));
      case 14: {
        const auto [name, value] = read_pair(inner(model));
        return note(name, value);
      }
      default: return;
    }
  }

  // StringStringEntryProto
  std::pair<std::string, std::string> read_pair(Message pair) {
    std::pair<std::string, std::string> texts;
    while (next(pair)) {
      if (pair.field == 1) texts.first = text(pair);
      if (pair.field == 2) texts.second = text(pair);
    }
    return texts;
  }

  void read_operators(Message operators) {
    has_operators_ = true;
    std::string domain;
    std::uint64_t version = 0;
    while (next(operators)) {
      if (operators.field == 1) domain = text(operators);
      if (operators.field == 2) version = operators.integer;
    }
    note(domain.empty() ? "opset" : concat("opset ", domain), std::to_string(version));
  }

  void read_graph(Message graph) {
    has_graph_ = true;
    while (next(graph)) {
      if (graph.field == 2) note("graph", text(graph));
      if (graph.field == 5 && !read_tensor(inner(graph))) return;
    }
  }

  bool read_tensor(Message tensor) {
    TensorFacts facts;
    std::uint64_t type = 0;
    std::uint64_t inline_size = 0;  // of raw data, and of strings
    bool is_external = false;
    std::string location;
    bool has_data = false;
    while (next(tensor)) {
      switch (tensor.field) {
        case 1:
          if (!read_dimensions(tensor, facts.shape)) return false;
          break;
        case 2: type = tensor.integer; break;
        case 6: inline_size += tensor.field_size; break;
        case 8: facts.name = text(tensor); break;
        case 9:
          inline_size = tensor.field_size;
          has_data = true;
          break;
        case 13: {
          const auto [name, value] = read_pair(inner(tensor));
          if (name == "location") location = value;
          break;
        }
        case 14: is_external = tensor.integer == 1; break;
        default: break;
      }
    }
    if (error_) return false;
    const auto* const known = std::ranges::find(k_types, type, &Type::number);
    facts.type = known == k_types.end() ? concat("ONNX type ", type) : std::string(known->name);
    const auto count = element_count(facts.shape);
    std::uint64_t bits = 0;
    if (!count || __builtin_mul_overflow(*count, known == k_types.end() ? 0 : known->bits, &bits))
      return fail(malformed(concat("has a wrong shape for '", printable(facts.name), "'")));
    facts.bytes = bits == 0 ? inline_size : bits / 8 + (bits % 8 != 0 ? 1 : 0);
    if (is_external) facts.file = location;
    // It may be cut off within its name.
    if (whole_ > 0 && tensor.end == file_.size() && !has_data) return false;
    if (facts_.tensors.size() == k_most_tensors) return fail({Code::exhausted, "the ONNX model has too many tensors"});
    facts_.tensors.push_back(std::move(facts));
    return true;
  }

  // One by one, or packed.
  bool read_dimensions(const Message& field, std::vector<std::uint64_t>& shape) {
    std::vector<std::uint64_t> sizes{field.integer};
    if (field.wire == Wire::bytes) {
      std::string packed;
      sizes.clear();
      if (!in_.text(field.field_size, packed)) return false;
      if (!ProtobufReader::append_varints(as_bytes(packed), sizes) && whole_ == 0)
        return fail(malformed("has a wrong shape"));
    }
    for (const std::uint64_t size : sizes) {
      if (size >> 63 != 0) return fail(malformed("has a wrong shape"));
      shape.push_back(size);
    }
    return true;
  }

  ByteSource& file_;
  ByteCursor in_;
  CheckpointFacts facts_{.format = "onnx"};
  bool has_graph_ = false;
  bool has_operators_ = false;
  std::uint64_t whole_ = 0;  // how long it is at least, if it is cut off
  std::optional<Error> error_;
};

}  // namespace

Result<CheckpointFacts> read_onnx(ByteSource& file) { return Reader(file).read(); }

}  // namespace studio::analysis
