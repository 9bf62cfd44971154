#include "server/checkpoint_routes.hpp"

#include <algorithm>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include <nlohmann/json.hpp>

#include "analysis/checkpoint.hpp"
#include "analysis/checkpoint_name.hpp"
#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/tree_walk.hpp"
#include "server/answer.hpp"
#include "server/content_cache.hpp"
#include "server/find.hpp"
#include "server/stored_file.hpp"
#include "view/file_list.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using content::TreeEntry;
using content::TreeWalk;
using nlohmann::ordered_json;
using view::text_or_null;

constexpr std::size_t k_most_cached = 16 << 20;      // bytes
constexpr std::size_t k_most_names = 20;             // of types, and of what is dangerous, that are listed of one
constexpr std::size_t k_most_checkpoints = 1000;     // that are listed of an attempt
constexpr std::uint64_t k_most_entries = 1'000'000;  // of one version that are looked at for them

// What of a checkpoint is listed.
struct CheckpointSummary {
  std::string format;  // empty: it is none
  std::size_t tensors = 0;
  std::uint64_t parameters = 0;
  std::map<std::string, std::uint64_t> types;  // how many tensors of each
  std::string incomplete;
  std::vector<std::string> dangerous;
  std::string problem;  // why it cannot be read
};
using Cache = ContentCache<CheckpointSummary>;

CheckpointSummary summarise(const analysis::CheckpointFacts& facts) {
  CheckpointSummary summary{.format = std::string(facts.format),
                            .tensors = facts.tensors.size(),
                            .parameters = 0,
                            .types = {},
                            .incomplete = facts.incomplete,
                            .dangerous = {},
                            .problem = {}};
  for (const analysis::TensorFacts& tensor : facts.tensors) {
    if (tensor.type.empty()) continue;  // is told elsewhere
    if (tensor.type != "string") summary.parameters += analysis::element_count(tensor.shape).value_or(0);
    const bool has_place = summary.types.size() < k_most_names || summary.types.contains(tensor.type);
    ++summary.types[has_place ? tensor.type : "other"];
  }
  for (const std::string& name : facts.dangerous)
    if (summary.dangerous.size() < k_most_names) summary.dangerous.push_back(name);
  return summary;
}

Result<std::pair<CheckpointSummary, std::size_t>> read_summary(content::ChunkSource& chunks, const TreeEntry& file) {
  StoredFile source(chunks, file);
  const auto facts = analysis::read_checkpoint(file.name, source);
  // A damaged file of the user's is a fact; a store that cannot be read is not.
  if (source.failure()) return *source.failure();
  CheckpointSummary summary;
  if (!facts) summary.problem = facts.error().message;
  if (facts && *facts) summary = summarise(**facts);
  std::size_t weight = 500;
  for (const std::string& name : summary.dangerous) weight += name.size();
  for (const auto& [type, count] : summary.types) weight += 100 + type.size();
  return std::pair(std::move(summary), weight);
}

template <class Number>
ordered_json number_or_null(const std::optional<Number>& number) {
  return number ? ordered_json(*number) : ordered_json();
}

ordered_json texts_json(const std::vector<std::string>& texts) {
  ordered_json array = ordered_json::array();
  for (const std::string& text : texts) array.push_back(to_utf8(text));
  return array;
}

// Goes through the versions of an attempt, from the newest back, for what each has that no later one has. A directory
// or file that was seen under the same path is passed over, so that a hundred versions cost little more than what
// changed between them.
class CheckpointSearch {
 public:
  CheckpointSearch(content::ChunkSource& chunks, Cache& cache) : chunks_(chunks), cache_(cache) {}

  Result<void> search(const model::Version& version) {
    TreeWalk walk(chunks_, version.root);
    for (std::uint64_t entries = 0; !is_full(); ++entries) {
      if (entries >= k_most_entries) {
        is_cut_ = true;
        return {};
      }
      TRY_ASSIGN(auto event, walk.next());
      if (!event) return {};
      if (event->kind == TreeWalk::Event::Kind::leave) continue;
      const TreeEntry& entry = event->entry;
      const bool is_directory = entry.type == content::EntryType::directory;
      // By its name: a workspace may have many files, which are not all to be opened.
      if (!is_directory && (!content::has_bytes(entry.type) || !analysis::may_be_checkpoint(entry.name))) continue;
      const bool is_new = seen_.insert(concat(version.tag, "/", event->path, "/", entry.content.digest.hex())).second;
      if (!is_new && is_directory) walk.skip();
      if (is_new && !is_directory) TRY(take(version, std::move(*event)));
    }
    return {};
  }

  // Whether there may be more than were found.
  bool is_cut() const { return is_cut_ || is_full(); }

  ordered_json take_found() {
    std::ranges::stable_sort(found_, {}, &Found::modified_ns);
    ordered_json array = ordered_json::array();
    for (Found& each : found_) array.push_back(std::move(each.json));
    return array;
  }

