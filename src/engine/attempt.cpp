#include "engine/attempt.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <map>
#include <tuple>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/ignore_rules.hpp"
#include "engine/blob_cache.hpp"
#include "engine/deletion.hpp"
#include "engine/script_package.hpp"
#include "engine/selection.hpp"
#include "os/atomic_file.hpp"
#include "os/child.hpp"
#include "os/directory.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::engine {

namespace {

constexpr std::string_view k_variable_prefix = "STUDIO_ARTIFACT_";
constexpr const char* k_captured_marker = "/captured";

Result<void> point_link(const std::string& link, const std::string& target) {
  const std::string temporary = os::unique_path(os::parent_of(link), ".new");
  if (::symlink(target.c_str(), temporary.c_str()) != 0) return os::system_error("create", link, errno);
  if (::rename(temporary.c_str(), link.c_str()) == 0) return {};
  const int number = errno;
  ::unlink(temporary.c_str());
  return os::system_error("create", link, number);
}

// Whether nothing below the directory was made or changed after the file `marker` was; false if there is no marker.
bool is_unchanged_since(const std::string& directory, const std::string& marker) {
  const auto captured = os::status(marker);
  if (!captured) return false;
  std::error_code error;
  for (auto at = std::filesystem::recursive_directory_iterator(directory, error);
       !error && at != std::filesystem::recursive_directory_iterator(); at.increment(error)) {
    struct stat info {};
    if (::lstat(at->path().c_str(), &info) != 0) return false;
    const bool is_later = std::tie(info.st_ctim.tv_sec, info.st_ctim.tv_nsec) >
                          std::tie(captured->st_ctim.tv_sec, captured->st_ctim.tv_nsec);
    // What a script had left out of its artifacts is in no version.
    if (is_later || at->path().filename() == content::k_ignore_file) return false;
  }
  return !error;
}

}  // namespace

std::string variable_of(std::string_view tag) {
  std::string name(k_variable_prefix);
  for (const char c : tag) {
    const char upper = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;  // in every locale
    const bool plain = (upper >= 'A' && upper <= 'Z') || (upper >= '0' && upper <= '9');
    name += plain ? upper : '_';
  }
  return name;
}

Result<std::vector<Pinned>> resolve_reuses(const Services& services, const RunSpec& spec) {
  std::vector<Pinned> pinned;
  for (const ReuseSpec& reuse : spec.reuses) {
    auto name = parse_artifact_name(reuse.artifact);
    if (!name) return within(reuse.flag, name.error());
    auto version = find_version(services.catalog, *name);
    if (!version) return within(reuse.flag, version.error());
    TRY_ASSIGN(const model::Experiment source, services.catalog.load(version->experiment));
    if (const auto usable = check_not_deleted(source); !usable) return within(reuse.flag, usable.error());
    pinned.push_back({reuse.tag, std::move(*version)});
  }
  return pinned;
}

Result<void> check_sources(const RunSpec& spec) {
  for (const CaptureSpec& capture : spec.captures) {
    if (capture.mode != model::CaptureMode::once) continue;
    struct stat info {};
    if (::stat(capture.path.c_str(), &info) == 0) continue;
    Error error = os::system_error("capture", capture.path, errno);
    if (error.code == Code::not_found)
      error = {Code::not_found, concat("'", printable(capture.path), "' does not exist"),
               "--capture-once PATH:TAG, where PATH is there before the script starts"};
    return within(printable(capture.flag), error);
  }
  return {};
}

Result<void> check_not_own(const Home& home, const RunSpec& spec) {
  std::vector<std::string> own = spec.own_paths;
  own.push_back(home.root);
  const auto check = [&](const std::string& path) -> Result<void> {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return {};
    for (const std::string& other : own) {
      struct stat its {};
      if (::stat(other.c_str(), &its) == 0 && os::id_of(its) == os::id_of(info))
        return Error{Code::invalid, concat("'", printable(path), "' cannot be captured: it is Studio's own"),
                     "run from another directory, or set STUDIOML_HOME to another one"};
    }
    return {};
  };
  TRY(check(spec.directory));
  for (const CaptureSpec& capture : spec.captures) TRY(check(capture.path));
  return {};
}

std::vector<model::Artifact> list_artifacts(const Home& home, const RunSpec& spec, const std::vector<Pinned>& reuses,
                                            const std::string& attempt_directory) {
  std::vector<model::Artifact> artifacts;
  for (const std::string_view tag : k_default_tags) {
    const auto replaces = [&](const CaptureSpec& capture) { return capture.tag == tag; };
    if (std::any_of(spec.captures.begin(), spec.captures.end(), replaces)) continue;
    const std::string path = tag == "workspace" ? spec.directory : concat(attempt_directory, "/", tag);
    artifacts.push_back({.tag = std::string(tag), .path = path, .is_default = true});
  }
  for (const CaptureSpec& capture : spec.captures)
    artifacts.push_back({.tag = capture.tag, .path = capture.path, .mode = capture.mode});
  for (const Pinned& reuse : reuses)
    artifacts.push_back(
        {.tag = reuse.tag,
         .path = cache_path(home, reuse.version),
         .mode = model::CaptureMode::reuse,
         .source = model::ArtifactSource{reuse.version.experiment, reuse.version.tag, reuse.version.number}});
  return artifacts;
}

