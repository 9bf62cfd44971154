// The tensors and numbers that a pickle describes, by the names under which PyTorch and NumPy write theirs. PyTorch's
// is a call of torch._utils._rebuild_tensor_v2(storage, offset, size, stride, …) whose storage is a persistent id
// ('storage', class, key, location, number of elements); what it says is all that is known of the data elsewhere.
#pragma once

#include <cstdint>
#include <map>
#include <string>

#include "analysis/checkpoint.hpp"
#include "analysis/pickle.hpp"

namespace studio::analysis {

using PickledStorages = std::map<std::string, std::uint64_t>;  // in bytes, by key

// Adds them to `facts`, and what is dangerous. `exhausted` if there is too much.
Result<PickledStorages> describe_pickle(const Pickle& pickle, CheckpointFacts& facts);

}  // namespace studio::analysis
