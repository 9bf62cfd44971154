#include "content/verify.hpp"

#include <algorithm>
#include <atomic>
#include <deque>
#include <map>
#include <memory>
#include <set>
#include <unordered_map>
#include <unordered_set>
#include <utility>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/worker_pool.hpp"
#include "content/tree_walk.hpp"

namespace studio::content {

namespace {

constexpr std::size_t k_most_affected = 1000;
constexpr std::string_view k_missing_pack = "the pack is missing";

// One pack, and what reading it showed.
struct CheckedPack {
  CheckedPack(const Digest& pack, std::string object, std::uint64_t length)
      : name(pack), key(std::move(object)), size(length) {}
  Digest name;
  std::string key;
  std::uint64_t size;
  Result<std::vector<PackEntry>> entries = std::vector<PackEntry>();
  std::vector<bool> matches;  // of each entry, whether its chunk matches its digest
  std::vector<bool> indexed;  // and whether the index names it there
  Result<void> looked_up;
  std::atomic<bool> done = false;
};

class Verifier {
 public:
  Verifier(Repository& repository, const VerifyOptions& options)
      : repository_(repository), chunks_(repository.chunks()), options_(options) {}

  Result<VerifyReport> run() {
    // In the reverse of the order in which they are written: what a version names that was there before we looked at
    // the packs must be in them.
    TRY_ASSIGN(const auto versions, repository_.published({}, [&](const std::string& key, const Error& error) {
      add_damage(key, error.message);
    }));
    chunks_.forget();
    TRY(check_packs());
    TRY(check_index());
    for (const model::Version& version : versions) {
      TRY(check_stop());
      ++report_.versions;
      version_key_ = manifest_key(version.experiment, version.tag, version.number);
      label_ = concat(version.experiment, "/", version.tag, "@", model::version_name(version.number));
      TRY(check_tree(version.root));
    }
    forget_needless_packs();
    report_.index_rebuilt = chunks_.index_was_rebuilt();
    return std::move(report_);
  }

 private:
  Result<void> check_stop() const {
    if (options_.stop.stop_requested()) return Error{Code::cancelled, "the verification was interrupted"};
    return {};
  }

  std::size_t add_damage(const std::string& object, std::string_view problem) {
    report_.damages.push_back({object, std::string(problem), {}});
    return report_.damages.size() - 1;
  }

  // Several are read and hashed at a time; what was found is taken in in their order.
  Result<void> check_packs() {
    WorkerPool pool(3 * WorkerPool::usual_threads());  // two thirds of them wait for the disk
    std::deque<std::shared_ptr<CheckedPack>> under_way;
    const auto take_in_oldest = [&]() -> Result<void> {
      const std::shared_ptr<CheckedPack> oldest = std::move(under_way.front());
      under_way.pop_front();
      pool.wait_until([&] { return oldest->done.load(); });
      TRY(take_in(*oldest));
      if (options_.progress) options_.progress(report_.packs, report_.bytes);
      return {};
    };
    const auto submit = [&](const blob::ObjectInfo& info) -> Result<void> {
      TRY(check_stop());
      const auto name = pack_of_key(info.key);
      if (!name || info.size > k_most_pack) {
        ++report_.packs;
        add_damage(info.key, name ? "it is larger than a pack can be" : name.error().message);
        return {};
      }
      const auto pack = under_way.emplace_back(std::make_shared<CheckedPack>(*name, info.key, info.size));
      pool.submit([this, pack](std::size_t) { check(*pack); });
      return under_way.size() > 2 * pool.size() ? take_in_oldest() : Result<void>();
    };
    TRY(repository_.objects().list(k_pack_prefix, submit));
    while (!under_way.empty()) TRY(take_in_oldest());
    return {};
  }

  // By any thread.
  void check(CheckedPack& checked) {
    thread_local Bytes buffer;
    if (buffer.size() < checked.size) buffer.resize(checked.size);
    // What the page cache has does not tell what the disk has.
    const auto got =
        repository_.objects().get_into(checked.key, 0, std::span(buffer).first(checked.size), blob::ReadFrom::medium);
    if (got) {
      const ByteView pack = ByteView(buffer).first(*got);
      checked.entries = parse_pack(checked.name, pack);
      if (checked.entries) checked.matches = check_chunks(pack, *checked.entries);
      if (checked.entries) checked.looked_up = look_up(checked);
    } else {
      checked.entries = got.error();
    }
    checked.done = true;
  }

  Result<void> take_in(const CheckedPack& checked) {
    if (!checked.entries && checked.entries.error().code == Code::not_found) return {};  // removed meanwhile
    if (!checked.entries && checked.entries.error().code == Code::unavailable) return checked.entries.error();
    TRY(checked.looked_up);
    ++report_.packs;
    packs_.insert(checked.name);
    if (!checked.entries) {
      damaged_packs_.emplace(checked.name, add_damage(checked.key, checked.entries.error().message));
      return {};
    }
    for (std::size_t i = 0; i < checked.matches.size(); ++i) {
      const PackEntry& entry = (*checked.entries)[i];
      ++report_.chunks;
      report_.bytes += entry.raw_length;
      if (checked.matches[i]) {
        if (checked.indexed[i]) {
          ++indexed_;
        } else {
          not_indexed_.push_back({checked.name, entry});
        }
        continue;
      }
      bad_.emplace(entry.digest,
                   add_damage(checked.key, concat("chunk ", entry.digest.hex(), " does not match its digest")));
      bad_places_.emplace(checked.name, entry.offset);
    }
    return {};
  }

