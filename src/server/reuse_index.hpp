// Who reuses what an experiment left behind: lineage, downstream.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/experiment.hpp"

namespace studio::server {

// A version of an experiment's artifact that an experiment was given.
struct Reuse {
  std::string source_tag;
  std::uint64_t version = 0;
  std::string experiment;     // that was given it
  std::string tag;            // there
  std::uint64_t attempt = 0;  // the last one that was given it
};

struct Reuses {
  std::vector<Reuse> reuses;  // by what is reused, then by who reuses it
  std::size_t total = 0;      // with those beyond the limit
};

// By the experiment that is reused, so that a look-up costs what it finds. Not thread-safe.
class ReuseIndex {
 public:
  // What the attempt was given; what is known already is fine.
  void add(std::string_view experiment, const model::Attempt& attempt);
  // Of the artifacts of `experiment`, at most `limit`.
  Reuses of(std::string_view experiment, std::size_t limit) const;

 private:
  struct Use {
    std::string source_tag;
    std::uint64_t version = 0;
    std::string experiment;
    std::string tag;
    friend auto operator<=>(const Use&, const Use&) = default;
  };
  std::map<std::string, std::map<Use, std::uint64_t>, std::less<>> uses_;  // the value is the last attempt
};

}  // namespace studio::server
