// torch.save(): an archive NAME/data.pkl, NAME/data/KEY (torch/serialization.py).
#include <algorithm>
#include <map>

#include "analysis/checkpoint.hpp"
#include "analysis/pickled_tensors.hpp"
#include "analysis/zip_directory.hpp"
#include "base/concat.hpp"

namespace studio::analysis {

namespace {
constexpr std::string_view k_pickle = "/data.pkl";
}  // namespace

Result<CheckpointFacts> read_pytorch(ByteSource& file) {
  TRY_ASSIGN(const auto entries, read_zip_directory(file));
  const auto pickled = std::find_if(entries.begin(), entries.end(),
                                    [](const ZipEntry& entry) { return entry.name.ends_with(k_pickle); });
  if (pickled == entries.end()) return Error{Code::corrupt, "the archive has no data.pkl: it is not PyTorch's"};
  if (pickled->size > k_most_head) return Error{Code::exhausted, "the pickle in the archive is too large"};
  TRY_ASSIGN(const Bytes bytes, read_zip_entry(file, *pickled, pickled->size));
  MemorySource source(bytes);
  TRY_ASSIGN(const Pickle pickle, Pickle::parse(source));
  CheckpointFacts facts{.format = "pytorch"};
  TRY_ASSIGN(const auto storages, describe_pickle(pickle, facts));
  const std::string folder = pickled->name.substr(0, pickled->name.size() - k_pickle.size());
  std::map<std::string_view, std::uint64_t> there;
  for (const ZipEntry& entry : entries) there[entry.name] = entry.size;
  for (const auto& [key, size] : storages) {
    const auto found = there.find(concat(folder, "/data/", key));
    if (found == there.end() || found->second < size)
      facts.incomplete = concat("the data of storage ", key, " is not all there");
  }
  return facts;
}

}  // namespace studio::analysis
