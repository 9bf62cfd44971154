#include "catalog/catalog.hpp"

#include <algorithm>
#include <chrono>
#include <random>
#include <thread>

#include "base/concat.hpp"

namespace studio::catalog {

namespace {

constexpr int k_most_tries = 100;
constexpr int k_longest_wait_us = 10'000;

// Random, so that those who lost one race do not meet in the next.
void back_off(int lost_races) {
  thread_local std::minstd_rand random{std::random_device{}()};
  const int longest = std::min(k_longest_wait_us, 100 << std::min(lost_races, 10));
  std::this_thread::sleep_for(std::chrono::microseconds(std::uniform_int_distribution(0, longest)(random)));
}

}  // namespace

Result<model::Experiment> redo_update(Catalog& catalog, std::string_view key, const Change& change) {
  for (int tries = 0; tries < k_most_tries; ++tries) {
    TRY_ASSIGN(model::Experiment experiment, catalog.load(key));
    TRY(change(experiment));
    if (experiment.key != key) return Error{Code::invalid, concat("an update may not rename experiment '", key, "'")};
    const auto revision = catalog.update(experiment);
    if (revision) {
      experiment.revision = *revision;
      return experiment;
    }
    if (revision.error().code != Code::conflict) return revision.error();
    back_off(tries);
  }
  return Error{Code::unavailable, concat("experiment '", key, "' is changed by others all the time")};
}

}  // namespace studio::catalog
