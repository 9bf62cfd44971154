// What a script ran in: recorded once for each attempt, for people to look back at. Nothing of Studio depends on it.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/result.hpp"

namespace studio::model {

// Everywhere here "" and nothing mean: could not be found out.

struct PythonFacts {
  std::string executable;
  std::string version;                          // "3.11.2"
  std::map<std::string, std::string> packages;  // the installed distributions: name to version
  friend bool operator==(const PythonFacts&, const PythonFacts&) = default;
};

struct GitFacts {
  std::string commit;           // "": no commit yet
  std::string branch;           // "": detached
  std::string remote;           // the URL of "origin", else of the first remote; without credentials
  bool dirty = false;           // whether tracked files differ from the commit; untracked ones do not count
  std::string diff;             // of tracked files against the commit, its first k_most_diff_bytes
  bool diff_truncated = false;  // there is more; with an empty diff: it and `dirty` could not be found out
  std::vector<std::string>
      untracked;  // the first k_most_untracked, relative to the top of the work tree, not the ignored ones

  static constexpr std::size_t k_most_diff_bytes = std::size_t{256} << 10;
  static constexpr std::size_t k_most_untracked = 10'000;

  friend bool operator==(const GitFacts&, const GitFacts&) = default;
};

struct HostFacts {
  std::string name;
  std::string system;  // "Debian GNU/Linux 12 (bookworm)"
  std::string kernel;
  std::string architecture;
  std::string cpu_model;
  std::optional<std::uint64_t> cpus;  // those that Studio, and so the script, may run on
  std::optional<std::uint64_t> memory_bytes;
  friend bool operator==(const HostFacts&, const HostFacts&) = default;
};

struct Gpu {
  std::string name;
  std::optional<std::uint64_t> memory_bytes;
  std::string driver;
  friend bool operator==(const Gpu&, const Gpu&) = default;
};

struct Environment {
  std::map<std::string, std::string> variables;  // without secrets: engine/variables.hpp
  std::optional<PythonFacts> python;             // nothing: no interpreter
  std::optional<GitFacts> git;                   // nothing: no repository, or no git
  HostFacts host;
  std::vector<Gpu> gpus;
  friend bool operator==(const Environment&, const Environment&) = default;
};

// The ENV of doc/cli.md. Strings may hold any bytes: what is no UTF-8 becomes U+FFFD, so they need not come back as
// they were.
nlohmann::json to_json(const Environment& environment);
// `corrupt`, naming the field.
Result<Environment> environment_from_json(const nlohmann::json& json);

}  // namespace studio::model