 private:
  struct Found {
    std::int64_t modified_ns = 0;
    ordered_json json;
  };

  bool is_full() const { return found_.size() >= k_most_checkpoints; }

  Result<void> take(const model::Version& version, TreeWalk::Event event) {
    TRY_ASSIGN(const TreeEntry file, content::resolve_hard_link(chunks_, version.root, std::move(event.entry)));
    TRY_ASSIGN(const auto summary, cache_.get(file, [&] { return read_summary(chunks_, file); }));
    if (summary->format.empty() && summary->problem.empty()) return {};
    const auto moment = analysis::checkpoint_moment(event.path);
    const ordered_json listed = view::file_json({event.path, file});
    found_.push_back({file.modified_ns,
                      {{"artifact", version.tag},
                       {"version", model::version_name(version.number)},
                       {"path", to_utf8(event.path)},
                       {"format", text_or_null(summary->format)},
                       {"bytes", file.size},
                       {"modified", listed.at("modified")},
                       {"step", number_or_null(moment.step)},
                       {"epoch", number_or_null(moment.epoch)},
                       {"tensors", summary->tensors},
                       {"parameters", summary->parameters},
                       {"types", summary->types},
                       {"incomplete", text_or_null(summary->incomplete)},
                       {"dangerous", texts_json(summary->dangerous)},
                       {"problem", text_or_null(file.problem.empty() ? summary->problem : file.problem)}}});
    return {};
  }

  content::ChunkSource& chunks_;
  Cache& cache_;
  std::set<std::string> seen_;  // tag, path and digest
  bool is_cut_ = false;
  std::vector<Found> found_;
};

// What was found unchanged is a version of an earlier attempt.
bool belongs_to(const model::Version& version, const model::Attempt& attempt, const model::Artifact& artifact) {
  if (version.attempt == attempt.number) return true;
  return artifact.first_version && artifact.last_version && version.number >= *artifact.first_version &&
         version.number <= *artifact.last_version;
}

Result<void> list_checkpoints(const Backend& backend, Cache& cache, Call& call) {
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, call));
  CheckpointSearch search(backend.repository.chunks(), cache);
  for (const model::Artifact& artifact : attempt.artifacts) {
    if (artifact.mode != model::CaptureMode::capture || artifact.tag == "tb" || artifact.tag == "output") continue;
    TRY_ASSIGN(const auto versions, backend.catalog.versions(call.name("key"), artifact.tag));
    for (auto version = versions.rbegin(); version != versions.rend(); ++version)
      if (belongs_to(*version, attempt, artifact)) TRY(search.search(*version));
  }
  const bool is_cut = search.is_cut();
  answer_json(call, {{"checkpoints", search.take_found()}, {"cut", is_cut}});
  return {};
}

Result<void> show_checkpoint(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Version version, find_version(backend, call));
  TRY_ASSIGN(const TreeEntry file, find_file(backend, version, call.name("path")));
  StoredFile source(backend.repository.chunks(), file);
  const auto read = analysis::read_checkpoint(file.name, source);
  if (source.failure()) return *source.failure();
  if (!read) return Error{Code::invalid, concat("'", printable(file.name), "': ", read.error().message)};
  const auto& facts = *read;
  if (!facts)
    return Error{Code::invalid, concat("'", printable(file.name), "' is no checkpoint that can be read here")};
  ordered_json tensors = ordered_json::array();
  for (const analysis::TensorFacts& tensor : facts->tensors)
    tensors.push_back({{"name", to_utf8(tensor.name)},
                       {"type", to_utf8(tensor.type)},
                       {"shape", tensor.shape},
                       {"bytes", tensor.bytes},
                       {"file", text_or_null(tensor.file)}});
  std::map<std::string, std::string> metadata;
  for (const auto& [name, value] : facts->metadata) metadata.emplace(to_utf8(name), to_utf8(value));
  answer_json(call, {{"format", facts->format},
                     {"tensors", std::move(tensors)},
                     {"metadata", metadata},
                     {"dangerous", texts_json(facts->dangerous)},
                     {"incomplete", text_or_null(facts->incomplete)}});
  return {};
}

}  // namespace

void add_checkpoint_routes(Router& router, const Backend& backend) {
  const auto cache = std::make_shared<Cache>(k_most_cached);
  router.add({"GET", "/api/v1/experiments/{key}/attempts/{attempt}/checkpoints", Access::read,
              [&backend, cache](Call& call) { return list_checkpoints(backend, *cache, call); }});
  router.add({"GET", "/api/v1/experiments/{key}/artifacts/{tag}/versions/{version}/checkpoint/{path...}", Access::read,
              [&](Call& call) { return show_checkpoint(backend, call); }});
}

}  // namespace studio::server
