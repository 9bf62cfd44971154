#include "server/blob_routes.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <mutex>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "blob/store.hpp"
#include "content/admission.hpp"
#include "content/index_table.hpp"
#include "content/pack.hpp"
#include "content/repository.hpp"
#include "model/version.hpp"
#include "server/answer.hpp"
#include "server/guard.hpp"
#include "server/json_lines.hpp"

namespace studio::server {

namespace {

// A pack is 12 MiB and what lists its chunks.
constexpr std::uint64_t k_most_object = 64 << 20;

Error not_yours(std::string_view key) {
  return {Code::denied, concat("object '", printable(key), "' is not yours to change"),
          "what lies in the store is added to by runs, and removed by the server alone"};
}

bool is_chunk_object(std::string_view key) {
  return key.starts_with(content::k_pack_prefix) || key.starts_with(content::k_index_prefix);
}

// Of "experiments/KEY/…".
std::optional<std::string> experiment_of(std::string_view key) {
  if (!key.starts_with(content::k_experiments_prefix)) return std::nullopt;
  key.remove_prefix(content::k_experiments_prefix.size());
  return std::string(key.substr(0, key.find('/')));
}

// Packs hold chunks of everyone, and everyone who may add to them may read them: that is how nothing is sent twice.
// What is in an experiment is for those who may see it.
Result<void> check_read(const Backend& backend, const Identity& identity, std::string_view key) {
  const auto experiment = experiment_of(key);
  return experiment ? Guard::check_experiment(backend.catalog, identity, Access::read, *experiment) : Result<void>();
}

bool is_manifest(std::string_view key) { return key.find("/artifacts/") != key.npos; }

// Whether the manifest of that key, "…/TAG/v000012", is of a version that the catalog knows.
Result<bool> is_of_version(catalog::Catalog& catalog, const std::string& experiment, std::string_view key) {
  const std::size_t end = key.rfind('/');
  const std::string_view tag = key.substr(0, end).substr(key.rfind('/', end - 1) + 1);
  const auto number = parse_number(key.substr(std::min(end + 2, key.size())));
  if (!number) return false;
  TRY_ASSIGN(const auto version, catalog.version(experiment, tag, *number));
  return version && content::manifest_key(experiment, tag, *number) == key;
}

// Nobody alters what another relies on: chunks are added and stay, an experiment is for those who may work on it, and
// its versions stay as they are.
Result<void> check_write(const Backend& backend, const Identity& identity, std::string_view key,
                         const blob::Condition& condition) {
  if (identity.is_admin()) return {};
  const bool is_new = condition.kind == blob::Condition::Kind::if_absent;
  const auto experiment = experiment_of(key);
  if (experiment) TRY(Guard::check_experiment(backend.catalog, identity, Access::work, *experiment));
  const bool is_allowed = experiment ? is_new || !is_manifest(key) : is_new && is_chunk_object(key);
  return is_allowed ? Result<void>() : not_yours(key);
}

// The index is derived from the packs, and merged by those who add to it; a version that was published and then refused
// by the catalog is taken back.
Result<void> check_removal(const Backend& backend, const Identity& identity, std::string_view key) {
  if (identity.is_admin()) return {};
  if (key.starts_with(content::k_index_prefix)) return content::admit_removal(backend.repository.objects(), key);
  const auto experiment = experiment_of(key);
  if (!experiment || !is_manifest(key)) return not_yours(key);
  TRY(Guard::check_experiment(backend.catalog, identity, Access::work, *experiment));
  TRY_ASSIGN(const bool is_known, is_of_version(backend.catalog, *experiment, key));
  return is_known ? not_yours(key) : Result<void>();
}

// What is added is what it says: others will rely on it.
Result<void> check_content(blob::Store& store, const Identity& identity, std::string_view key, ByteView object) {
  if (identity.is_admin()) return {};
  if (key.starts_with(content::k_pack_prefix)) return content::admit_pack(key, object);
  if (key.starts_with(content::k_index_prefix)) return content::admit_table(store, key, object);
  return {};
}

Result<std::string> key_of(const Call& call) {
  const std::string& key = call.name("path");
  TRY(blob::check_key(key));
  return key;
}

nlohmann::ordered_json object_json(const blob::ObjectInfo& info) {
  return {{"key", info.key}, {"size", info.size}, {"modified", format_time(info.modified)}, {"etag", info.etag}};
}

Result<blob::Condition> condition_of(const net::HttpRequest& request) {
  const std::string_view none = request.header("If-None-Match");
  std::string_view match = request.header("If-Match");
  if (none == "*" && match.empty()) return blob::Condition::if_absent();
  if (none.empty() && match.empty()) return blob::Condition::none();
  if (none.empty() && match.size() >= 2 && match.starts_with('"') && match.ends_with('"'))
    return blob::Condition::if_match(std::string(match.substr(1, match.size() - 2)));
  return Error{Code::invalid, "the request has another condition than If-None-Match: * or If-Match: \"ETAG\""};
}

Result<void> answer_stat(const Backend& backend, Call& call, const std::string& key) {
  TRY_ASSIGN(const blob::ObjectInfo info, backend.repository.objects().stat(key));
  answer_json(call, object_json(info));
  return {};
}

Result<void> get_object(const Backend& backend, Call& call) {
  TRY_ASSIGN(const std::string key, key_of(call));
  TRY(check_read(backend, call.identity, key));
  if (call.target.parameter("stat")) return answer_stat(backend, call, key);
  constexpr std::uint64_t k_all = std::numeric_limits<std::uint64_t>::max();
  TRY_ASSIGN(const std::uint64_t offset, number_parameter(call, "offset", 0, k_all));
  TRY_ASSIGN(const std::uint64_t length, number_parameter(call, "length", k_all, k_all));
  blob::Store& store = backend.repository.objects();
  Bytes bytes;
  if (call.target.parameter("medium")) {
    bytes.resize(std::min(length, k_most_object));
    TRY_ASSIGN(const std::size_t size, store.get_into(key, offset, bytes, blob::ReadFrom::medium));
    bytes.resize(size);
  } else {
    TRY_ASSIGN(bytes, store.get(key, {offset, length}));
  }
  net::HttpResponse head{.headers = safe_headers(Access::read)};
  head.headers.emplace_back("Content-Type", "application/octet-stream");
  head.headers.emplace_back("Cache-Control", "no-store");
  TRY(call.exchange.begin(std::move(head), bytes.size()));
  if (call.request().method != "HEAD") TRY(call.exchange.write(bytes));
  call.exchange.finish();
  return {};
}

Result<void> put_object(const Backend& backend, Call& call) {
  TRY_ASSIGN(const std::string key, key_of(call));
  TRY_ASSIGN(const blob::Condition condition, condition_of(call.request()));
  TRY(check_write(backend, call.identity, key, condition));
  TRY_ASSIGN(const std::string body, call.exchange.body(k_most_object));
  TRY(check_content(backend.repository.objects(), call.identity, key, as_bytes(body)));
  TRY_ASSIGN(const std::string etag, blob::put(backend.repository.objects(), key, as_bytes(body), condition));
  answer_json(call, {{"etag", etag}}, 201);
  return {};
}

Result<void> remove_object(const Backend& backend, Call& call) {
  TRY_ASSIGN(const std::string key, key_of(call));
  // One at a time: of two tables that hold the same, each may go, but not both.
  static std::mutex one_at_a_time;
  const std::lock_guard lock(one_at_a_time);
  TRY(check_removal(backend, call.identity, key));
  TRY(backend.repository.objects().remove(key));
  answer_json(call, nlohmann::ordered_json::object());
  return {};
}

Result<void> list_objects(const Backend& backend, Call& call) {
  const std::string prefix = call.target.parameter("prefix").value_or("");
  std::map<std::string, bool> visible;  // experiments
  const auto is_visible = [&](const std::string& key) {
    const auto experiment = experiment_of(key);
    if (!experiment) return true;
    const auto [at, is_new] = visible.try_emplace(*experiment);
    if (is_new) at->second = check_read(backend, call.identity, key).has_value();
    return at->second;
  };
  JsonLines lines(call.exchange);
  TRY(backend.repository.objects().list(prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    return is_visible(info.key) ? lines.add(object_json(info).dump()) : Result<void>();
  }));
  return lines.finish();
}

}  // namespace

void add_blob_routes(Router& router, const Backend& backend) {
  const auto add = [&](const char* method, const char* pattern, auto function) {
    router.add({method, pattern, Access::work, [&backend, function](Call& call) { return function(backend, call); }});
  };
  add("GET", "/api/v1/blobs", list_objects);
  add("GET", "/api/v1/blobs/{path...}", get_object);
  add("PUT", "/api/v1/blobs/{path...}", put_object);
  add("DELETE", "/api/v1/blobs/{path...}", remove_object);
}

}  // namespace studio::server
