// What the store holds, for all who ask.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "content/repository.hpp"
#include "content/verify.hpp"
#include "server/experiment_index.hpp"

namespace studio::server {

// Measuring reads every version and every chunk's place, so it is done by one at a time, and again only when something
// may have changed: a version brings chunks, if only those of its directories, or the end of its run does. Thread-safe.
class StorageMeter {
 public:
  // What is passed outlives it.
  StorageMeter(content::Repository& repository, ExperimentIndex& experiments)
      : repository_(repository), experiments_(experiments) {}

  using Stats = std::shared_ptr<const content::StoreStats>;
  // Who asks while it is measured gets what is found then, be it an error. Otherwise the store is looked at as it is.
  Result<Stats> measure();

 private:
  // Differs when there may be something new.
  struct State {
    std::uint64_t sequence = 0;  // of the catalog
    std::vector<std::string> tables;
    friend bool operator==(const State&, const State&) = default;
  };
  Result<State> state();
  Result<Stats> measure_anew();

  content::Repository& repository_;
  ExperimentIndex& experiments_;
  std::atomic<std::uint64_t> rounds_ = 0;  // that have ended
  std::mutex measuring_;                   // for all below
  Result<Stats> last_ = Stats();
  State measured_;  // if there is a last one
};

}  // namespace studio::server