  Result<void> look_up(CheckedPack& checked) const {
    for (std::size_t i = 0; i < checked.matches.size(); ++i) {
      bool indexed = false;
      if (checked.matches[i]) {
        TRY_ASSIGN(indexed, is_indexed(checked.name, (*checked.entries)[i]));
      }
      checked.indexed.push_back(indexed);
    }
    return {};
  }

  // Whether the index names just this place of the chunk, and relies on it.
  Result<bool> is_indexed(const Digest& pack, const PackEntry& entry) const {
    TRY_ASSIGN(const auto at, chunks_.find(entry.digest));
    return at && !at->suspect && at->pack == pack && at->offset == entry.offset &&
           at->stored_length == entry.stored_length && at->raw_length == entry.raw_length && at->codec == entry.codec;
  }

  // Every good chunk must be found, at a good place; and the index must name no others. Only what is not as it should
  // be is kept in memory: a chunk that the index names where it is, is counted on both sides.
  Result<void> check_index() {
    chunks_.forget();
    bool is_right = true;
    for (const auto& [pack, entry] : not_indexed_) {
      TRY(check_stop());
      TRY_ASSIGN(const bool indexed, is_indexed(pack, entry));
      if (indexed) {  // another process has completed the index meanwhile
        ++indexed_;
        continue;
      }
      // Of a chunk that lies in two packs the index may name the other one.
      TRY_ASSIGN(const auto at, chunks_.find(entry.digest));
      const bool is_good =
          at && !at->suspect && !is_bad_place(at->pack, at->offset) && chunks_.read(entry.digest).has_value();
      is_right = is_right && is_good;
    }
    std::uint64_t named = 0;
    TRY(chunks_.for_each_chunk([&](const IndexedChunk& chunk) -> Result<void> {
      const Location& at = chunk.location;
      if (packs_.contains(at.pack) && !is_bad_place(at.pack, at.offset)) {
        ++named;
        return {};
      }
      TRY_ASSIGN(const bool explained, explain(chunk));
      is_right = is_right && explained;
      return {};
    }));
    if (is_right && named == indexed_) return {};
    return chunks_.rebuild_index(
        [&](const Digest& pack, const PackEntry& entry) { return is_bad_place(pack, entry.offset); });
  }

  // Of a pack that is damaged as a whole nothing is relied on, so that the next capture stores it again.
  bool is_bad_place(const Digest& pack, std::uint32_t offset) const {
    return damaged_packs_.contains(pack) || bad_places_.contains({pack, offset});
  }

  // The index remembers what was in a missing pack, also when all that versions need of it was stored again.
  void forget_needless_packs() {
    std::erase_if(report_.damages,
                  [](const Damage& damage) { return damage.problem == k_missing_pack && damage.affected.empty(); });
  }

  // Why a chunk that the index names is at no good place. False if the index must be rebuilt for it: so that it
  // does not keep the next capture from storing the chunk again.
  Result<bool> explain(const IndexedChunk& chunk) {
    if (bad_.contains(chunk.digest)) return chunk.location.suspect;
    const Digest& pack = chunk.location.pack;
    auto damage = damaged_packs_.find(pack);
    if (damage == damaged_packs_.end()) {
      const auto read = chunks_.read(chunk.digest);
      if (!read && read.error().code == Code::unavailable) return read.error();
      if (read) return true;  // stored since we looked at the packs
      if (packs_.contains(pack)) return false;
      damage = damaged_packs_.emplace(pack, add_damage(pack_key(pack), k_missing_pack)).first;
    }
    bad_.emplace(chunk.digest, damage->second);
    return chunk.location.suspect;
  }

  Result<void> check_tree(const ContentRef& root) {
    if (!content_is_good(root, "") || good_trees_.contains(root)) return {};
    // Of each directory on the way: whether all in it is good so far. A good one is walked once, whoever refers to it.
    std::vector<bool> good{true};
    TreeWalk walk(chunks_, root);
    while (true) {
      TRY(check_stop());
      const auto event = walk.next();
      if (!event && event.error().code == Code::unavailable) return event.error();
      if (!event) {
        blame_version(event.error().message);
        return {};
      }
      if (!*event) break;
      const TreeEntry& entry = (*event)->entry;
      if ((*event)->kind == TreeWalk::Event::Kind::leave) {
        if (good.back()) good_trees_.insert(entry.content);
        const bool all_good = good.back();
        good.pop_back();
        good.back() = good.back() && all_good;
        continue;
      }
      const bool is_directory = entry.type == EntryType::directory;
      if (!is_directory && !has_bytes(entry.type)) continue;
      const bool content_good = content_is_good(entry.content, (*event)->path);
      if (!content_good) good.back() = false;
      if (!is_directory) continue;
      if (content_good && !good_trees_.contains(entry.content)) {
        good.push_back(true);
      } else {
        walk.skip();
      }
    }
    if (good.front()) good_trees_.insert(root);
    return {};
  }

