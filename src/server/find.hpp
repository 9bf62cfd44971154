// What the names in a request's path stand for.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.hpp"
#include "content/tree.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"
#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

// Of {key}: the whole key. `not_found`.
Result<model::Experiment> find_experiment(const Backend& backend, const Call& call);
Result<model::Experiment> find_experiment(const Backend& backend, const std::string& key);
// Of {key}, {tag} and {version}, which is "v3" or "latest". `not_found`.
Result<model::Version> find_version(const Backend& backend, const Call& call);

// What lies at the path in the version; "" is its root. `not_found`.
Result<content::TreeEntry> find_entry(const Backend& backend, const model::Version& version, const std::string& path);
// The same, which must be a file: `invalid` if it is something else.
Result<content::TreeEntry> find_file(const Backend& backend, const model::Version& version, const std::string& path);

// Of {key} and {attempt}. `not_found` names those that there are.
Result<model::Attempt> find_attempt(const Backend& backend, const Call& call);
Result<model::Attempt> find_attempt(const Backend& backend, const std::string& key, const std::string& number);
// The tag of what scripts write for TensorBoard.
inline const std::string k_tensorboard = "tb";
// Where the attempt writes what is captured under the tag, if it does so on this machine now.
std::optional<std::string> find_live_path(const Backend& backend, const model::Attempt& attempt,
                                          const std::string& tag);
// What the attempt captured last under the tag; nothing if it has not captured anything yet.
Result<std::optional<model::Version>> find_last_version(const Backend& backend, const std::string& experiment,
                                                        const model::Attempt& attempt, const std::string& tag);

}  // namespace studio::server
