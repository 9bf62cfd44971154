#include "content/repository.hpp"

#include <cstdio>
#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/name.hpp"
#include "content/diff.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_settings_key = "studio.json";
constexpr int k_format = 1;

bool same_content(const SavedTree& tree, const model::Version& previous, const model::Changes& changes) {
  return tree.kind == previous.kind && tree.file_name == previous.file_name && changes == model::Changes();
}

}  // namespace

std::string manifest_key(std::string_view experiment, std::string_view tag, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return concat(k_experiments_prefix, experiment, "/artifacts/", tag, "/v", digits);
}

Repository::Repository(blob::Store& store, const Clock& clock, RepositoryOptions options)
    : store_(store), clock_(clock), options_(std::move(options)), chunks_(store, options_.notice) {}

Result<std::unique_ptr<Repository>> Repository::open(blob::Store& store, const Clock& clock, RepositoryOptions options) {
  std::unique_ptr<Repository> repository(new Repository(store, clock, std::move(options)));
  TRY(repository->load_or_create());
  return repository;
}

Result<void> Repository::load_or_create() {
  auto settings = store_.get(k_settings_key);
  if (!settings && settings.error().code == Code::not_found) {
    TRY_ASSIGN(const std::string id, make_key());
    const nlohmann::ordered_json json{{"format", k_format},
                                      {"id", id},
                                      {"hash", "sha256"},
                                      {"chunker",
                                       {{"algorithm", "gear16-fastcdc"},
                                        {"minimum", parameters_.minimum},
                                        {"normal", parameters_.normal},
                                        {"maximum", parameters_.maximum},
                                        {"strict_mask", parameters_.strict_mask},
                                        {"loose_mask", parameters_.loose_mask}}}};
    const auto put = blob::put(store_, k_settings_key, as_bytes(json.dump(2) + "\n"), blob::Condition::if_absent());
    if (!put && put.error().code != Code::already_exists) return put.error();
    settings = store_.get(k_settings_key);
  }
  if (!settings) return settings.error();
  return parse_settings(*settings);
}

Result<void> Repository::parse_settings(ByteView text) {
  const Error damaged{Code::corrupt, "the store's studio.json is damaged",
                      "restore it from a copy of the store; the content itself is not affected"};
  const auto json = nlohmann::json::parse(as_text(text), nullptr, false);
  if (!json.is_object() || !json.contains("format") || !json["format"].is_number_unsigned()) return damaged;
  if (const auto format = json["format"].get<std::uint64_t>(); format > k_format)
    return Error{Code::unsupported,
                 concat("the store has format ", format, "; this version of Studio knows formats up to ", k_format),
                 "use a newer Studio"};
  try {
    id_ = json.at("id").get<std::string>();
    const nlohmann::json& chunker = json.at("chunker");
    if (chunker.at("algorithm") != "gear16-fastcdc" || json.at("hash") != "sha256")
      return Error{Code::unsupported, "the store uses a chunker or a hash that this version does not know", "use a newer Studio"};
    parameters_ = {.minimum = chunker.at("minimum").get<std::uint32_t>(),
                   .normal = chunker.at("normal").get<std::uint32_t>(),
                   .maximum = chunker.at("maximum").get<std::uint32_t>(),
                   .strict_mask = chunker.at("strict_mask").get<std::uint16_t>(),
                   .loose_mask = chunker.at("loose_mask").get<std::uint16_t>()};
  } catch (const nlohmann::json::exception&) {
    return damaged;
  }
  return check(parameters_) ? Result<void>() : damaged;
}

std::string Repository::cache_path(const std::string& source) const {
  if (options_.cache_directory.empty()) return {};
  return concat(options_.cache_directory, "/", Sha256::of(as_bytes(concat(id_, "\n", source))).hex());
}

std::optional<StatCache> Repository::usable_cache(const std::string& source) {
  const std::string path = cache_path(source);
  if (path.empty()) return std::nullopt;
  auto cache = StatCache::open(path);
  if (!cache || cache->identity().store != id_ || cache->identity().source != source) return std::nullopt;
  // As long as the version is there, so is every content that the cache names.
  if (!blob::valid_key(cache->identity().version) || !store_.stat(cache->identity().version)) return std::nullopt;
  return cache;
}

Result<Saved> Repository::save(SaveRequest request, std::stop_token stop) {
  request.cache_path = cache_path(request.path);
  const auto cache = usable_cache(request.path);
  ChunkWriter writer(chunks_);
  Saved saved;
  {
    Saver saver(writer, parameters_, clock_, request, cache ? &*cache : nullptr, stop);
    TRY_ASSIGN(saved.tree, saver.save());
  }
  if (request.previous == nullptr) {
    saved.changes.added = saved.tree.totals.files + saved.tree.totals.directories;
  } else {
    TRY(diff_trees(writer, request.previous->root, saved.tree.root, [&](const Difference& difference) -> Result<void> {
      if (difference.before == nullptr) {
        ++saved.changes.added;
      } else if (difference.after == nullptr) {
        ++saved.changes.removed;
      } else {
        ++saved.changes.modified;
      }
      return {};
    }));
    saved.changed = !same_content(saved.tree, *request.previous, saved.changes);
  }
  // Also when only times changed: the new listings are what the cache will name.
  TRY(writer.flush());
  saved.new_bytes = writer.new_bytes();
  saved.stored_bytes = writer.stored_bytes();
  return saved;
}

Result<void> Repository::publish(const model::Version& version) {
  const std::string key = manifest_key(version.experiment, version.tag, version.number);
  const std::string text = model::to_json(version).dump(2) + "\n";
  const auto put = blob::put(store_, key, as_bytes(text), blob::Condition::if_absent());
  if (!put) return put.error();
  return {};
}

void Repository::remember(Saved& saved, const std::string& path, const model::Version& version) {
  if (!saved.tree.cache) return;
  // A cache that cannot be written costs the next capture time, nothing else.
  const auto published =
      saved.tree.cache->publish({id_, path, manifest_key(version.experiment, version.tag, version.number)});
  if (!published && options_.notice) options_.notice(published.error().message);
  saved.tree.cache.reset();
}

Result<std::vector<model::Version>> Repository::published(
    std::string_view experiment, const std::function<void(const std::string&, const Error&)>& damaged) {
  std::vector<model::Version> versions;
  const std::string prefix = experiment.empty() ? std::string(k_experiments_prefix)
                                                : concat(k_experiments_prefix, experiment, "/artifacts/");
  TRY(store_.list(prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (info.key.find("/artifacts/") == std::string::npos) return {};
    TRY_ASSIGN(const Bytes text, store_.get(info.key));
    const auto json = nlohmann::json::parse(as_text(text), nullptr, false);
    auto version = model::version_from_json(json);
    if (version && manifest_key(version->experiment, version->tag, version->number) != info.key)
      version = Error{Code::corrupt, "it is not the manifest of the version that its name says"};
    if (version) {
      versions.push_back(std::move(*version));
    } else if (damaged) {
      damaged(info.key, version.error());
    } else {
      return within(info.key, version.error());
    }
    return {};
  }));
  return versions;
}

}  // namespace studio::content
