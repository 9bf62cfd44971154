#include "analysis/pickled_tensors.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "analysis/numpy_type.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view k_rebuild = "torch._utils._rebuild_";
constexpr std::string_view k_embedded = "torch.storage._load_from_bytes";
constexpr std::size_t k_most_facts = 1000;     // numbers and texts beside tensors
constexpr std::int64_t k_longest_text = 200;   // of one of them
constexpr std::size_t k_most_steps = 4 << 20;  // a pickle may refer to one value from everywhere
constexpr std::size_t k_deepest = 100;
constexpr std::size_t k_most_parts = 4;  // of a sparse tensor

struct Type {
  std::string_view storage;  // the class of storages of it; empty: there is none, it is told beside
  std::string_view name;     // as of a dtype, "torch.float32"
  std::uint64_t size;
};
constexpr std::array<Type, 25> k_types{{{"torch.FloatStorage", "float32", 4},
                                        {"torch.DoubleStorage", "float64", 8},
                                        {"torch.HalfStorage", "float16", 2},
                                        {"torch.BFloat16Storage", "bfloat16", 2},
                                        {"torch.LongStorage", "int64", 8},
                                        {"torch.IntStorage", "int32", 4},
                                        {"torch.ShortStorage", "int16", 2},
                                        {"torch.CharStorage", "int8", 1},
                                        {"torch.ByteStorage", "uint8", 1},
                                        {"torch.BoolStorage", "bool", 1},
                                        {"torch.ComplexFloatStorage", "complex64", 8},
                                        {"torch.ComplexDoubleStorage", "complex128", 16},
                                        {"torch.QInt8Storage", "qint8", 1},
                                        {"torch.QUInt8Storage", "quint8", 1},
                                        {"torch.QInt32Storage", "qint32", 4},
                                        {"", "complex32", 4},
                                        {"", "uint16", 2},
                                        {"", "uint32", 4},
                                        {"", "uint64", 8},
                                        {"", "float8_e4m3fn", 1},
                                        {"", "float8_e4m3fnuz", 1},
                                        {"", "float8_e5m2", 1},
                                        {"", "float8_e5m2fnuz", 1},
                                        {"", "float8_e8m0fnu", 1},
                                        {"", "float4_e2m1fn_x2", 1}}};
constexpr Type k_bytes{"torch.storage.UntypedStorage", "uint8", 1};

const Type* type_of_storage(std::string_view written) {
  if (written == k_bytes.storage) return &k_bytes;
  const auto* const found = std::ranges::find(k_types, written, &Type::storage);
  return found == k_types.end() ? nullptr : &*found;
}

bool is_global(const PickleValue* value, std::string_view name) {
  return value->kind == Kind::global && value->text == name;
}

// NumPy 2 renamed the module.
bool is_numpy(const PickleValue& value, std::string_view name) {
  return is_global(&value, concat("numpy.core.", name)) || is_global(&value, concat("numpy._core.", name));
}

class Walk {
 public:
  explicit Walk(CheckpointFacts& facts) : facts_(facts) {}

  // False if there is too much.
  bool visit(const PickleValue& value, const std::string& path, std::size_t depth) {
    steps_ += 1 + path.size() / 16;  // long paths take memory
    if (steps_ > k_most_steps || facts_.tensors.size() > k_most_tensors) return false;
    const bool is_circle = std::find(above_.begin(), above_.end(), &value) != above_.end();
    if (is_circle || depth > k_deepest) return true;
    above_.push_back(&value);
    const bool is_done = visit_new(value, path, depth);
    above_.pop_back();
    return is_done;
  }

  // The storages by key, in bytes.
  const std::map<std::string, std::uint64_t>& storages() const { return storages_; }

