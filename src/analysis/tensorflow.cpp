// The index of a TensorFlow checkpoint (NAME.index), whose data lies in NAME.data-00000-of-00001 and further files: a
// table as LevelDB's (github.com/google/leveldb, doc/table_format.md) from names to messages BundleEntryProto
// (tensorflow/core/protobuf/tensor_bundle.proto).
#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <map>

#include "analysis/checkpoint.hpp"
#include "analysis/crc32c.hpp"
#include "analysis/protobuf.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

constexpr std::uint64_t k_footer_size = 48;
constexpr std::uint64_t k_magic = 0xdb4775248b80fb57;
constexpr std::uint64_t k_trailer_size = 5;  // of a block: how it is compressed, a sum
constexpr std::uint64_t k_most_shards = 100'000;

// DataType (tensorflow/core/framework/types.proto)
constexpr std::array<std::string_view, 31> k_types{"",
                                                   "float32",
                                                   "float64",
                                                   "int32",
                                                   "uint8",
                                                   "int16",
                                                   "int8",
                                                   "string",
                                                   "complex64",
                                                   "int64",
                                                   "bool",
                                                   "qint8",
                                                   "quint8",
                                                   "qint32",
                                                   "bfloat16",
                                                   "qint16",
                                                   "quint16",
                                                   "uint16",
                                                   "complex128",
                                                   "float16",
                                                   "resource",
                                                   "variant",
                                                   "uint32",
                                                   "uint64",
                                                   "float8_e5m2",
                                                   "float8_e4m3fn",
                                                   "float8_e4m3fnuz",
                                                   "float8_e4m3b11fnuz",
                                                   "float8_e5m2fnuz",
                                                   "int4",
                                                   "uint4"};

Error malformed(std::string_view what) { return {Code::corrupt, concat("the TensorFlow index ", what)}; }

struct Handle {
  std::uint64_t offset = 0;
  std::uint64_t size = 0;
};

// Takes a varint off the front.
bool take_varint(ByteView& bytes, std::uint64_t& value) {
  value = 0;
  for (int shift = 0; shift < 64 && !bytes.empty(); shift += 7) {
    const auto byte = std::to_integer<std::uint64_t>(bytes.front());
    bytes = bytes.subspan(1);
    value |= (byte & 0x7f) << shift;
    if ((byte & 0x80) == 0) return true;
  }
  return false;
}

bool take_handle(ByteView& bytes, Handle& handle) {
  return take_varint(bytes, handle.offset) && take_varint(bytes, handle.size);
}

Result<Bytes> read_block(ByteSource& file, const Handle& handle) {
  if (handle.size > k_most_head) return Error{Code::exhausted, "the TensorFlow index is too large"};
  TRY_ASSIGN(Bytes block, file.read(handle.offset, handle.size + k_trailer_size));
  std::uint32_t sum = 0;
  std::memcpy(&sum, block.data() + handle.size + 1, sizeof sum);
  if (masked_crc32c(ByteView(block).first(handle.size + 1)) != sum) return malformed("has a damaged block");
  if (block[handle.size] != std::byte{0})
    return Error{Code::unsupported, "TensorFlow indexes that are compressed are not read here"};
  block.resize(handle.size);
  return block;
}

// Calls `take(key, value)` for each entry of a block, which ends with a list of where keys are whole.
template <class Take>
Result<void> for_each_entry(ByteView block, Take take) {
  std::uint32_t restarts = 0;
  if (block.size() < sizeof restarts) return malformed("has a damaged block");
  std::memcpy(&restarts, block.data() + block.size() - sizeof restarts, sizeof restarts);
  const std::uint64_t tail = (std::uint64_t{restarts} + 1) * sizeof restarts;
  if (tail > block.size()) return malformed("has a damaged block");
  ByteView rest = block.first(block.size() - tail);
  std::string key;
  while (!rest.empty()) {
    std::uint64_t shared = 0;
    std::uint64_t own = 0;
    std::uint64_t size = 0;
    const bool is_good = take_varint(rest, shared) && take_varint(rest, own) && take_varint(rest, size);
    if (!is_good || shared > key.size() || own > rest.size() || size > rest.size() - own)
      return malformed("has a damaged block");
    key.resize(shared);
    key += as_text(rest.first(own));
    TRY(take(key, rest.subspan(own, size)));
    rest = rest.subspan(own + size);
  }
  return {};
}

// TensorShapeProto
bool read_shape(ByteView message, std::vector<std::uint64_t>& shape) {
  ProtobufReader in(message);
  while (in.next()) {
    if (in.field() != 2) continue;
    std::uint64_t size = 0;
    ProtobufReader dimension(in.bytes());
    while (dimension.next())
      if (dimension.field() == 1) size = dimension.integer();
    if (dimension.failed() || size >> 63 != 0) return false;
    shape.push_back(size);
  }
  return !in.failed();
}

class Reader {
 public:
  explicit Reader(ByteSource& file) : file_(file) {}

