#include "content/verify.hpp"

#include <algorithm>
#include <map>
#include <unordered_map>
#include <unordered_set>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/tree_walk.hpp"

namespace studio::content {

namespace {

constexpr std::size_t k_most_affected = 1000;

class Verifier {
 public:
  Verifier(Repository& repository, const VerifyOptions& options)
      : repository_(repository), chunks_(repository.chunks()), options_(options) {}

  Result<VerifyReport> run() {
    TRY(check_packs());
    TRY(check_index());
    TRY(check_versions());
    report_.index_rebuilt = chunks_.index_was_rebuilt();
    return std::move(report_);
  }

 private:
  Result<void> check_stop() const {
    if (options_.stop.stop_requested()) return Error{Code::cancelled, "the verification was interrupted"};
    return {};
  }

  std::size_t add_damage(const std::string& object, const std::string& problem) {
    report_.damages.push_back({object, problem, {}});
    return report_.damages.size() - 1;
  }

  Result<void> check_packs() {
    return repository_.objects().list(k_pack_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
      TRY(check_stop());
      ++report_.packs;
      const auto name = pack_of_key(info.key);
      if (!name) {
        add_damage(info.key, name.error().message);
        return {};
      }
      const auto pack = repository_.objects().get(info.key);
      if (!pack) {
        add_damage(info.key, pack.error().message);
        return {};
      }
      const auto entries = parse_pack(*name, *pack);
      if (!entries) {
        damaged_packs_.emplace(*name, add_damage(info.key, entries.error().message));
        return {};
      }
      for (const PackEntry& entry : *entries) check_chunk(*name, info.key, *pack, entry);
      if (options_.progress) options_.progress(report_.packs, report_.bytes);
      return {};
    });
  }

  void check_chunk(const Digest& pack_name, const std::string& key, ByteView pack, const PackEntry& entry) {
    ++report_.chunks;
    report_.bytes += entry.raw_length;
    const auto raw = decode(entry.codec, pack.subspan(entry.offset, entry.stored_length), entry.raw_length);
    if (raw && Sha256::of(*raw) == entry.digest) {
      places_[entry.digest] = {pack_name, entry.offset};
    } else {
      bad_.emplace(entry.digest, add_damage(key, concat("chunk ", entry.digest.hex(), " does not match its digest")));
    }
  }

  // Every good chunk must be found, at a good place.
  Result<void> check_index() {
    const auto known = chunks_.all_chunks();
    bool good = known.has_value();
    std::size_t found = 0;
    for (std::size_t i = 0; good && i < known->size(); ++i) {
      const IndexedChunk& chunk = (*known)[i];
      const auto place = places_.find(chunk.digest);
      const bool is_bad = bad_.contains(chunk.digest) || damaged_packs_.contains(chunk.location.pack);
      good = is_bad;
      if (place == places_.end()) continue;
      ++found;
      // Of a chunk that lies in two packs the index may name the other one.
      const bool same = place->second.pack == chunk.location.pack && place->second.offset == chunk.location.offset;
      good = same || chunks_.read(chunk.digest).has_value();
    }
    if (good && found == places_.size()) return {};
    return chunks_.rebuild_index();
  }

  Result<void> check_versions() {
    TRY_ASSIGN(const auto versions, repository_.published({}, [&](const std::string& key, const Error& error) {
      add_damage(key, error.message);
    }));
    for (const model::Version& version : versions) {
      TRY(check_stop());
      ++report_.versions;
      label_ = concat(version.experiment, "/", version.tag, "@", model::version_name(version.number));
      check_tree(version.root);
    }
    return {};
  }

  void check_tree(const ContentRef& root) {
    if (!content_is_good(root, "")) return;
    if (good_trees_.contains(root.digest)) return;
    bool all_good = true;
    TreeWalk walk(chunks_, root);
    std::vector<Digest> open_trees;
    while (true) {
      auto event = walk.next();
      if (!event) {
        blame(Digest(), "", event.error().message);
        all_good = false;
        break;
      }
      if (!*event) break;
      const TreeEntry& entry = (*event)->entry;
      if ((*event)->kind == TreeWalk::Event::Kind::leave) continue;
      if (entry.type == EntryType::directory) {
        const bool good = content_is_good(entry.content, (*event)->path);
        all_good = all_good && good;
        if (!good || good_trees_.contains(entry.content.digest)) walk.skip();
      } else if (entry.type == EntryType::file) {
        all_good = content_is_good(entry.content, (*event)->path) && all_good;
      }
    }
    if (all_good) good_trees_.insert(root.digest);
  }

