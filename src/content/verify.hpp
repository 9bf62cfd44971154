// Reads everything in the store and says what is damaged, and which files of which versions that affects.
#pragma once

#include <cstdint>
#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "content/repository.hpp"

namespace studio::content {

struct Damage {
  std::string object;  // key of the damaged object
  std::string problem;
  std::vector<std::string> affected;  // "EXP/TAG@vN: PATH"
};

struct VerifyReport {
  std::uint64_t packs = 0;
  std::uint64_t chunks = 0;
  std::uint64_t bytes = 0;  // of all chunks, uncompressed
  std::uint64_t versions = 0;
  bool index_rebuilt = false;
  std::vector<Damage> damages;
  bool ok() const { return damages.empty(); }
};

struct VerifyOptions {
  std::function<void(std::uint64_t packs, std::uint64_t bytes)> progress = {};
  std::stop_token stop = {};
};

// Every chunk of every pack against its digest, the index against the packs (it is rebuilt if it misses a chunk or
// names a wrong place), every version down to its last chunk. An error is returned only if the store itself cannot be
// reached.
Result<VerifyReport> verify(Repository& repository, const VerifyOptions& options);

struct ArtifactStats {
  std::string experiment;
  std::string tag;
  std::uint64_t versions = 0;
  std::uint64_t logical_bytes = 0;  // of all versions, each as if kept whole
  std::uint64_t new_bytes = 0;
  std::uint64_t stored_bytes = 0;
};

struct StoreStats {
  std::uint64_t logical_bytes = 0;
  std::uint64_t unique_bytes = 0;  // of all chunks, uncompressed, each once
  std::uint64_t stored_bytes = 0;  // of all packs
  std::uint64_t packs = 0;
  std::uint64_t chunks = 0;
  std::uint64_t versions = 0;
  std::vector<ArtifactStats> artifacts;  // by experiment, then tag
};

Result<StoreStats> measure(Repository& repository);

}  // namespace studio::content
