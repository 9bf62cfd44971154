#include "content/repository.hpp"

#include <unistd.h>

#include <cstdio>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/name.hpp"
#include "content/diff.hpp"

namespace studio::content {

namespace {

constexpr std::string_view k_settings_key = "studio.json";
constexpr std::uint64_t k_format = 1;

bool same_content(const SavedTree& tree, const model::Version& previous, const model::Changes& changes) {
  return tree.kind == previous.kind && tree.file_name == previous.file_name && tree.root_mode == previous.root_mode &&
         changes == model::Changes();
}

Result<void> count_changes(ChunkSource& source, const ContentRef& before, const ContentRef& after,
                           model::Changes& changes) {
  return diff_trees(source, before, after, [&](const Difference& difference) -> Result<void> {
    if (difference.before == nullptr) {
      ++changes.added;
    } else if (difference.after == nullptr) {
      ++changes.removed;
    } else {
      ++changes.modified;
    }
    return {};
  });
}

}  // namespace

std::string manifest_key(std::string_view experiment, std::string_view tag, std::uint64_t number) {
  std::string digits = std::to_string(number);
  if (digits.size() < 6) digits.insert(0, 6 - digits.size(), '0');
  return concat(k_experiments_prefix, experiment, "/artifacts/", tag, "/v", digits);
}

std::string environment_key(std::string_view experiment, std::uint64_t attempt) {
  return concat(k_experiments_prefix, experiment, "/attempts/", attempt, "/environment.json");
}

std::string resources_key(std::string_view experiment, std::uint64_t attempt) {
  return concat(k_experiments_prefix, experiment, "/attempts/", attempt, "/resources.json");
}

Repository::Repository(blob::Store& store, const Clock& clock, RepositoryOptions options)
    : store_(store), clock_(clock), options_(std::move(options)), chunks_(store, options_.notice) {}

Result<std::unique_ptr<Repository>> Repository::open(blob::Store& store, const Clock& clock,
                                                     RepositoryOptions options) {
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
  const auto number = [](const nlohmann::json& object, const char* field, std::uint64_t most) {
    const auto found = object.find(field);
    const bool good = found != object.end() && found->is_number_unsigned() && found->get<std::uint64_t>() <= most;
    return good ? found->get<std::uint64_t>() : 0;
  };
  if (!json.is_object()) return damaged;
  const std::uint64_t format = number(json, "format", UINT64_MAX);
  if (format == 0) return damaged;
  if (format > k_format)
    return Error{Code::unsupported,
                 concat("the store has format ", format, "; this version of Studio knows formats up to ", k_format),
                 "use a newer Studio"};
  try {
    id_ = json.at("id").get<std::string>();
    const nlohmann::json& chunker = json.at("chunker");
    if (chunker.at("algorithm") != "gear16-fastcdc" || json.at("hash") != "sha256")
      return Error{Code::unsupported, "the store uses a chunker or a hash that this version does not know",
                   "use a newer Studio"};
    parameters_ = {.minimum = static_cast<std::uint32_t>(number(chunker, "minimum", UINT32_MAX)),
                   .normal = static_cast<std::uint32_t>(number(chunker, "normal", UINT32_MAX)),
                   .maximum = static_cast<std::uint32_t>(number(chunker, "maximum", UINT32_MAX)),
                   .strict_mask = static_cast<std::uint16_t>(number(chunker, "strict_mask", UINT16_MAX)),
                   .loose_mask = static_cast<std::uint16_t>(number(chunker, "loose_mask", UINT16_MAX))};
  } catch (const nlohmann::json::exception&) {
    return damaged;
  }
  return check(parameters_) && valid_name(id_) ? Result<void>() : damaged;
}

std::string Repository::cache_path(const std::string& source) const {
  if (options_.cache_directory.empty()) return {};
  return concat(options_.cache_directory, "/", Sha256::of(as_bytes(concat(id_, "\n", source))).hex());
}

std::optional<StatCache> Repository::usable_cache(const std::string& source, std::uint64_t suspects) {
  const std::string path = cache_path(source);
  if (path.empty()) return std::nullopt;
  auto cache = StatCache::open(path);
  if (!cache || cache->identity().store != id_ || cache->identity().source != source) return std::nullopt;
  // As long as the version is there, so is every content that the cache names, unless it was damaged.
  if (cache->identity().suspects != suspects) return std::nullopt;
  if (!blob::valid_key(cache->identity().version)) return std::nullopt;
  const auto text = store_.get(cache->identity().version);
  if (!text) return std::nullopt;
  const auto version = model::version_from_json(nlohmann::json::parse(as_text(*text), nullptr, false));
  if (!version || version->root.digest != cache->identity().root) return std::nullopt;
  return cache;
}

Result<Saved> Repository::save(SaveRequest request, std::stop_token stop) {
  request.cache_path = cache_path(request.path);
  Saved saved;
  TRY_ASSIGN(saved.suspects, chunks_.suspects());
  const auto cache = usable_cache(request.path, saved.suspects);
  ChunkWriter writer(chunks_, Saver::lanes(), options_.split_numbers);
  {
    Saver saver(writer, parameters_, clock_, request, cache ? &*cache : nullptr, stop);
    TRY_ASSIGN(saved.tree, saver.save());
  }
  if (request.previous == nullptr) {
    saved.changes.added = saved.tree.totals.files + saved.tree.totals.directories;
  } else {
    const auto counted = count_changes(writer, request.previous->root, saved.tree.root, saved.changes);
    // That the version before is damaged must not keep this one from being saved.
    if (!counted && counted.error().code != Code::corrupt) return counted.error();
    if (!counted && options_.notice)
      options_.notice(concat("what changed since the version before cannot be counted: ", counted.error().message));
    saved.changed = !counted || !same_content(saved.tree, *request.previous, saved.changes);
  }
  // Also when only times changed: the new listings are what the cache will name.
  TRY(writer.flush());
  saved.new_bytes = writer.new_bytes();
  saved.stored_bytes = writer.stored_bytes();
  return saved;
}

Result<void> Repository::publish(const model::Version& version) {
  TRY(check_name("experiment key", version.experiment));
  TRY(check_name("tag", version.tag));
  const std::string key = manifest_key(version.experiment, version.tag, version.number);
  const std::string text = model::to_json(version).dump(2) + "\n";
  const auto put = blob::put(store_, key, as_bytes(text), blob::Condition::if_absent());
  if (put) return {};
  if (put.error().code != Code::already_exists) return put.error();
  // Ours, if the answer to an earlier try was lost.
  TRY_ASSIGN(const Bytes present, store_.get(key));
  if (as_text(present) == text) return {};
  return put.error();
}

void Repository::remember(Saved& saved, const std::string& path, const model::Version& version) {
  if (!saved.tree.cache) return;
  // A cache that cannot be written costs the next capture time, nothing else.
  const auto published =
      saved.tree.cache->publish({.store = id_,
                                 .source = path,
                                 .version = manifest_key(version.experiment, version.tag, version.number),
                                 .root = version.root.digest,
                                 .suspects = saved.suspects});
  if (!published && options_.notice) options_.notice(published.error().message);
  saved.tree.cache.reset();
}

void Repository::forget(const std::string& path) {
  if (const std::string cache = cache_path(path); !cache.empty()) ::unlink(cache.c_str());
}

Result<std::vector<model::Version>> Repository::published(
    std::string_view experiment, const std::function<void(const std::string&, const Error&)>& damaged) {
  std::vector<model::Version> versions;
  const std::string prefix =
      experiment.empty() ? std::string(k_experiments_prefix) : concat(k_experiments_prefix, experiment, "/artifacts/");
  TRY(store_.list(prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    if (info.key.find("/artifacts/") == std::string::npos) return {};
    const auto text = store_.get(info.key);
    if (!text && text.error().code == Code::not_found) return {};  // removed meanwhile
    if (!text && !is_damage(text.error())) return text.error();
    auto version = text ? model::version_from_json(nlohmann::json::parse(as_text(*text), nullptr, false))
                        : Result<model::Version>(text.error());
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
