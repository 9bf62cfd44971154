#include "server/live_file_routes.hpp"

#include <algorithm>
#include <limits>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/number.hpp"
#include "blob/live_directory.hpp"
#include "content/tree_walk.hpp"
#include "os/fd.hpp"
#include "server/answer.hpp"
#include "server/find.hpp"

namespace studio::server {

namespace {

constexpr std::uint64_t k_most_body = 4 << 20;

Result<void> put_live_file(const Backend& backend, Call& call) {
  if (backend.live_files == nullptr)
    return Error{Code::unsupported, "this server shows only what runs on its own machine"};
  const std::string& key = call.name("key");
  const auto attempt = parse_number(call.name("attempt"));
  if (!attempt) return Error{Code::not_found, "an attempt is named by its number"};
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, key));
  if (experiment.last().number != *attempt || !model::is_live(experiment.state()))
    return Error{Code::conflict, concat("attempt ", *attempt, " of experiment '", key, "' does not run")};
  const blob::LiveFile file{key, *attempt, call.target.parameter("path").value_or("")};
  TRY_ASSIGN(const std::string body, call.exchange.body(k_most_body));
  if (!call.target.parameter("offset")) {
    TRY(backend.live_files->replace(file, as_bytes(body)));
    answer_json(call, {{"size", body.size()}});
    return {};
  }
  TRY_ASSIGN(const std::uint64_t offset, number_parameter(call, "offset", 0, std::numeric_limits<std::int64_t>::max()));
  TRY_ASSIGN(const std::uint64_t size, backend.live_files->append(file, offset, as_bytes(body)));
  answer_json(call, {{"size", size}});
  return {};
}

// Whether the store has as much of the output as was sent of it as it was written.
Result<bool> is_output_stored(const Backend& backend, const std::string& key, std::uint64_t number) {
  const auto copy = os::status(backend.live_files->path({key, number, blob::k_live_output}));
  if (!copy) return true;
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, key, std::to_string(number)));
  TRY_ASSIGN(const auto file, find_stored_output(backend, key, attempt));
  return file && file->size >= static_cast<std::uint64_t>(copy->st_size);
}

}  // namespace

void add_live_file_routes(Router& router, const Backend& backend) {
  router.add({"PUT", "/api/v1/records/{key}/attempts/{attempt}/live-files", Access::work,
              [&](Call& call) { return put_live_file(backend, call); }});
}

Result<void> remove_stored_live_files(const Backend& backend) {
  if (backend.live_files == nullptr) return {};
  return backend.live_files->list([&](const std::string& key, std::uint64_t attempt) -> Result<void> {
    const auto experiment = backend.catalog.load(key);
    if (!experiment && experiment.error().code != Code::not_found) return experiment.error();
    if (experiment) {
      if (experiment->last().number == attempt && model::is_live(experiment->state())) return {};
      TRY_ASSIGN(const bool is_stored, is_output_stored(backend, key, attempt));
      if (!is_stored) return {};
    }
    return backend.live_files->remove(key, attempt);
  });
}

}  // namespace studio::server