  Result<CheckpointFacts> read() {
    if (file_.size() < k_footer_size) return malformed("is cut off");
    TRY_ASSIGN(const Bytes footer, file_.read(file_.size() - k_footer_size, k_footer_size));
    std::uint64_t magic = 0;
    std::memcpy(&magic, footer.data() + k_footer_size - sizeof magic, sizeof magic);
    if (magic != k_magic) return malformed("has no end: it is cut off");
    Handle metadata;
    Handle index;
    ByteView handles = footer;
    if (!take_handle(handles, metadata) || !take_handle(handles, index)) return malformed("is damaged");
    TRY_ASSIGN(const Bytes block, read_block(file_, index));
    TRY(for_each_entry(block, [&](const std::string&, ByteView value) { return read_data(value); }));
    for (std::size_t i = 0; i < facts_.tensors.size(); ++i) {
      TensorFacts& tensor = facts_.tensors[i];
      if (const auto parts = parts_.find(tensor.name); parts != parts_.end()) {
        tensor.bytes = parts->second.bytes;
        shards_[i] = parts->second.shard;
      }
      tensor.file = shard_name(shards_[i]);
    }
    sort_by_name(facts_.tensors);
    return std::move(facts_);
  }

 private:
  Result<void> read_data(ByteView value) {
    Handle handle;
    if (!take_handle(value, handle)) return malformed("is damaged");
    size_ += handle.size;
    if (size_ > k_most_head) return Error{Code::exhausted, "the TensorFlow index is too large"};
    TRY_ASSIGN(const Bytes block, read_block(file_, handle));
    return for_each_entry(block, [&](const std::string& key, ByteView message) {
      return key.empty() ? read_header(message) : read_tensor(key, message);
    });
  }

  Result<void> read_header(ByteView message) {
    ProtobufReader in(message);
    while (in.next())
      if (in.field() == 1) shard_count_ = in.integer();
    if (in.failed() || shard_count_ > k_most_shards) return malformed("has a damaged header");
    return {};
  }

  Result<void> read_tensor(const std::string& key, ByteView message) {
    names_size_ += key.size();  // much of it may be shared with the one before
    if (names_size_ > k_most_head || facts_.tensors.size() == k_most_tensors)
      return Error{Code::exhausted, "the TensorFlow index names too much"};
    TensorFacts tensor{.name = to_utf8(key)};
    std::uint64_t type = 0;
    std::uint64_t shard = 0;
    ProtobufReader in(message);
    bool is_good = true;
    while (in.next()) {
      switch (in.field()) {
        case 1: type = in.integer(); break;
        case 2: is_good = is_good && read_shape(in.bytes(), tensor.shape); break;
        case 3: shard = in.integer(); break;
        case 5: tensor.bytes = in.integer(); break;
        default: break;
      }
    }
    if (in.failed() || !is_good) return malformed(concat("does not say what '", printable(key), "' is"));
    const bool is_known = type > 0 && type < k_types.size();
    tensor.type = is_known ? std::string(k_types[type]) : concat("TensorFlow type ", type);
    if (key.front() != '\0') {
      facts_.tensors.push_back(std::move(tensor));
      shards_.push_back(shard);
      return {};
    }
    Parts& parts = parts_.try_emplace(to_utf8(name_of_part(key)), Parts{.shard = shard}).first->second;
    if (__builtin_add_overflow(parts.bytes, tensor.bytes, &parts.bytes)) return malformed("has a wrong size");
    return {};
  }

  // The name of the tensor, in the code of tensorflow/core/lib/strings/ordered_code.h, and where the part begins.
  static std::string name_of_part(std::string_view key) {
    std::string name;
    for (std::size_t i = 1; i + 1 < key.size(); ++i) {
      const bool is_pair = key[i] == '\0' || key[i] == '\xff';
      if (is_pair && key[i] == '\0' && key[i + 1] == '\1') break;
      name += key[i];
      if (is_pair) ++i;
    }
    return name;
  }

  // What follows the name of the checkpoint, which the index does not hold.
  std::string shard_name(std::uint64_t shard) const {
    std::array<char, 64> text{};
    std::snprintf(text.data(), text.size(), ".data-%05llu-of-%05llu", static_cast<unsigned long long>(shard),
                  static_cast<unsigned long long>(shard_count_));
    return text.data();
  }

  ByteSource& file_;
  CheckpointFacts facts_{.format = "tensorflow"};
  std::vector<std::uint64_t> shards_;  // of the tensors
  // Of those that are kept in parts, whose own entries have no data.
  struct Parts {
    std::uint64_t bytes = 0;
    std::uint64_t shard = 0;  // of the first
  };
  std::map<std::string, Parts> parts_;  // by the name of the whole
  std::uint64_t shard_count_ = 1;
  std::uint64_t size_ = 0;
  std::uint64_t names_size_ = 0;
};

}  // namespace

Result<CheckpointFacts> read_tensorflow(ByteSource& file) { return Reader(file).read(); }

}  // namespace studio::analysis
