#include "content/saver.hpp"

#include <fcntl.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <memory>
#include <utility>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/tree_walk.hpp"
#include "content/unchanged_directories.hpp"
#include "os/error.hpp"
#include "os/paths.hpp"

namespace studio::content {

namespace {

// As much is read by one worker in one go: enough to be worth handing over, little enough that all get some.
constexpr std::uint64_t k_batch_bytes = 64 << 10;
constexpr std::size_t k_batch_files = 16;

// With a smaller stat cache, in bytes, threads would take longer to begin than to look.
constexpr std::uint64_t k_much_to_look_at = 64 << 10;

bool by_name(const CachedEntry& entry, const std::string& name) { return entry.entry.name < name; }

const CachedEntry* find_by_name(const CachedEntries& entries, const std::string& name) {
  const auto found = std::lower_bound(entries.begin(), entries.end(), name, by_name);
  return found != entries.end() && found->entry.name == name ? &*found : nullptr;
}

bool is_known(const CachedEntry* cached, const struct stat& info) {
  return cached != nullptr && is_unchanged_file(*cached, info);
}

CachedEntry describe(EntryType type, const std::string& name, const struct stat& info) {
  CachedEntry cached{.inode = info.st_ino, .changed_ns = changed_ns(info)};
  cached.entry.type = type;
  cached.entry.name = name;
  cached.entry.mode = static_cast<std::uint32_t>(info.st_mode & 07777);
  cached.entry.modified_ns = modified_ns(info);
  return cached;
}

Result<std::string> read_link(int directory, const std::string& name) {
  std::string target(256, '\0');
  while (true) {
    const ssize_t length = ::readlinkat(directory, name.c_str(), target.data(), target.size());
    if (length < 0) return os::system_error("read link", name, errno);
    if (static_cast<std::size_t>(length) < target.size()) {
      target.resize(static_cast<std::size_t>(length));
      return target;
    }
    target.resize(target.size() * 2);
  }
}

}  // namespace

std::size_t Saver::lanes() { return WorkerPool::usual_threads() + 1; }

Saver::Saver(ChunkWriter& chunks, const ChunkerParameters& parameters, const Clock& clock, const SaveRequest& request,
             const StatCache* cache, std::stop_token stop)
    : parameters_(parameters),
      clock_(clock),
      request_(request),
      cache_(cache),
      stop_(stop),
      stop_too_(stop, [this] { stopping_.request_stop(); }),
      chunks_(chunks),
      reader_(chunks, parameters, clock, stop) {}

std::string Saver::path_of(const std::string& name) const { return path_.empty() ? name : concat(path_, "/", name); }

void Saver::add_problem(const std::string& path, const std::string& problem) {
  if (saved_.problem_count++ < model::Version::k_most_problems) saved_.problems.push_back({path, problem});
}

bool Saver::is_left_out(const struct stat& info) const {
  return std::find(request_.left_out.begin(), request_.left_out.end(), os::id_of(info)) != request_.left_out.end();
}

Result<SavedTree> Saver::save() {
  struct stat info {};
  if (::stat(request_.path.c_str(), &info) != 0) {
    if (errno != ENOENT || !request_.missing_is_empty) return os::system_error("capture", request_.path, errno);
    TRY_ASSIGN(saved_.root, put_listing(Level()));
  } else if (is_left_out(info)) {
    return Error{Code::invalid, concat("cannot capture '", printable(request_.path), "': it is Studio's own")};
  } else if (S_ISDIR(info.st_mode)) {
    TRY_ASSIGN(os::Fd root, os::open(request_.path, O_RDONLY | O_DIRECTORY));
    TRY(save_directory(std::move(root)));
  } else if (S_ISREG(info.st_mode)) {
    TRY(save_single_file(request_.path));
  } else {
    return Error{Code::invalid,
                 concat("cannot capture '", printable(request_.path), "': it is neither a file nor a directory")};
  }
  if (request_.progress) request_.progress(saved_.totals.files, saved_.totals.bytes);
  return std::move(saved_);
}

Result<void> Saver::save_single_file(const std::string& path) {
  TRY_ASSIGN(const std::string found, os::real_path(path, "capture"));
  const std::string name = os::base_name_of(path);
  TRY_ASSIGN(os::Fd parent, os::open(os::parent_of(found), O_PATH | O_DIRECTORY));
  directories_.emplace(std::move(parent));
  TRY_ASSIGN(const struct stat info, os::status(found));

  Level level;
  level.cached_block = cache_ == nullptr ? 0 : cache_->root();
  if (level.cached_block != 0) level.cached = cache_->block(level.cached_block).value_or(CachedEntries());
  saved_.kind = model::ArtifactKind::file;
  saved_.file_name = name;
  const CachedEntry* const cached = find_by_name(level.cached, name);
  TRY_ASSIGN(auto entry, save_regular(os::base_name_of(found), info, cached));
  if (!entry && saved_.problems.empty())
    return Error{Code::not_found, concat("cannot capture '", printable(path), "': it went away")};
  if (!entry)
    return Error{Code::denied, concat("cannot capture '", printable(path), "': ", saved_.problems.front().problem)};
  entry->entry.name = name;
  for (model::Problem& problem : saved_.problems) problem.path = name;
  level.unchanged = cached != nullptr && *entry == *cached && level.cached.size() == 1;
  add_to(saved_.totals, entry->entry);
  level.fresh.add(*entry, 0);
  TRY_ASSIGN(saved_.root, put_listing(level));
  if (!level.unchanged) cache_level(level);
  return {};
}

Result<void> Saver::save_directory(os::Fd root) {
  directories_.emplace(std::move(root));
  read_ignore_rules();
  // Rules may have changed since: they are asked name by name.
  if (cache_ != nullptr && cache_->size() >= k_much_to_look_at && ignore_.empty())
    unchanged_ = unchanged_directories(directories_->top(), *cache_, request_.left_out, stop_);
  TRY(start_level({}, cache_ == nullptr ? 0 : cache_->root()));
  while (true) {
    if (stop_.stop_requested()) return Error{Code::cancelled, "the capture was stopped"};
    Level& level = levels_.back();
    if (level.at < level.names.size()) {
      const std::string name = level.names[level.at++];
      TRY(visit(name));
      continue;
    }
    TRY(settle(level));
    TRY_ASSIGN(const bool more, list_again(level));
    if (more) continue;
    TRY_ASSIGN(FreshEntry done, finish_level());
    if (levels_.size() == 1) {
      saved_.root = done.cached.entry.content;
      saved_.root_mode = static_cast<std::uint32_t>(levels_.back().listed.st_mode & 07777);
      saved_.root_modified_ns = done.cached.entry.modified_ns;
      saved_.totals = done.cached.entry.totals;
      return {};
    }
    path_.resize(levels_.back().parent_path_length);
    levels_.pop_back();
    TRY(directories_->pop());
    const std::string name = done.cached.entry.name;
    keep(std::move(done), find_by_name(levels_.back().cached, name));
  }
}

// Rules that cannot be read do not count; the file is then a problem of the version like any other that cannot be read.
void Saver::read_ignore_rules() {
  const auto file = os::open_at(directories_->top(), std::string(k_ignore_file), O_RDONLY | O_NONBLOCK | O_NOCTTY);
  if (!file) return;
  const auto info = os::status(*file, k_ignore_file);
  if (!info || !S_ISREG(info->st_mode)) return;
  constexpr off_t k_most = 16 << 20;
  Bytes text(static_cast<std::size_t>(std::min(info->st_size, k_most)));
  if (const auto size = os::read_at(*file, 0, text, k_ignore_file))
    ignore_ = IgnoreRules(as_text(ByteView(text).first(*size)));
}

Result<void> Saver::visit(const std::string& name) {
  struct stat info {};
  if (::fstatat(directories_->top(), name.c_str(), &info, AT_SYMLINK_NOFOLLOW) != 0) {
    if (errno == ENOENT) return {};
    add_problem(path_of(name), os::system_error("stat", name, errno).message);
    levels_.back().passed_over.push_back(name);
    return {};
  }
  if (!ignore_.empty() && ignore_.ignores(path_of(name), S_ISDIR(info.st_mode))) {
    levels_.back().passed_over.push_back(name);
    return {};
  }
  if (is_left_out(info)) {
    saved_.left_out.push_back(path_of(name));
    levels_.back().passed_over.push_back(name);
    return {};
  }
  const CachedEntry* const cached = find_by_name(levels_.back().cached, name);
  if (S_ISDIR(info.st_mode)) {
    TRY_ASSIGN(const bool kept, keep_unchanged_directory(info, cached));
    return kept ? Result<void>() : visit_directory(name, info, cached);
  }

  std::optional<CachedEntry> entry;
  if (S_ISREG(info.st_mode)) {
    // Of a file with several names the next one must know what the first was.
    if (info.st_nlink == 1 && !is_known(cached, info)) {
      count(info);
      return save_later(name, static_cast<std::uint64_t>(info.st_size), cached);
    }
    TRY_ASSIGN(entry, save_regular(name, info, cached));
  } else {
    entry = save_special(name, info);
  }
  if (entry) keep({std::move(*entry), false}, cached);
  return {};
}

Result<bool> Saver::keep_unchanged_directory(const struct stat& info, const CachedEntry* cached) {
  if (cached == nullptr || cached->block == 0 || !is_unchanged_directory(*cached, info) ||
      !std::binary_search(unchanged_.begin(), unchanged_.end(), cached->block))
    return false;
  TRY_ASSIGN(const bool known, chunks_.knows(cached->entry.content.digest));
  if (!known) return false;
  files_seen_ += cached->entry.totals.files;
  bytes_seen_ += cached->entry.totals.bytes;
  if (request_.progress) request_.progress(files_seen_, bytes_seen_);
  keep({*cached, true}, cached);
  return true;
}

Result<void> Saver::visit_directory(const std::string& name, const struct stat& info, const CachedEntry* cached) {
  const auto unreadable = [&](const Error& error) -> Result<void> {
    if (error.code == Code::not_found || error.code == Code::invalid) return {};  // gone, or no directory now
    return keep_unreadable_directory(name, info, cached, error.message);
  };
  if (const auto pushed = directories_->push(name); !pushed) return unreadable(pushed.error());
  const bool was_directory = cached != nullptr && cached->entry.type == EntryType::directory;
  CachedEntry self = describe(EntryType::directory, name, info);
  if (was_directory) self.entry.content = cached->entry.content;
  read_attributes(directories_->top(), self.entry);
  const std::string problem = self.entry.problem;
  const std::size_t parent_path_length = path_.size();
  path_ = path_of(name);
  if (const auto started = start_level(std::move(self), was_directory ? cached->block : 0); !started) {
    path_.resize(parent_path_length);
    TRY(directories_->pop());
    return unreadable(started.error());
  }
  levels_.back().parent_path_length = parent_path_length;
  if (!problem.empty()) add_problem(path_, problem);
  return {};
}

// What the version before has of it, else nothing, marked.
Result<void> Saver::keep_unreadable_directory(const std::string& name, const struct stat& info,
                                              const CachedEntry* cached, std::string problem) {
  add_problem(path_of(name), problem);
  auto kept = last_known(cached, name, EntryType::directory);
  if (!kept) {
    kept = describe(EntryType::directory, name, info);
    TRY_ASSIGN(kept->entry.content, put_listing(Level()));
  }
  kept->entry.problem = std::move(problem);
  keep({std::move(*kept), true}, cached);
  return {};
}

// The entry in the cache, else in the version before.
std::optional<CachedEntry> Saver::last_known(const CachedEntry* cached, const std::string& name, EntryType type) {
  const auto is_of_type = [&](const TreeEntry& entry) {
    return type == EntryType::file ? has_bytes(entry.type) : entry.type == type;
  };
  if (cached != nullptr && is_of_type(cached->entry)) return *cached;
  if (request_.previous == nullptr) return std::nullopt;
  const std::string path = saved_.kind == model::ArtifactKind::file ? saved_.file_name : path_of(name);
  auto found = find_entry(chunks_, request_.previous->root, path);
  if (!found || !is_of_type(*found)) return std::nullopt;
  return CachedEntry{.entry = std::move(*found)};
}

// Of a file that cannot be had as it is now: what the version before has of it, marked.
std::optional<CachedEntry> Saver::keep_last(const CachedEntry* cached, const std::string& name, std::string problem) {
  add_problem(path_of(name), problem);
  auto kept = last_known(cached, name, EntryType::file);
  if (kept) {
    kept->entry.problem = std::move(problem);
  } else if (!levels_.empty()) {
    levels_.back().passed_over.push_back(name);
  }
  return kept;
}

void Saver::remember_names(const CachedEntry& entry, const std::string& name, const struct stat& info) {
  if (info.st_nlink > 1)
    hard_linked_.insert_or_assign({info.st_dev, info.st_ino}, HardLinked{entry, path_of(name), info.st_nlink - 1});
}

// A file that was saved under another name. If it changed since, or another file got its inode, it is read for itself:
// the change time tells, at the price of a link that was added meanwhile.
std::optional<CachedEntry> Saver::save_other_name(const std::string& name, const struct stat& info) {
  const auto known = hard_linked_.find({info.st_dev, info.st_ino});
  if (known == hard_linked_.end()) return std::nullopt;
  if (!has_stamps_of(known->second.first, info)) {
    hard_linked_.erase(known);
    return std::nullopt;
  }
  CachedEntry link = known->second.first;
  link.entry.type = EntryType::hard_link;
  link.entry.name = name;
  link.entry.target = known->second.path;
  if (--known->second.names_left == 0) hard_linked_.erase(known);
  return link;
}

Result<std::optional<CachedEntry>> Saver::save_regular(const std::string& name, const struct stat& info,
                                                       const CachedEntry* cached) {
  count(info);
  if (info.st_nlink > 1)
    if (auto link = save_other_name(name, info)) return link;
  if (!is_known(cached, info)) return save_new_content(name, static_cast<std::uint64_t>(info.st_size), cached);
  CachedEntry entry = *cached;
  entry.entry.type = EntryType::file;  // it may have been the second name before
  entry.entry.target.clear();
  remember_names(entry, name, info);
  return std::optional<CachedEntry>(std::move(entry));
}

// Now, by whoever is fastest.
Result<std::optional<CachedEntry>> Saver::save_new_content(const std::string& name, std::uint64_t size,
                                                           const CachedEntry* cached) {
  if (size < k_batch_bytes) {
    TRY_ASSIGN(FileRead read, reader_.read(directories_->top(), name));
    return accept(std::move(read), name, cached);
  }
  const auto batch = std::make_shared<Batch>();
  batch->items.push_back({name, cached});
  TRY(submit(batch));
  pool_->wait_until([&] { return batch->done.load(); });
  TRY_ASSIGN(FileRead read, std::move(batch->items.front().read));
  return accept(std::move(read), name, cached);
}

void Saver::read(Batch& batch, int directory, FileReader& reader) {
  for (Batch::Item& item : batch.items) {
    item.read = reader.read(directory, item.name);
    if (!item.read) break;  // a store that fails will fail for the others too
  }
}

Result<void> Saver::submit(std::shared_ptr<Batch> batch) {
  // Its own: the walk may have left the directory when its turn comes.
  batch->directory = os::Fd(::fcntl(directories_->top(), F_DUPFD_CLOEXEC, 0));
  if (!batch->directory) return os::system_error("capture", request_.path, errno);
  if (!pool_) {
    pool_.emplace(WorkerPool::usual_threads());
    for (std::size_t i = 0; i < std::max<std::size_t>(pool_->size(), 1); ++i)
      readers_.push_back(
          std::make_unique<FileReader>(chunks_, parameters_, clock_, stopping_.get_token(), i + 1, &*pool_));
  }
  pool_->submit([this, batch = std::move(batch)](std::size_t worker) {
    read(*batch, batch->directory.get(), *readers_[worker]);
    batch->directory.reset();
    batch->done = true;
  });
  return {};
}

Result<void> Saver::save_later(const std::string& name, std::uint64_t size, const CachedEntry* cached) {
  auto& batches = levels_.back().batches;
  const bool is_open = !batches.empty() && !is_full(*batches.back());
  if (!is_open) batches.push_back(std::make_shared<Batch>());
  Batch& batch = *batches.back();
  batch.items.push_back({name, cached});
  batch.bytes += size;
  if (!is_full(batch)) return {};
  TRY(submit(batches.back()));
  // So that a directory of a million files does not hold a million results.
  while (!batches.empty() && batches.front()->done) {
    TRY(take_in(*batches.front()));
    batches.pop_front();
  }
  return {};
}

bool Saver::is_full(const Batch& batch) { return batch.bytes >= k_batch_bytes || batch.items.size() >= k_batch_files; }

// What is left over is read here: another thread would not be faster.
Result<void> Saver::settle(Level& level) {
  for (auto& batches = level.batches; !batches.empty(); batches.pop_front()) {
    Batch& batch = *batches.front();
    if (!is_full(batch)) {
      read(batch, directories_->top(), reader_);
    } else if (!batch.done) {
      pool_->wait_until([&] { return batch.done.load(); });
    }
    TRY(take_in(batch));
  }
  return {};
}

Result<void> Saver::take_in(Batch& batch) {
  for (Batch::Item& item : batch.items) {
    TRY_ASSIGN(FileRead read, std::move(item.read));
    auto entry = accept(std::move(read), item.name, item.cached);
    if (entry) keep({std::move(*entry), false}, item.cached);
  }
  return {};
}

void Saver::count(const struct stat& info) {
  ++files_seen_;
  bytes_seen_ += static_cast<std::uint64_t>(info.st_size);
  if (request_.progress && files_seen_ % 256 == 0) request_.progress(files_seen_, bytes_seen_);
}

std::optional<CachedEntry> Saver::accept(FileRead read, const std::string& name, const CachedEntry* cached) {
  switch (read.outcome) {
    case FileRead::Outcome::gone: return std::nullopt;
    case FileRead::Outcome::unreadable: return keep_last(cached, name, read.problem);
    case FileRead::Outcome::unstable:
      return keep_last(cached, name,
                       "it was rewritten each time it was read; its last complete content is kept, if there is one");
    case FileRead::Outcome::prefix:
      if (!request_.append_only)
        read.entry.problem = concat("it grew while it was read; its first ", read.entry.size, " bytes are kept");
      break;
    case FileRead::Outcome::complete: break;
  }
  if (!read.entry.problem.empty()) add_problem(path_of(name), read.entry.problem);
  CachedEntry entry = describe(EntryType::file, name, read.info);
  entry.racy = read.racy;
  entry.entry = std::move(read.entry);
  entry.entry.name = name;
  remember_names(entry, name, read.info);
  return entry;
}

std::optional<CachedEntry> Saver::save_special(const std::string& name, const struct stat& info) {
  ++files_seen_;
  EntryType type = EntryType::fifo;
  if (S_ISLNK(info.st_mode)) type = EntryType::symlink;
  if (S_ISSOCK(info.st_mode)) type = EntryType::socket;
  if (S_ISCHR(info.st_mode)) type = EntryType::char_device;
  if (S_ISBLK(info.st_mode)) type = EntryType::block_device;
  CachedEntry cached = describe(type, name, info);
  if (type == EntryType::symlink) {
    auto target = read_link(directories_->top(), name);
    if (!target) return std::nullopt;  // gone, or something else now: the directory is listed again
    cached.entry.target = std::move(*target);
  } else if (type == EntryType::char_device || type == EntryType::block_device) {
    cached.entry.device_major = major(info.st_rdev);
    cached.entry.device_minor = minor(info.st_rdev);
  }
  return cached;
}

}  // namespace studio::content
