// Saver: one directory from its listing to its entry in the tree and in the stat cache.
#include <algorithm>
#include <iterator>

#include "content/saver.hpp"
#include "os/error.hpp"

namespace studio::content {

namespace {

// A directory that changes while it is walked is listed again this often; then it is taken as it was last seen.
constexpr int k_most_listings = 3;

bool same_times(const struct stat& a, const struct stat& b) {
  return modified_ns(a) == modified_ns(b) && changed_ns(a) == changed_ns(b);
}

}  // namespace

void Saver::add_to(model::Totals& totals, const TreeEntry& entry) {
  if (entry.type == EntryType::directory) {
    totals.files += entry.totals.files;
    totals.directories += entry.totals.directories + 1;
    totals.bytes += entry.totals.bytes;
  } else {
    totals.files += 1;
    if (entry.type == EntryType::file) totals.bytes += entry.size;
  }
}

Result<void> Saver::start_level(CachedEntry self, std::uint64_t cached_block) {
  Level level;
  if (cached_block != 0 && cache_ != nullptr) {
    if (auto block = cache_->block(cached_block)) {
      level.cached = std::move(*block);
      level.cached_block = cached_block;
    }
  }
  level.unchanged = level.cached_block != 0;
  level.self = std::move(self);
  if (::fstat(directories_->top(), &level.listed) != 0) return os::system_error("stat", path_, errno);
  TRY_ASSIGN(level.names, os::names_in(directories_->top(), path_));
  levels_.push_back(std::move(level));
  return {};
}

// If the directory changed since it was listed: drops what is gone, and sets `names` to what is new. True if there is
// some.
Result<bool> Saver::list_again(Level& level) {
  struct stat now {};
  if (::fstat(directories_->top(), &now) != 0) return os::system_error("stat", path_, errno);
  if (same_times(now, level.listed) || level.relisted++ == k_most_listings) return false;
  const auto listed = os::names_in(directories_->top(), path_);
  if (!listed) {
    add_problem(path_, listed.error().message);
    return false;
  }
  const std::vector<std::string>& names = *listed;
  level.listed = now;
  write_out_confirmed(level);
  level.fresh.keep_only(names);
  std::vector<std::string> known = level.passed_over;
  for (std::size_t i = 0; i < level.fresh.size(); ++i) known.emplace_back(level.fresh[i].name);
  std::sort(known.begin(), known.end());
  level.names.clear();
  level.at = 0;
  std::set_difference(names.begin(), names.end(), known.begin(), known.end(), std::back_inserter(level.names));
  return true;
}

void Saver::keep(FreshEntry fresh, const CachedEntry* cached) {
  Level& level = levels_.back();
  const bool old_block = fresh.in_old_cache || fresh.cached.entry.type != EntryType::directory;
  if (cached == nullptr || !old_block || !(fresh.cached == *cached)) level.unchanged = false;
  const bool is_next =
      level.fresh.empty() && level.confirmed < level.cached.size() && cached == &level.cached[level.confirmed];
  if (level.unchanged && is_next) {
    ++level.confirmed;  // a directory of many names need not be in memory twice
    return;
  }
  write_out_confirmed(level);
  level.fresh.add(fresh.cached, fresh.in_old_cache ? fresh.cached.block : 0);
}

void Saver::write_out_confirmed(Level& level) {
  for (std::size_t i = 0; i < level.confirmed; ++i) level.fresh.add(level.cached[i], level.cached[i].block);
  level.confirmed = 0;
}

Result<Saver::FreshEntry> Saver::finish_level() {
  Level& level = levels_.back();
  level.unchanged = level.unchanged && level.confirmed + level.fresh.size() == level.cached.size();
  if (!level.unchanged) write_out_confirmed(level);
  level.fresh.sort();

  FreshEntry done{std::move(level.self), level.unchanged};
  TreeEntry& entry = done.cached.entry;
  done.cached.changed_ns = changed_ns(level.listed);
  entry.mode = static_cast<std::uint32_t>(level.listed.st_mode & 07777);
  entry.modified_ns = modified_ns(level.listed);
  entry.totals = {};
  for (std::size_t i = 0; i < level.confirmed; ++i) add_to(entry.totals, level.cached[i].entry);
  for (std::size_t i = 0; i < level.fresh.size(); ++i) add_to(entry.totals, level.fresh[i].decode().entry);
  bool known = false;
  if (level.unchanged && entry.content.size > 0) {
    TRY_ASSIGN(known, chunks_.knows(entry.content.digest));
  }
  if (!known) {
    TRY_ASSIGN(entry.content, put_listing(level));
  }
  if (level.unchanged) {
    done.cached.block = level.cached_block;
  } else {
    cache_level(level);
    done.cached.block = last_block_;
  }
  return done;
}

Result<ContentRef> Saver::put_listing(const Level& level) {
  ContentWriter writer(chunks_, parameters_, ChunkKind::metadata);
  ByteWriter listing;
  append_tree_header(listing);
  const auto pass_on = [&](std::size_t least) -> Result<void> {
    if (listing.size() < least) return {};
    TRY(writer.write(listing.view()));
    listing.clear();
    return {};
  };
  for (std::size_t i = 0; i < level.confirmed; ++i) {
    append_entry(listing, level.cached[i].entry);
    TRY(pass_on(parameters_.maximum));
  }
  for (std::size_t i = 0; i < level.fresh.size(); ++i) {
    listing.raw(level.fresh[i].listed);
    TRY(pass_on(parameters_.maximum));
  }
  TRY(pass_on(0));
  return writer.finish();
}

// Adds the level to the new cache, which begins with the first directory that differs from the old one.
void Saver::cache_level(Level& level) {
  last_block_ = 0;
  if (request_.cache_path.empty() || cache_failed_) return;
  const auto write = [&]() -> Result<void> {
    if (!saved_.cache) {
      TRY_ASSIGN(saved_.cache, StatCacheDraft::create(request_.cache_path));
    }
    std::deque<std::uint64_t> copied;  // blocks, of which each must be whole before the next one is begun
    for (std::size_t i = 0; i < level.fresh.size(); ++i) {
      if (const std::uint64_t block = level.fresh[i].old_block; block != 0) {
        TRY_ASSIGN(copied.emplace_back(), saved_.cache->copy(*cache_, block));
      }
    }
    for (std::size_t i = 0; i < level.fresh.size(); ++i) {
      const CodedEntries::Entry fresh = level.fresh[i];
      if (fresh.old_block == 0) {
        saved_.cache->append(fresh.cached);
        continue;
      }
      CachedEntry moved = fresh.decode();
      moved.block = copied.front();
      copied.pop_front();
      saved_.cache->append(moved);
    }
    TRY_ASSIGN(last_block_, saved_.cache->end_block());
    saved_.cache->set_root(last_block_);
    return {};
  };
  // Without its cache the next capture is slower, nothing else: no reason to fail this one.
  if (!write()) {
    saved_.cache.reset();
    cache_failed_ = true;
  }
}

}  // namespace studio::content
