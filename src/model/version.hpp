// A version: one atomic capture of an artifact.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "model/content_ref.hpp"

namespace studio::model {

enum class ArtifactKind { directory, file };
enum class CaptureReason { once, start, interval, final, recovered };

std::string_view name_of(ArtifactKind kind);
std::string_view name_of(CaptureReason reason);

// What a tree holds, all levels together.
struct Totals {
  std::uint64_t files = 0;  // everything that is not a directory
  std::uint64_t directories = 0;
  std::uint64_t bytes = 0;  // sum of the sizes of regular files
  friend bool operator==(const Totals&, const Totals&) = default;
};

// Against the version before; of the first version everything is added.
struct Changes {
  std::uint64_t added = 0;
  std::uint64_t modified = 0;
  std::uint64_t removed = 0;
  friend bool operator==(const Changes&, const Changes&) = default;
};

// A file that this version does not hold as it was on disk at capture, and why.
struct Problem {
  std::string path;  // relative to the artifact; any bytes
  std::string problem;
  friend bool operator==(const Problem&, const Problem&) = default;
};

struct Version {
  std::string experiment;
  std::string tag;
  std::uint64_t number = 0;
  std::uint64_t attempt = 0;
  CaptureReason reason = CaptureReason::final;
  WallTime created;
  ArtifactKind kind = ArtifactKind::directory;
  std::string file_name;           // kind file: the name of the one entry of the root tree; any bytes but '/' and NUL
  ContentRef root;                 // a tree (doc/format.md)
  std::uint32_t root_mode = 0755;  // kind directory: of the captured directory itself, whose entries the tree lists
  std::int64_t root_modified_ns = 0;  // likewise, since 1970
  Totals totals;
  Changes changes;
  std::uint64_t new_bytes = 0;     // content that the store did not hold before
  std::uint64_t stored_bytes = 0;  // what that content takes after compression
  std::vector<Problem> problems;   // at most k_most_problems of them; empty: complete
  std::uint64_t problem_count = 0;

  static constexpr std::size_t k_most_problems = 100;

  bool complete() const { return problem_count == 0; }
  friend bool operator==(const Version&, const Version&) = default;
};

// "v12"
std::string version_name(std::uint64_t number);
// The number of "v12"; nothing if the text is no version name: "v012", "v", "V1".
std::optional<std::uint64_t> parse_version_name(std::string_view text);

// The version manifest of doc/records.md. `from_json` fails with `corrupt`, naming the field; with `unsupported` if a
// newer Studio wrote it.
nlohmann::json to_json(const Version& version);
Result<Version> version_from_json(const nlohmann::json& json);

}  // namespace studio::model
