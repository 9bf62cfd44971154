#include "model/version.hpp"

#include <algorithm>
#include <charconv>

#include "base/concat.hpp"
#include "base/name.hpp"
#include "model/json_fields.hpp"

namespace studio::model {

namespace {

constexpr std::int64_t k_format = 1;

constexpr std::array<Named<ArtifactKind>, 2> k_kinds{
    {{ArtifactKind::directory, "directory"}, {ArtifactKind::file, "file"}}};

constexpr std::array<Named<CaptureReason>, 5> k_reasons{{{CaptureReason::once, "once"},
                                                         {CaptureReason::start, "start"},
                                                         {CaptureReason::interval, "interval"},
                                                         {CaptureReason::final, "final"},
                                                         {CaptureReason::recovered, "recovered"}}};

void read_file_name(FieldReader& in, Version& version) {
  if (in.has("file_name")) version.file_name = in.bytes("file_name");
  if (version.kind == ArtifactKind::file)
    in.require(valid_file_name(version.file_name), "file_name", "is not a file name");
  else
    in.require(version.file_name.empty(), "file_name", "is given for a directory");
}

Totals read_totals(FieldReader in) { return {in.count("files"), in.count("directories"), in.count("bytes")}; }

Changes read_changes(FieldReader in) { return {in.count("added"), in.count("modified"), in.count("removed")}; }

void read_problems(FieldReader& in, Version& version) {
  version.problem_count = in.count("problem_count");
  in.each("problems", [&](FieldReader& item) {
    const std::string path = item.bytes("path");
    version.problems.push_back({path, item.bytes("problem")});
    in.require(version.problems.size() <= Version::k_most_problems, "problems", "are too many");
  });
  in.require(
      version.problems.size() <= version.problem_count && version.problems.empty() == (version.problem_count == 0),
      "problem_count", "does not match the problems");
}

}  // namespace

std::string_view name_of(ArtifactKind kind) { return name_in(k_kinds, kind); }
std::string_view name_of(CaptureReason reason) { return name_in(k_reasons, reason); }

std::string version_name(std::uint64_t number) { return concat('v', number); }

std::optional<std::uint64_t> parse_version_name(std::string_view text) {
  std::uint64_t number = 0;
  if (text.size() < 2 || text[0] != 'v') return {};
  const auto [end, error] = std::from_chars(text.data() + 1, text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || version_name(number) != text) return {};
  return number;
}

nlohmann::json to_json(const Version& version) {
  auto problems = nlohmann::json::array();
  for (const Problem& problem : version.problems)
    problems.push_back({{"path", byte_string(problem.path)}, {"problem", byte_string(problem.problem)}});
  nlohmann::json json = {
      {"format", k_format},
      {"experiment", byte_string(version.experiment)},
      {"tag", byte_string(version.tag)},
      {"number", version.number},
      {"attempt", version.attempt},
      {"reason", name_of(version.reason)},
      {"created", format_time(version.created)},
      {"kind", name_of(version.kind)},
      {"root", content_ref(version.root)},
      {"root_mode", version.root_mode},
      {"root_modified_ns", version.root_modified_ns},
      {"totals",
       {{"files", version.totals.files}, {"directories", version.totals.directories}, {"bytes", version.totals.bytes}}},
      {"changes",
       {{"added", version.changes.added},
        {"modified", version.changes.modified},
        {"removed", version.changes.removed}}},
      {"new_bytes", version.new_bytes},
      {"stored_bytes", version.stored_bytes},
      {"problem_count", version.problem_count},
      {"problems", std::move(problems)},
  };
  if (version.kind == ArtifactKind::file) json["file_name"] = byte_string(version.file_name);
  return json;
}

Result<Version> version_from_json(const nlohmann::json& json) {
  FieldReader in(json, "version manifest");
  in.format(k_format);
  Version version;
  version.experiment = in.name("experiment");
  version.tag = in.name("tag");
  version.number = in.count("number");
  version.attempt = in.count("attempt");
  version.reason = in.one_of("reason", k_reasons);
  version.created = in.time("created");
  version.kind = in.one_of("kind", k_kinds);
  read_file_name(in, version);
  version.root = in.content_ref("root");
  version.root_mode = static_cast<std::uint32_t>(in.integer("root_mode", 0, 07777));
  version.root_modified_ns = in.integer("root_modified_ns", INT64_MIN, INT64_MAX);
  version.totals = read_totals(in.object("totals"));
  version.changes = read_changes(in.object("changes"));
  version.new_bytes = in.count("new_bytes");
  version.stored_bytes = in.count("stored_bytes");
  read_problems(in, version);
  TRY(in.result());
  return version;
}

}  // namespace studio::model