Result<void> make_attempt_directory(const Home& home, const std::string& key, std::uint64_t attempt) {
  const std::string directory = home.attempt(key, attempt);
  TRY(os::make_directories(directory + "/modeldir"));
  TRY(os::make_directories(directory + "/tb"));
  TRY(os::open(directory + k_output_file, O_WRONLY | O_CREAT | O_EXCL, 0666));
  for (const char* name : {"output", "modeldir", "tb"})
    TRY(point_link(concat(home.experiment(key), "/", name), concat("attempts/", attempt, "/", name)));
  return {};
}

Result<void> make_missing_directories(const Services& services, const std::vector<model::Artifact>& artifacts) {
  for (const model::Artifact& artifact : artifacts) {
    if (artifact.mode != model::CaptureMode::capture || artifact.is_default) continue;
    struct stat info {};
    if (::stat(artifact.path.c_str(), &info) == 0) continue;
    if (errno != ENOENT) return os::system_error("capture", artifact.path, errno);
    TRY(os::make_directories(artifact.path));
    services.report(Severity::notice, concat("'", printable(artifact.path),
                                             "' did not exist; it was created for artifact '", artifact.tag, "'"));
  }
  return {};
}

Result<std::vector<std::string>> compose_environment(const Home& home, const model::Experiment& experiment) {
  const model::Attempt& attempt = experiment.last();
  nlohmann::json map = nlohmann::json::object();
  std::map<std::string, std::vector<std::string>> variables;
  for (const model::Artifact& artifact : attempt.artifacts) {
    map[artifact.tag] = artifact.path;
    variables[variable_of(artifact.tag)].push_back(artifact.path);
  }
  const std::string directory = home.attempt(experiment.key, attempt.number);
  const std::string map_path = directory + "/artifacts.json";
  TRY(os::write_file(map_path, as_bytes(map.dump(2) + "\n")));
  TRY_ASSIGN(const std::string packages, install_script_package(home));

  std::vector<std::string> environment = os::own_environment();
  // Of a run inside a run, only the inner one's artifacts count. What Studio may do at a server is not the script's.
  std::erase_if(environment, [](const std::string& variable) {
    return variable.starts_with(k_variable_prefix) || variable.starts_with("STUDIOML_TOKEN=");
  });
  os::set_variable(environment, "STUDIOML_EXPERIMENT", experiment.key);
  os::set_variable(environment, "STUDIOML_ATTEMPT", std::to_string(attempt.number));
  os::set_variable(environment, "STUDIOML_HOME", home.root);
  os::set_variable(environment, "STUDIOML_ARTIFACT_MAPPING", map_path);
  for (const auto& [name, paths] : variables)
    if (paths.size() == 1) os::set_variable(environment, name, paths.front());  // ambiguous ones are left out
  const auto python_path = os::find_variable(environment, "PYTHONPATH");
  const bool has_path = python_path && !python_path->empty();
  os::set_variable(environment, "PYTHONPATH", has_path ? concat(packages, ":", *python_path) : packages);
  // A script that writes to a file instead of a terminal would hold its output back.
  if (!os::find_variable(environment, "PYTHONUNBUFFERED")) os::set_variable(environment, "PYTHONUNBUFFERED", "1");
  return environment;
}

void mark_captured(const Services& services, const model::Experiment& experiment) {
  // Without the marker the directory stays: the safe side. It does where an artifact of the user's has taken a
  // default's tag, since what lies in the default's place is then in no version.
  const auto& artifacts = experiment.last().artifacts;
  const auto is_default = [](const model::Artifact& artifact) { return artifact.is_default; };
  if (std::count_if(artifacts.begin(), artifacts.end(), is_default) != std::ssize(k_default_tags)) return;
  const std::string directory = services.home.attempt(experiment.key, experiment.last().number);
  for (const model::Artifact& artifact : artifacts)
    if (artifact.path.starts_with(directory + "/")) services.repository.forget(artifact.path);
  (void)os::write_file(directory + k_captured_marker, ByteView());
}

void remove_captured_attempts(const Services& services, const model::Experiment& experiment) {
  const std::string all = services.home.experiment(experiment.key) + "/attempts";
  const auto directory = os::open(all, O_RDONLY | O_DIRECTORY);
  const auto names =
      directory ? os::names_in(directory->get(), all) : Result<std::vector<std::string>>(directory.error());
  if (!names) return services.report(Severity::warning, names.error().message);
  for (const std::string& name : *names) {
    const std::string attempt = concat(all, "/", name);
    if (name == std::to_string(experiment.last().number) || !is_unchanged_since(attempt, attempt + k_captured_marker))
      continue;
    const auto removed = os::remove_tree(attempt);
    if (!removed) services.report(Severity::warning, removed.error().message);
  }
}

}  // namespace studio::engine
