// torch.save(): an archive NAME/data.pkl, NAME/data/KEY (torch/serialization.py). In the pickle a tensor is a call of
// torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …) whose storage is a persistent id
// ('storage', class, key, location, number of elements).
#include <algorithm>
#include <array>
#include <cstdio>
#include <map>

#include "analysis/checkpoint.hpp"
#include "analysis/pickle.hpp"
#include "analysis/zip_directory.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::analysis {

namespace {

using Kind = PickleValue::Kind;

constexpr std::string_view k_pickle = "/data.pkl";
constexpr std::size_t k_most_facts = 1000;     // numbers and texts beside tensors
constexpr std::size_t k_longest_text = 200;    // of one of them
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

class Walk {
 public:
  explicit Walk(CheckpointFacts& facts) : facts_(facts) {}

  // False if there is too much.
  bool visit(const PickleValue& value, const std::string& path, std::size_t depth) {
    if (++steps_ > k_most_steps || facts_.tensors.size() > k_most_tensors) return false;
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
      case Kind::real: note(path, number(value.real)); return true;
      case Kind::boolean: note(path, value.integer != 0 ? "true" : "false"); return true;
      case Kind::text:
        if (value.text.size() <= k_longest_text) note(path, to_utf8(value.text));
        return true;
      default: return true;
    }
  }

  static std::string below(const std::string& path, const std::string& name) {
    return path.empty() ? name : concat(path, ".", name);
  }
  static std::string number(double value) {
    std::array<char, 32> text{};
    std::snprintf(text.data(), text.size(), "%.9g", value);
    return text.data();
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
    if (!visit_pairs(call, path, depth)) return false;
    // The attributes of an object, such as of a whole model that was saved.
    for (std::size_t i = 2; i < call.items.size(); ++i)
      if (call.items[i]->kind == Kind::dictionary && !visit(*call.items[i], path, depth + 1)) return false;
    return true;
  }

  void add_tensor(const std::vector<const PickleValue*>& items, const std::string& path) {
    if (items.size() < 4 || items[0]->kind != Kind::persistent) return;
    const auto& id = items[0]->items[0]->items;
    if (id.size() < 5 || id[1]->kind != Kind::global) return;
    TensorFacts tensor{.name = path, .type = to_utf8(id[1]->text)};
    for (const PickleValue* size : items[2]->items)
      tensor.shape.push_back(size->integer < 0 ? 0 : static_cast<std::uint64_t>(size->integer));
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

  CheckpointFacts& facts_;
  std::vector<const PickleValue*> above_;  // those that we are in
  std::map<std::string, std::uint64_t> storages_;
  std::size_t steps_ = 0;
};

}  // namespace

Result<CheckpointFacts> read_pytorch(ByteSource& file) {
  TRY_ASSIGN(const auto entries, read_zip_directory(file));
  const auto pickled = std::find_if(entries.begin(), entries.end(),
                                    [](const ZipEntry& entry) { return entry.name.ends_with(k_pickle); });
  if (pickled == entries.end()) return Error{Code::corrupt, "the archive has no data.pkl: it is not PyTorch's"};
  if (pickled->size > k_most_head) return Error{Code::exhausted, "the pickle in the archive is too large"};
  TRY_ASSIGN(const Bytes bytes, read_zip_entry(file, *pickled, pickled->size));
  TRY_ASSIGN(const Pickle pickle, Pickle::parse(bytes));
  CheckpointFacts facts{.format = "pytorch"};
  facts.dangerous = dangerous_imports(pickle.imports());
  Walk walk(facts);
  if (!walk.visit(pickle.root(), "", 0)) return Error{Code::exhausted, "the pickle describes too much"};
  sort_by_name(facts.tensors);
  const std::string folder = pickled->name.substr(0, pickled->name.size() - k_pickle.size());
  std::map<std::string_view, std::uint64_t> there;
  for (const ZipEntry& entry : entries) there[entry.name] = entry.size;
  for (const auto& [key, size] : walk.storages()) {
    const auto found = there.find(concat(folder, "/data/", key));
    if (found == there.end() || found->second < size)
      facts.incomplete = concat("the data of storage ", key, " is not all there");
  }
  return facts;
}

}  // namespace studio::analysis