  // Follows the lists of one content; every chunk must be one of the good ones.
  bool content_is_good(const ContentRef& content, const std::string& path) {
    if (content.size == 0 || good_contents_.contains(content.digest)) return true;
    bool good = true;
    std::vector<std::pair<Digest, std::uint8_t>> open{{content.digest, content.level}};
    while (!open.empty()) {
      const auto [digest, level] = open.back();
      open.pop_back();
      if (!places_.contains(digest)) {
        blame(digest, path, "missing");
        good = false;
        continue;
      }
      if (level == 0) continue;
      const auto chunk = chunks_.read(digest);
      const auto entries = chunk ? parse_list(*chunk, level) : Result<std::vector<ListEntry>>(chunk.error());
      if (!entries) {
        blame(digest, path, entries.error().message);
        good = false;
        continue;
      }
      for (const ListEntry& entry : *entries) open.emplace_back(entry.digest, static_cast<std::uint8_t>(level - 1));
    }
    if (good) good_contents_.insert(content.digest);
    return good;
  }

  // Names the file under the damage that it suffers from; a chunk that is nowhere is a damage of its own.
  void blame(const Digest& digest, const std::string& path, const std::string& problem) {
    auto known = bad_.find(digest);
    if (known == bad_.end()) {
      const std::size_t damage = damaged_packs_.empty()
                                     ? add_damage(concat("chunk ", digest.hex()), problem)
                                     : damaged_packs_.begin()->second;
      known = bad_.emplace(digest, damage).first;
    }
    auto& affected = report_.damages[known->second].affected;
    const std::string text = concat(label_, ": ", path.empty() ? std::string("(all)") : printable(path));
    if (affected.size() < k_most_affected && (affected.empty() || affected.back() != text)) affected.push_back(text);
  }

  struct Place {
    Digest pack;
    std::uint32_t offset = 0;
  };
  Repository& repository_;
  ChunkStore& chunks_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::unordered_map<Digest, Place, DigestHash> places_;            // of good chunks
  std::unordered_map<Digest, std::size_t, DigestHash> bad_;         // chunk -> its damage
  std::unordered_map<Digest, std::size_t, DigestHash> damaged_packs_;  // pack without a footer -> its damage
  std::unordered_set<Digest, DigestHash> good_contents_;
  std::unordered_set<Digest, DigestHash> good_trees_;
  std::string label_;
};

}  // namespace

Result<VerifyReport> verify(Repository& repository, const VerifyOptions& options) {
  return Verifier(repository, options).run();
}

Result<StoreStats> measure(Repository& repository) {
  StoreStats stats;
  TRY_ASSIGN(const auto chunks, repository.chunks().all_chunks());
  stats.chunks = chunks.size();
  for (const IndexedChunk& chunk : chunks) stats.unique_bytes += chunk.location.raw_length;
  TRY(repository.objects().list(k_pack_prefix, [&](const blob::ObjectInfo& info) -> Result<void> {
    ++stats.packs;
    stats.stored_bytes += info.size;
    return {};
  }));
  TRY_ASSIGN(const auto versions, repository.published());
  std::map<std::pair<std::string, std::string>, ArtifactStats> artifacts;
  for (const model::Version& version : versions) {
    ArtifactStats& artifact = artifacts[{version.experiment, version.tag}];
    artifact.experiment = version.experiment;
    artifact.tag = version.tag;
    ++artifact.versions;
    artifact.logical_bytes += version.totals.bytes;
    artifact.new_bytes += version.new_bytes;
    artifact.stored_bytes += version.stored_bytes;
    stats.logical_bytes += version.totals.bytes;
    ++stats.versions;
  }
  for (auto& [name, artifact] : artifacts) stats.artifacts.push_back(std::move(artifact));
  return stats;
}

}  // namespace studio::content
