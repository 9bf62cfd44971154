// HDF5 files, as h5py and Keras write weights into them: a tensor is a data set, its name the path that leads to it.
#include <algorithm>
#include <bit>
#include <set>

#include "analysis/checkpoint.hpp"
#include "analysis/hdf5_file.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Message = Hdf5Message;
using Type = Hdf5Message::Type;

constexpr std::size_t k_deepest = 100;
constexpr std::uint64_t k_longest_text = 64 << 10;

Error malformed(std::string_view what) { return {Code::corrupt, concat("the HDF5 file ", what)}; }

// A datatype message (section IV.A.2.d).
struct ElementType {
  enum class Class : std::uint8_t {
    integer,
    real,
    time,
    string,
    bits,
    opaque,
    compound,
    reference,
    enumeration,
    variable,
    array,
    complex,
  };
  Class kind{};
  std::uint64_t flags = 0;
  std::uint64_t size = 0;  // in bytes
  ByteView properties;
};

bool read_type(ByteView body, ElementType& type) {
  Hdf5Fields fields(body);
  type.kind = static_cast<ElementType::Class>(fields.number(1) & 0xf);
  type.flags = fields.number(3);
  type.size = fields.number(4);
  type.properties = fields.rest();
  return fields.is_good();
}

std::string name_of_real(const ElementType& type) {
  Hdf5Fields fields(type.properties);
  fields.skip(5);
  const std::uint64_t exponent = fields.number(1);
  fields.skip(1);
  const std::uint64_t mantissa = fields.number(1);
  if (type.size == 2 && exponent == 8) return "bfloat16";
  if (type.size == 1) return concat("float8_e", exponent, "m", mantissa);
  return concat("float", type.size * 8);
}

std::string name_of(const ElementType& type) {
  using Class = ElementType::Class;
  constexpr std::uint64_t k_is_signed = 8;
  // h5py writes truth as an enumeration whose first name is FALSE, and complex numbers as {r, i}.
  const std::string_view names = as_text(type.properties);
  switch (type.kind) {
    case Class::integer: return concat((type.flags & k_is_signed) != 0 ? "int" : "uint", type.size * 8);
    case Class::real: return name_of_real(type);
    case Class::string: return "string";
    case Class::opaque: return "opaque";
    case Class::compound: {
      const bool is_complex = (type.flags & 0xffff) == 2 && names.starts_with(std::string_view("r\0", 2));
      return is_complex ? concat("complex", type.size * 8) : "record";
    }
    case Class::reference: return "reference";
    case Class::enumeration: return names.find(std::string_view("FALSE\0", 6)) != names.npos ? "bool" : "enum";
    case Class::variable: return (type.flags & 0xf) == 1 ? "string" : "sequence";
    case Class::array: return "array";
    case Class::complex: return concat("complex", type.size * 8);
    default: return concat("HDF5 class ", static_cast<unsigned>(type.kind));
  }
}

// A dataspace message (section IV.A.2.b). False if it is malformed.
bool read_shape(ByteView body, std::vector<std::uint64_t>& shape) {
  constexpr std::uint64_t k_null = 2;
  Hdf5Fields fields(body);
  const std::uint64_t version = fields.number(1);
  const std::uint64_t rank = fields.number(1);
  fields.skip(1);
  const std::uint64_t kind = fields.number(1);
  if (version == 1) fields.skip(4);
  if (version != 1 && version != 2) return false;
  for (std::uint64_t i = 0; i < rank; ++i) shape.push_back(fields.number(8));
  if (version == 2 && kind == k_null) shape = {0};
  return fields.is_good();
}

const Message* find(const std::vector<Message>& messages, Type type) {
  const auto found = std::ranges::find(messages, type, &Message::type);
  return found == messages.end() ? nullptr : &*found;
}

class Reader {
 public:
  explicit Reader(Hdf5File& file) : file_(file) {}

  Result<CheckpointFacts> read(std::uint64_t there) {
    facts_.incomplete = missing_data(there, file_.end());
    auto done = read_root();
    // Of one that is cut off what was found: its heads lie among its data.
    const bool is_cut_off = !facts_.incomplete.empty();
    if (!done && !(is_cut_off && done.error().code == Code::corrupt)) return std::move(done).error();
    sort_by_name(facts_.tensors);
    return std::move(facts_);
  }

 private:
  Result<void> read_root() {
    TRY_ASSIGN(const auto root, file_.messages(file_.root()));
    for (const Message& message : root)
      if (message.type == Type::attribute && !message.is_shared) TRY(note_attribute(message.body));
    seen_.insert(file_.root());
    return read_group(root, "", 0);
  }

  Result<void> read_group(const std::vector<Message>& group, const std::string& path, std::size_t depth) {
    if (depth > k_deepest) return malformed("has groups that are too deep");
    TRY_ASSIGN(const auto links, file_.links(group));
    for (const Hdf5Link& link : links) {
      const std::string name = path.empty() ? to_utf8(link.name) : concat(path, "/", to_utf8(link.name));
      names_size_ += name.size();
      if (names_size_ > k_most_head) return Error{Code::exhausted, "the HDF5 file describes too much"};
      TRY_ASSIGN(const auto messages, file_.messages(link.address));
      if (find(messages, Type::layout) != nullptr) {
        TRY(read_data_set(messages, name));
      } else if (seen_.insert(link.address).second) {  // else a circle, or a second name of a group
        TRY(read_group(messages, name, depth + 1));
      }
    }
    return {};
  }

