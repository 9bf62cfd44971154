// What the server serves, handed in by the program.
#pragma once

#include <cstdint>
#include <functional>
#include <string>

#include "base/clock.hpp"
#include "blob/live_directory.hpp"
#include "catalog/catalog.hpp"
#include "content/repository.hpp"
#include "model/experiment.hpp"

namespace studio::server {

struct Backend {
  catalog::Catalog& catalog;
  content::Repository& repository;
  const Clock& clock;
  // The file that an attempt's script writes its output to, if it ran on this machine; it need not be there.
  std::function<std::string(const std::string& experiment, std::uint64_t attempt)> output_path;
  // The file that holds what it used over time, likewise.
  std::function<std::string(const std::string& experiment, std::uint64_t attempt)> resources_path = {};
  // Whether what runs runs on this machine, so that its artifacts can be looked at where it writes them.
  bool runs_are_here = false;
  // What runs on other machines send of it as they write it; null: none does.
  blob::LiveDirectory* live_files = nullptr;
  // Marks the experiment with this key as deleted, or takes the mark away; returns its record. Whatever is refused to
  // the command line is refused here. Called from several threads at once.
  std::function<Result<model::Experiment>(const std::string& key)> delete_experiment = {};
  std::function<Result<model::Experiment>(const std::string& key)> restore_experiment = {};
  // For what is restored so that TensorBoard can read it (tensorboards.hpp).
  std::string board_directory = {};
  // Colon-separated directories in which programs are looked for.
  std::string program_search = {};
};

}  // namespace studio::server
