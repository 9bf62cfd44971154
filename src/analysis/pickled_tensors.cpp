#include "analysis/pickled_tensors.hpp"

#include <algorithm>
#include <array>

#include "analysis/numpy_type.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view k_embedded = "torch.storage._load_from_bytes";
constexpr std::size_t k_most_facts = 1000;     // numbers and texts beside tensors
constexpr std::int64_t k_longest_text = 200;   // of one of them
constexpr std::size_t k_most_steps = 4 << 20;  // a pickle may refer to one value from everywhere
constexpr std::size_t k_deepest = 100;

struct Type {
  std::string_view written;  // of a storage's class, or of a dtype
  std::string_view name;
  std::uint64_t size;
};
constexpr std::array<Type, 13> k_types{{{"torch.FloatStorage", "float32", 4},
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
                                        {"torch.storage.UntypedStorage", "uint8", 1}}};

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
    if (is_global(&callee, "torch._utils._rebuild_tensor_v2") || is_global(&callee, "torch._utils._rebuild_tensor") ||
        is_global(&callee, "torch._utils._rebuild_tensor_v3")) {
      add_tensor(items, path);
      return true;
    }
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
      if (call.items[i]->kind == Kind::dictionary && !visit(*call.items[i], path, depth + 1)) return false;
    return true;
  }

  static std::vector<std::uint64_t> shape_of(const PickleValue& sizes) {
    std::vector<std::uint64_t> shape;
    for (const PickleValue* size : sizes.items)
      shape.push_back(size->integer < 0 ? 0 : static_cast<std::uint64_t>(size->integer));
    return shape;
  }

  void add_tensor(const std::vector<const PickleValue*>& items, const std::string& path) {
    if (items.size() < 4) return;
    if (items[0]->kind != Kind::persistent) return add_embedded(*items[0], *items[2], path);
    const auto& id = items[0]->items[0]->items;
    if (id.size() < 5 || id[1]->kind != Kind::global) return;
    TensorFacts tensor{.name = path, .type = to_utf8(id[1]->text), .shape = shape_of(*items[2])};
    const auto* const type =
        std::find_if(k_types.begin(), k_types.end(), [&](const Type& each) { return each.written == tensor.type; });
    if (type != k_types.end()) {
      tensor.type = type->name;
      const auto count = element_count(tensor.shape);
      if (!count || __builtin_mul_overflow(*count, type->size, &tensor.bytes)) return;
      std::uint64_t stored = 0;
      const auto elements = static_cast<std::uint64_t>(std::max<std::int64_t>(id[4]->integer, 0));
      if (!__builtin_mul_overflow(elements, type->size, &stored)) storages_[std::string(id[2]->text)] = stored;
    }
    facts_.tensors.push_back(std::move(tensor));
  }

  // Of a tensor that was not saved by torch.save(): its storage is a call with the bytes of one that was.
  void add_embedded(const PickleValue& storage, const PickleValue& sizes, const std::string& path) {
    const bool is_storage =
        storage.kind == Kind::call && is_global(storage.items[0], k_embedded) && !storage.items[1]->items.empty();
    if (!is_storage) return;
    facts_.tensors.push_back({.name = path,
                              .type = "unknown",
                              .shape = shape_of(sizes),
                              .bytes = static_cast<std::uint64_t>(storage.items[1]->items[0]->integer)});
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