  Result<void> read_data_set(const std::vector<Message>& messages, const std::string& name) {
    const Message* const type_message = find(messages, Type::datatype);
    const Message* const space = find(messages, Type::dataspace);
    if (type_message == nullptr || space == nullptr) return malformed("has a data set without a type");
    TensorFacts tensor{.name = name};
    if (space->is_shared || !read_shape(space->body, tensor.shape))
      return malformed(concat("has a wrong shape for '", printable(name), "'"));
    const auto count = element_count(tensor.shape);
    ElementType type;
    if (type_message->is_shared) {
      tensor.type = "named type";  // lies elsewhere
    } else {
      if (!read_type(type_message->body, type))
        return malformed(concat("has a wrong type for '", printable(name), "'"));
      tensor.type = name_of(type);
      // Keras writes types that HDF5 lacks as bytes, and what they are beside them.
      if (type.kind == ElementType::Class::opaque)
        for (const Message& message : messages) {
          if (message.type != Type::attribute || message.is_shared) continue;
          TRY_ASSIGN(Attribute attribute, read_attribute(message.body));
          if (attribute.name == "dtype" && !attribute.value.empty()) tensor.type = std::move(attribute.value);
        }
    }
    if (!count || __builtin_mul_overflow(*count, type.size, &tensor.bytes))
      return malformed(concat("has a wrong size for '", printable(name), "'"));
    if (facts_.tensors.size() == k_most_tensors) return Error{Code::exhausted, "the HDF5 file has too many data sets"};
    facts_.tensors.push_back(std::move(tensor));
    return {};
  }

  Result<void> note_attribute(ByteView body) {
    if (facts_.metadata.size() >= k_most_metadata) return {};
    TRY_ASSIGN(Attribute attribute, read_attribute(body));
    if (!attribute.value.empty()) facts_.metadata.emplace(std::move(attribute.name), std::move(attribute.value));
    return {};
  }

  struct Attribute {
    std::string name;
    std::string value;  // empty if it is not one number or text
  };

  // Section IV.A.2.m.
  Result<Attribute> read_attribute(ByteView body) {
    Hdf5Fields fields(body);
    const std::uint64_t version = fields.number(1);
    fields.skip(1);
    const std::uint64_t name_size = fields.number(2);
    const std::uint64_t type_size = fields.number(2);
    const std::uint64_t space_size = fields.number(2);
    if (version == 3) fields.skip(1);
    const auto padded = [&](std::uint64_t size) { return version == 1 ? (size + 7) / 8 * 8 : size; };
    std::string_view name = as_text(fields.bytes(padded(name_size)));
    const ByteView type_body = fields.bytes(padded(type_size));
    std::vector<std::uint64_t> shape;
    const bool is_good = version >= 1 && version <= 3 && read_shape(fields.bytes(padded(space_size)), shape);
    ElementType type;
    if (!is_good || !fields.is_good() || !read_type(type_body, type)) return malformed("has a damaged attribute");
    name = name.substr(0, name.find('\0'));
    Attribute attribute{.name = to_utf8(name)};
    if (!shape.empty() || type.size > fields.rest().size()) return attribute;
    TRY_ASSIGN(const std::string value, value_of(type, fields.bytes(type.size)));
    if (value.size() <= k_longest_text) attribute.value = to_utf8(value);
    return attribute;
  }

  // Empty if it is of another type.
  Result<std::string> value_of(const ElementType& type, ByteView bytes) {
    using Class = ElementType::Class;
    if (type.kind == Class::variable && (type.flags & 0xf) == 1) return file_.text(bytes);
    if (type.kind == Class::string) return std::string(as_text(bytes).substr(0, as_text(bytes).find('\0')));
    const bool is_big_endian = (type.flags & 1) != 0;
    if (is_big_endian || bytes.size() > 8) return std::string();
    const std::uint64_t bits = Hdf5Fields(bytes).number(bytes.size());
    const std::string kind = name_of(type);
    if (kind == "bool") return std::string(bits != 0 ? "true" : "false");
    if (kind == "float32") return number_text(std::bit_cast<float>(static_cast<std::uint32_t>(bits)));
    if (kind == "float64") return number_text(std::bit_cast<double>(bits));
    if (type.kind != Class::integer || bytes.empty()) return std::string();
    if (kind.starts_with("uint")) return std::to_string(bits);
    const auto unused = static_cast<unsigned>(64 - 8 * bytes.size());
    return std::to_string(static_cast<std::int64_t>(bits << unused) >> unused);
  }

  Hdf5File& file_;
  CheckpointFacts facts_{.format = "hdf5"};
  std::set<std::uint64_t> seen_;  // groups
  std::uint64_t names_size_ = 0;
};

}  // namespace

Result<CheckpointFacts> read_hdf5(ByteSource& file) {
  TRY_ASSIGN(Hdf5File opened, Hdf5File::open(file));
  return Reader(opened).read(file.size());
}

}  // namespace studio::analysis
