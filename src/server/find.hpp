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
// The tags of what scripts write for TensorBoard, and of what they print.
inline const std::string k_tensorboard = "tb";
inline const std::string k_output = "output";
// The directory that the attempt writes for TensorBoard into now, or the copy of it that grows here as another machine
// sends it; nothing if it does not run, or neither is on this machine.
std::optional<std::string> find_live_board(const Backend& backend, const std::string& experiment,
                                           const model::Attempt& attempt);
// The files that hold an attempt's output and what it used, or the copies of them that another machine sends or sent.
// They need not be there.
std::string local_output(const Backend& backend, const std::string& experiment, std::uint64_t attempt);
std::string local_resources(const Backend& backend, const std::string& experiment, std::uint64_t attempt);
// What the attempt captured last under the tag; nothing if it has not captured anything yet.
Result<std::optional<model::Version>> find_last_version(const Backend& backend, const std::string& experiment,
                                                        const model::Attempt& attempt, const std::string& tag);
// What it captured last of its output; nothing if there is none.
Result<std::optional<content::TreeEntry>> find_stored_output(const Backend& backend, const std::string& experiment,
                                                             const model::Attempt& attempt);

}  // namespace studio::server
