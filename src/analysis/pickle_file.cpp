// A pickle by itself, as pickle.dump() writes it (docs.python.org, "pickletools").
#include "analysis/checkpoint.hpp"
#include "analysis/pickled_tensors.hpp"

namespace studio::analysis {

Result<CheckpointFacts> read_pickle(ByteSource& file) {
  TRY_ASSIGN(const Pickle pickle, Pickle::parse(file));
  CheckpointFacts facts{.format = "pickle"};
  TRY(describe_pickle(pickle, facts));
  return facts;
}

}  // namespace studio::analysis
