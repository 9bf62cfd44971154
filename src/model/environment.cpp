#include "model/environment.hpp"

#include <algorithm>

#include "base/display.hpp"
#include "model/json_fields.hpp"

namespace studio::model {

namespace {

using Texts = std::map<std::string, std::string>;

nlohmann::json texts_json(const Texts& texts) {
  auto json = nlohmann::json::object();
  for (const auto& [name, text] : texts) json[to_utf8(name)] = to_utf8(text);
  return json;
}

nlohmann::json python_json(const PythonFacts& python) {
  return {{"executable", to_utf8(python.executable)},
          {"version", to_utf8(python.version)},
          {"packages", texts_json(python.packages)}};
}

nlohmann::json git_json(const GitFacts& git) {
  auto untracked = nlohmann::json::array();
  for (const std::string& path : git.untracked) untracked.push_back(to_utf8(path));
  return {{"commit", git.commit.empty() ? nlohmann::json() : nlohmann::json(to_utf8(git.commit))},
          {"branch", to_utf8(git.branch)},
          {"remote", to_utf8(git.remote)},
          {"dirty", git.dirty},
          {"diff", to_utf8(git.diff)},
          {"diff_truncated", git.diff_truncated},
          {"untracked", std::move(untracked)}};
}

nlohmann::json host_json(const HostFacts& host) {
  return {{"name", to_utf8(host.name)},
          {"system", to_utf8(host.system)},
          {"kernel", to_utf8(host.kernel)},
          {"architecture", to_utf8(host.architecture)},
          {"cpu_model", to_utf8(host.cpu_model)},
          {"cpus", optional_number(host.cpus)},
          {"memory_bytes", optional_number(host.memory_bytes)}};
}

// `json` is what `in` reads.
Texts read_texts(FieldReader& in, const nlohmann::json& json, const char* field) {
  const auto found = json.find(field);
  const bool good = found != json.end() && found->is_object() &&
                    std::ranges::all_of(*found, [](const nlohmann::json& item) { return item.is_string(); });
  in.require(good, field, "is not an object of strings");
  return good ? found->get<Texts>() : Texts();
}

PythonFacts read_python(FieldReader in, const nlohmann::json& json) {
  return {in.bytes("executable"), in.bytes("version"), read_texts(in, json, "packages")};
}

GitFacts read_git(FieldReader in) {
  GitFacts git;
  if (in.has("commit")) git.commit = in.bytes("commit");
  git.branch = in.bytes("branch");
  git.remote = in.bytes("remote");
  git.dirty = in.boolean("dirty");
  git.diff = in.bytes("diff");
  git.diff_truncated = in.boolean("diff_truncated");
  git.untracked = in.byte_strings("untracked");
  return git;
}

HostFacts read_host(FieldReader in) {
  return {in.bytes("name"),
          in.bytes("system"),
          in.bytes("kernel"),
          in.bytes("architecture"),
          in.bytes("cpu_model"),
          in.optional_count("cpus"),
          in.optional_count("memory_bytes")};
}

}  // namespace

nlohmann::json to_json(const Environment& environment) {
  auto gpus = nlohmann::json::array();
  for (const Gpu& gpu : environment.gpus)
    gpus.push_back({{"name", to_utf8(gpu.name)},
                    {"memory_bytes", optional_number(gpu.memory_bytes)},
                    {"driver", to_utf8(gpu.driver)}});
  return {{"variables", texts_json(environment.variables)},
          {"python", environment.python ? python_json(*environment.python) : nlohmann::json()},
          {"git", environment.git ? git_json(*environment.git) : nlohmann::json()},
          {"host", host_json(environment.host)},
          {"gpus", std::move(gpus)}};
}

Result<Environment> environment_from_json(const nlohmann::json& json) {
  FieldReader in(json, "environment");
  Environment environment;
  environment.variables = read_texts(in, json, "variables");
  if (in.has("python")) environment.python = read_python(in.object("python"), json["python"]);
  if (in.has("git")) environment.git = read_git(in.object("git"));
  environment.host = read_host(in.object("host"));
  in.each("gpus", [&](FieldReader& item) {
    environment.gpus.push_back({item.bytes("name"), item.optional_count("memory_bytes"), item.bytes("driver")});
  });
  TRY(in.result());
  return environment;
}

}  // namespace studio::model