  // Follows the lists of one content; every chunk must be one of the good ones, and as long as is said.
  bool content_is_good(const ContentRef& content, const std::string& path) {
    if (content.size == 0 || good_contents_.contains(content)) return true;
    bool good = true;
    const auto judge = [&](const ContentRef& chunk, const auto& visit) {
      const std::string problem = problem_of(chunk, visit);
      if (problem.empty()) return;
      blame(chunk.digest, path, problem);
      good = false;
    };
    const auto judge_data = [&](const ContentRef& chunk) { judge(chunk, [](const ChunkRef&) {}); };
    if (content.level == 0) {
      judge_data(content);
      return good;
    }
    std::set<ContentRef> seen{content};
    std::vector<ContentRef> open{content};
    while (!open.empty()) {
      const ContentRef list = open.back();
      open.pop_back();
      judge(list, [&](const ChunkRef& entry) {
        const ContentRef below{entry.size, static_cast<std::uint8_t>(list.level - 1), entry.digest};
        if (below.level == 0) {
          judge_data(below);
        } else if (seen.insert(below).second) {
          open.push_back(below);
        }
      });
    }
    if (good) good_contents_.insert(content);
    return good;
  }

  // Of one chunk of a content; empty if there is none. `visit` gets the entries of a list.
  template <class Visit>
  std::string problem_of(const ContentRef& content, const Visit& visit) {
    const auto& [size, level, digest] = content;
    const auto found = chunks_.find(digest);
    if (!found) return found.error().message;
    if (!*found || (*found)->suspect || is_bad_place((*found)->pack, (*found)->offset)) return "missing";
    constexpr std::string_view k_wrong_length = "it is not as long as what refers to it says";
    if (level > k_most_levels) return "it has more levels of lists than there can be";
    if (level == 0) return (*found)->raw_length == size ? std::string() : std::string(k_wrong_length);
    const auto chunk = chunks_.read(digest);
    if (!chunk) return chunk.error().message;
    const auto entries = parse_list(*chunk, level);
    if (!entries) return entries.error().message;
    for (const ChunkRef& entry : *entries) visit(entry);
    return add_up_to(size, *entries) ? std::string() : std::string(k_wrong_length);
  }

  // Names the file under the damage that it suffers from; a chunk that is nowhere is a damage of its own.
  void blame(const Digest& digest, const std::string& path, const std::string& problem) {
    auto known = bad_.find(digest);
    if (known == bad_.end()) {
      // A pack without a footer cannot say what was in it: with only one such, and no index, it is the likely one.
      const std::size_t damage = damaged_packs_.size() == 1 ? damaged_packs_.begin()->second
                                                            : add_damage(concat("chunk ", digest.hex()), problem);
      known = bad_.emplace(digest, damage).first;
    }
    auto& affected = report_.damages[known->second].affected;
    const std::string text = concat(label_, ": ", path.empty() ? std::string("(all)") : printable(path));
    if (affected.size() < k_most_affected && (affected.empty() || affected.back() != text)) affected.push_back(text);
  }

  void blame_version(const std::string& problem) {
    report_.damages.push_back({version_key_, problem, {concat(label_, ": (all)")}});
  }

  struct Unindexed {
    Digest pack;
    PackEntry entry;
  };
  Repository& repository_;
  ChunkStore& chunks_;
  const VerifyOptions& options_;
  VerifyReport report_;
  std::unordered_set<Digest, DigestHash> packs_;
  std::uint64_t indexed_ = 0;                                          // chunks that are sound where the index says
  std::vector<Unindexed> not_indexed_;                                 // sound, but for the index somewhere else
  std::unordered_map<Digest, std::size_t, DigestHash> bad_;            // chunk -> its damage
  std::set<std::pair<Digest, std::uint32_t>> bad_places_;              // pack and offset of chunks that do not
  std::unordered_map<Digest, std::size_t, DigestHash> damaged_packs_;  // missing or without a footer -> its damage
  std::set<ContentRef> good_contents_;                                 // of those that have lists
  std::set<ContentRef> good_trees_;
  std::string version_key_;
  std::string label_;
};

}  // namespace

Result<VerifyReport> verify(Repository& repository, const VerifyOptions& options) {
  return Verifier(repository, options).run();
}

Result<StoreStats> measure(Repository& repository) {
  StoreStats stats;
  TRY(repository.chunks().suspects());  // reads what others have added
  TRY(repository.chunks().for_each_chunk([&](const IndexedChunk& chunk) -> Result<void> {
    ++stats.chunks;
    stats.unique_bytes += chunk.location.raw_length;
    return {};
  }));
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
