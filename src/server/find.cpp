#include "server/find.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "base/number.hpp"
#include "content/tree_walk.hpp"
#include "os/fd.hpp"
#include "view/run.hpp"

namespace studio::server {

namespace {

Error no_experiment(std::string_view key) {
  return {Code::not_found, concat("there is no experiment '", printable(key), "'")};
}

// Of what another machine sends, if it has sent any.
std::optional<std::string> path_of_copy(const Backend& backend, const blob::LiveFile& file) {
  if (backend.live_files == nullptr) return std::nullopt;
  std::string path = backend.live_files->path(file);
  return os::exists(path) ? std::optional(std::move(path)) : std::nullopt;
}

}  // namespace

Result<model::Experiment> find_experiment(const Backend& backend, const Call& call) {
  return find_experiment(backend, call.name("key"));
}

Result<model::Experiment> find_experiment(const Backend& backend, const std::string& key) {
  if (!valid_name(key)) return no_experiment(key);
  return backend.catalog.load(key);
}

Result<model::Version> find_version(const Backend& backend, const Call& call) {
  const std::string& key = call.name("key");
  const std::string& tag = call.name("tag");
  const std::string& name = call.name("version");
  const Error missing{Code::not_found,
                      concat("there is no version '", printable(key), "/", printable(tag), "@", printable(name), "'")};
  if (!valid_name(key) || !valid_name(tag)) return missing;
  if (name == "latest") {
    TRY_ASSIGN(auto latest, backend.catalog.latest(key, tag));
    if (!latest) return missing;
    return *std::move(latest);
  }
  const auto number = model::parse_version_name(name);
  if (!number) return missing;
  TRY_ASSIGN(auto version, backend.catalog.version(key, tag, *number));
  if (!version) return missing;
  return *std::move(version);
}

Result<content::TreeEntry> find_entry(const Backend& backend, const model::Version& version, const std::string& path) {
  if (!path.empty() && !content::valid_entry_path(path))
    return Error{Code::not_found, concat("there is no '", printable(path), "' in the version")};
  return content::find_entry(backend.repository.chunks(), version.root, path);
}

Result<content::TreeEntry> find_file(const Backend& backend, const model::Version& version, const std::string& path) {
  TRY_ASSIGN(content::TreeEntry found, find_entry(backend, version, path));
  TRY_ASSIGN(const content::TreeEntry file,
             content::resolve_hard_link(backend.repository.chunks(), version.root, std::move(found)));
  if (file.type == content::EntryType::file) return file;
  return Error{Code::invalid, concat("'", printable(path), "' is a ", content::name_of(file.type), ", not a file")};
}

Result<model::Attempt> find_attempt(const Backend& backend, const Call& call) {
  return find_attempt(backend, call.name("key"), call.name("attempt"));
}

Result<model::Attempt> find_attempt(const Backend& backend, const std::string& key, const std::string& name) {
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, key));
  const auto number = parse_number(name);
  if (!number) return Error{Code::not_found, "an attempt is named by its number"};
  TRY_ASSIGN(auto later, backend.catalog.attempts(experiment.key, *number));
  if (!later.empty() && later.front().number == *number) return std::move(later.front());
  TRY_ASSIGN(const auto all, backend.catalog.attempts(experiment.key, 0));
  TRY(view::check_attempt(experiment.key, all, *number));
  return Error{Code::unavailable, "the attempt has only just begun"};
}

std::optional<std::string> find_live_board(const Backend& backend, const std::string& experiment,
                                           const model::Attempt& attempt) {
  const auto artifact = std::ranges::find(attempt.artifacts, k_tensorboard, &model::Artifact::tag);
  if (artifact == attempt.artifacts.end() || artifact->mode != model::CaptureMode::capture) return std::nullopt;
  if (!model::is_live(attempt.state)) return std::nullopt;
  if (backend.runs_are_here) return artifact->path;
  return path_of_copy(backend, {experiment, attempt.number, blob::k_live_board});
}

std::string local_output(const Backend& backend, const std::string& experiment, std::uint64_t attempt) {
  return path_of_copy(backend, {experiment, attempt, blob::k_live_output})
      .value_or(backend.output_path(experiment, attempt));
}

std::string local_resources(const Backend& backend, const std::string& experiment, std::uint64_t attempt) {
  return path_of_copy(backend, {experiment, attempt, blob::k_live_resources})
      .value_or(backend.resources_path(experiment, attempt));
}

Result<std::optional<model::Version>> find_last_version(const Backend& backend, const std::string& experiment,
                                                        const model::Attempt& attempt, const std::string& tag) {
  const auto artifact = std::ranges::find(attempt.artifacts, tag, &model::Artifact::tag);
  if (artifact == attempt.artifacts.end() || artifact->mode == model::CaptureMode::reuse)
    return std::optional<model::Version>();
  TRY_ASSIGN(auto versions, backend.catalog.versions(experiment, tag));
  // What was found unchanged is a version of an earlier attempt.
  const auto is_of_attempt = [&](const model::Version& version) {
    return version.attempt == attempt.number || artifact->last_version == version.number;
  };
  const auto last = std::find_if(versions.rbegin(), versions.rend(), is_of_attempt);
  return last == versions.rend() ? std::nullopt : std::optional(std::move(*last));
}

Result<std::optional<content::TreeEntry>> find_stored_output(const Backend& backend, const std::string& experiment,
                                                             const model::Attempt& attempt) {
  TRY_ASSIGN(const auto last, find_last_version(backend, experiment, attempt, k_output));
  if (!last || last->kind != model::ArtifactKind::file) return std::optional<content::TreeEntry>();
  return content::find_entry(backend.repository.chunks(), last->root, last->file_name);
}

}  // namespace studio::server