 private:
  bool visit_new(const PickleValue& value, const std::string& path, std::size_t depth) {
    switch (value.kind) {
      case Kind::dictionary: return visit_pairs(value, path, depth);
      case Kind::list:
      case Kind::tuple:
        for (std::size_t i = 0; i < value.items.size(); ++i)
          if (!visit(*value.items[i], below(path, std::to_string(i)), depth + 1)) return false;
        return true;
      case Kind::call: return visit_call(*value.items[0], *value.items[1], value, path, depth);
      case Kind::integer: note(path, std::to_string(value.integer)); return true;
      case Kind::real: note(path, number_text(value.real)); return true;
      case Kind::boolean: note(path, value.integer != 0 ? "true" : "false"); return true;
      case Kind::text:
        if (value.integer <= k_longest_text) note(path, to_utf8(value.text));
        return true;
      default: return true;
    }
  }

  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : concat(path, ".", name);
  }
  void note(const std::string& path, std::string text) {
    if (facts_.metadata.size() < k_most_facts) facts_.metadata.emplace(path, std::move(text));
  }

  bool visit_pairs(const PickleValue& value, const std::string& path, std::size_t depth) {
    for (const auto& [key, item] : value.pairs) {
      if (key->kind != Kind::text && key->kind != Kind::integer) continue;
      const std::string name = key->kind == Kind::text ? to_utf8(key->text) : std::to_string(key->integer);
      if (!visit(*item, below(path, name), depth + 1)) return false;
    }
    return true;
  }

  bool visit_call(const PickleValue& callee, const PickleValue& arguments, const PickleValue& call,
                  const std::string& path, std::size_t depth) {
    const auto& items = arguments.items;
    if (auto tensor = tensor_of(callee, items)) {
      tensor->name = path;
      facts_.tensors.push_back(*std::move(tensor));
      return true;
    }
    if (is_global(&callee, "torch.Size") && !items.empty()) return visit(*items[0], path, depth + 1);
    const bool is_parameter = is_global(&callee, "torch._utils._rebuild_parameter") ||
                              is_global(&callee, "torch._utils._rebuild_parameter_with_state");
    if (is_parameter && !items.empty()) return visit(*items[0], path, depth + 1);
    // A tensor of a class of its own: what would be called for it, the class, the arguments, the state.
    if (is_global(&callee, "torch._tensor._rebuild_from_type_v2") && items.size() >= 3)
      return visit_call(*items[0], *items[2], call, path, depth + 1);
    // NumPy's: made empty and then given a state (version, shape, type, …), or made of its bytes.
    if (is_numpy(callee, "multiarray._reconstruct")) {
      if (call.items.size() > 2 && call.items[2]->items.size() > 2)
        add_array(*call.items[2]->items[2], *call.items[2]->items[1], path);
      return true;
    }
    if (is_numpy(callee, "numeric._frombuffer")) {
      if (items.size() >= 3) add_array(*items[1], *items[2], path);
      return true;
    }
    if (!visit_pairs(call, path, depth)) return false;
    // The attributes of an object, such as of a whole model that was saved.
    for (std::size_t i = 2; i < call.items.size(); ++i)
      if (call.items[i]->kind == Kind::dictionary && !visit_attributes(*call.items[i], path, depth + 1)) return false;
    return true;
  }

  // What a module of PyTorch's holds has the names that its state_dict() gives it: "0.weight".
  bool visit_attributes(const PickleValue& attributes, const std::string& path, std::size_t depth) {
    const auto is_part = [](const PickleValue& key) {
      return key.kind == Kind::text && (key.text == "_parameters" || key.text == "_buffers" || key.text == "_modules");
    };
    if (std::ranges::count_if(attributes.pairs, [&](const auto& pair) { return is_part(*pair.first); }) < 3)
      return visit(attributes, path, depth);
    PickleValue others{.kind = Kind::dictionary};
    for (const auto& [key, item] : attributes.pairs) {
      if (!is_part(*key))
        others.pairs.emplace_back(key, item);
      else if (!visit(*item, path, depth))
        return false;
    }
    return visit(others, path, depth);
  }

  // As torch.Size, or as a tuple. Many tensors may share a long one.
  std::vector<std::uint64_t> shape_of(const PickleValue& sizes) {
    const PickleValue* list = &sizes;
    if (sizes.kind == Kind::call && !sizes.items[1]->items.empty()) list = sizes.items[1]->items[0];
    steps_ += list->items.size();
    std::vector<std::uint64_t> shape;
    for (const PickleValue* size : list->items)
      shape.push_back(size->integer < 0 ? 0 : static_cast<std::uint64_t>(size->integer));
    return shape;
  }

  // Of what PyTorch writes of a tensor, without its name: the function that would make it, and its arguments. Nothing
  // if it is none.
  std::optional<TensorFacts> tensor_of(const PickleValue& callee, const std::vector<const PickleValue*>& items) {
    if (callee.kind != Kind::global || !callee.text.starts_with(k_rebuild) || items.size() < 2) return std::nullopt;
    const std::string_view made = callee.text.substr(k_rebuild.size());
    if (made == "sparse_tensor" || made == "sparse_csr_tensor") return sparse_tensor(*items[1]);
    if (made == "meta_tensor_no_storage")  // it has a shape, and no data
      return TensorFacts{.type = to_utf8(name_of_dtype(*items[0])), .shape = shape_of(*items[1])};
    return dense_tensor(made, items);
  }

  std::optional<TensorFacts> dense_tensor(std::string_view made, const std::vector<const PickleValue*>& items) {
    const bool is_dense = made == "tensor_v2" || made == "tensor" || made == "tensor_v3" || made == "qtensor";
    if (!is_dense || items.size() < 4) return std::nullopt;
    // What the numbers of a quantised one stand for may be tensors too, whose data is stored beside.
    if (made == "qtensor" && items.size() > 4 && items[4]->items.size() <= k_most_parts)
      for (const PickleValue* part : items[4]->items) part_of(*part);
    if (items[0]->kind != Kind::persistent) return embedded_tensor(*items[0], *items[2]);
    return stored_tensor(*items[0]->items[0], *items[2], made == "tensor_v3" && items.size() > 6 ? items[6] : nullptr);
  }

  static std::string_view name_of_dtype(const PickleValue& dtype) {
    constexpr std::string_view k_module = "torch.";
    return dtype.text.starts_with(k_module) ? dtype.text.substr(k_module.size()) : dtype.text;
  }

  // `dtype` is null where the class of the storage tells it.
  std::optional<TensorFacts> stored_tensor(const PickleValue& storage, const PickleValue& sizes,
                                           const PickleValue* dtype) {
    const auto& id = storage.items;
    if (id.size() < 5 || id[1]->kind != Kind::global) return std::nullopt;
    const Type* const stored_type = type_of_storage(id[1]->text);
    if (stored_type != nullptr) {
      std::uint64_t stored = 0;
      const auto elements = static_cast<std::uint64_t>(std::max<std::int64_t>(id[4]->integer, 0));
      if (!__builtin_mul_overflow(elements, stored_type->size, &stored)) storages_[std::string(id[2]->text)] = stored;
    }
    const Type* type = stored_type;
    if (dtype != nullptr) {
      const auto* const found = std::ranges::find(k_types, name_of_dtype(*dtype), &Type::name);
      type = found == k_types.end() ? nullptr : &*found;
    }
    TensorFacts tensor{.shape = shape_of(sizes)};
    tensor.type = type != nullptr ? std::string(type->name) : to_utf8(dtype != nullptr ? dtype->text : id[1]->text);
    const auto count = element_count(tensor.shape);
    if (type != nullptr && (!count || __builtin_mul_overflow(*count, type->size, &tensor.bytes))) return std::nullopt;
    return tensor;
  }

  // A dense tensor that another is made of.
  std::optional<TensorFacts> part_of(const PickleValue& value) {
    const bool is_rebuilt = value.kind == Kind::call && value.items[0]->text.starts_with(k_rebuild);
    if (!is_rebuilt) return std::nullopt;
    const std::string_view made = value.items[0]->text.substr(k_rebuild.size());
    return made == "qtensor" ? std::nullopt : dense_tensor(made, value.items[1]->items);
  }

  // Made of a few dense ones, of which the last has the values. The shape is that argument which is none and has parts.
  std::optional<TensorFacts> sparse_tensor(const PickleValue& parts) {
    if (parts.items.size() > k_most_parts) return std::nullopt;
    TensorFacts tensor;
    bool has_values = false;
    for (const PickleValue* part : parts.items) {
      if (const auto inner = part_of(*part)) {
        if (__builtin_add_overflow(tensor.bytes, inner->bytes, &tensor.bytes)) return std::nullopt;
        tensor.type = inner->type;
        has_values = true;
      } else if (part->kind == Kind::call || part->kind == Kind::tuple) {
        tensor.shape = shape_of(*part);
      }
    }
    return has_values ? std::optional(std::move(tensor)) : std::nullopt;
  }

  // Of a tensor that was not saved by torch.save(): its storage is a call with the bytes of one that was.
  std::optional<TensorFacts> embedded_tensor(const PickleValue& storage, const PickleValue& sizes) {
    const bool is_storage =
        storage.kind == Kind::call && is_global(storage.items[0], k_embedded) && !storage.items[1]->items.empty();
    if (!is_storage) return std::nullopt;
    return TensorFacts{.type = "unknown",
                       .shape = shape_of(sizes),
                       .bytes = static_cast<std::uint64_t>(storage.items[1]->items[0]->integer)};
  }

  void add_array(const PickleValue& type, const PickleValue& sizes, const std::string& path) {
    const bool is_type = type.kind == Kind::call && is_global(type.items[0], "numpy.dtype") &&
                         !type.items[1]->items.empty() && type.items[1]->items[0]->kind == Kind::text;
    if (!is_type) return;
    const NumpyType named = name_numpy_type(type.items[1]->items[0]->text);
    TensorFacts tensor{.name = path, .type = named.name, .shape = shape_of(sizes)};
    const auto count = element_count(tensor.shape);
    if (!count || __builtin_mul_overflow(*count, named.size, &tensor.bytes)) return;
    facts_.tensors.push_back(std::move(tensor));
  }

  CheckpointFacts& facts_;
  std::vector<const PickleValue*> above_;  // those that we are in
  std::map<std::string, std::uint64_t> storages_;
  std::size_t steps_ = 0;
};

}  // namespace

Result<PickledStorages> describe_pickle(const Pickle& pickle, CheckpointFacts& facts) {
  facts.dangerous = dangerous_imports(pickle.imports());
  Walk walk(facts);
  if (!walk.visit(pickle.root(), "", 0)) return Error{Code::exhausted, "the pickle describes too much"};
  sort_by_name(facts.tensors);
  return walk.storages();
}

}  // namespace studio::analysis
