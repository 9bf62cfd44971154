// What torch.save() wrote before PyTorch 1.6, and writes if it is told not to make an archive (torch/serialization.py,
// _legacy_save): pickles of a magic number, of the version of the format, of facts of the system, of what was saved, of
// the keys of its storages; and then of each storage, in that order, how many elements it has (8 bytes) and these.
#include "analysis/checkpoint.hpp"
#include "analysis/pickled_tensors.hpp"

namespace studio::analysis {

namespace {
constexpr std::size_t k_pickles_before = 3;
constexpr std::uint64_t k_count_size = 8;
}  // namespace

Result<CheckpointFacts> read_pytorch_legacy(ByteSource& file) {
  std::uint64_t at = 0;
  for (std::size_t i = 0; i < k_pickles_before; ++i) {
    TRY_ASSIGN(const Pickle pickle, Pickle::parse(file, at));
    if (!dangerous_imports(pickle.imports()).empty())
      return Error{Code::corrupt, "this is no file of PyTorch's: it calls what has no place in its head"};
    at = pickle.end();
  }
  TRY_ASSIGN(const Pickle pickle, Pickle::parse(file, at));
  CheckpointFacts facts{.format = "pytorch legacy"};
  TRY_ASSIGN(const auto storages, describe_pickle(pickle, facts));
  const auto keys = Pickle::parse(file, pickle.end());
  if (!keys && pickle.end() >= file.size()) {
    facts.incomplete = "its tensors' data is not there";
    return facts;
  }
  if (!keys) return keys.error();
  std::uint64_t whole = 0;
  for (const PickleValue* key : keys->root().items) {
    const auto size = storages.find(std::string(key->text));
    if (size == storages.end()) return facts;  // of a type that is not known: where the next begins is not either
    if (__builtin_add_overflow(whole, size->second, &whole) || __builtin_add_overflow(whole, k_count_size, &whole))
      return Error{Code::corrupt, "the pickle has storages that are too large"};
  }
  facts.incomplete = missing_data(file.size() - keys->end(), whole);
  return facts;
}

}  // namespace studio::analysis
