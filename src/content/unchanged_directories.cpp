#include "content/unchanged_directories.hpp"

#include <fcntl.h>
#include <sys/xattr.h>

#include <algorithm>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <utility>

#include "base/concat.hpp"
#include "base/worker_pool.hpp"
#include "os/beneath.hpp"

namespace studio::content {

namespace {

constexpr std::size_t k_longest_path = 4000;  // for the kernel

// A directory with directories in it that are not all looked at.
struct Waiting {
  std::shared_ptr<Waiting> parent;
  std::uint64_t block = 0;
  std::size_t left = 1;  // of them, and itself
  bool is_unchanged = true;
  std::vector<std::uint64_t> unchanged;  // blocks of those in it
};

// A directory that is to be looked at.
struct Task {
  std::shared_ptr<Waiting> parent;
  CachedEntry cached;
  std::string path;
};

class Scan {
 public:
  Scan(int root, const StatCache& cache, std::span<const os::FileId> left_out, std::stop_token stop)
      : root_(root), cache_(cache), left_out_(left_out), stop_(std::move(stop)) {}

  std::vector<std::uint64_t> run() {
    const auto root = std::make_shared<Waiting>();
    root->is_unchanged = false;
    cache_.visit(cache_.root(), [&](CachedEntry& entry) {
      if (entry.block != 0) add(root, {}, std::move(entry));
    });
    {
      WorkerPool pool(WorkerPool::usual_threads());
      for (std::size_t i = 0; i < std::max<std::size_t>(pool.size(), 1); ++i)
        pool.submit([this](std::size_t) { work(); });
    }
    std::sort(root->unchanged.begin(), root->unchanged.end());
    return std::move(root->unchanged);
  }

 private:
  void add(const std::shared_ptr<Waiting>& parent, const std::string& path, CachedEntry entry) {
    std::string below = path.empty() ? entry.entry.name : concat(path, "/", entry.entry.name);
    const std::lock_guard lock(mutex_);
    if (below.size() > k_longest_path) {
      parent->is_unchanged = false;
      return;
    }
    ++parent->left;
    // The last is taken first: so there are no more of them than lie beside the way to where the threads are.
    tasks_.push_back({parent, std::move(entry), std::move(below)});
    changed_.notify_one();
  }

  void work() {
    std::unique_lock lock(mutex_);
    while (true) {
      changed_.wait(lock, [&] { return !tasks_.empty() || busy_ == 0; });
      if (tasks_.empty() || stop_.stop_requested()) return;
      Task task = std::move(tasks_.back());
      tasks_.pop_back();
      ++busy_;
      lock.unlock();
      const auto self = std::make_shared<Waiting>();
      self->parent = std::move(task.parent);
      self->block = task.cached.block;
      const bool unchanged = look_at(task, self);
      lock.lock();
      self->is_unchanged = self->is_unchanged && unchanged;
      one_less(self.get());
      if (--busy_ == 0) changed_.notify_all();
    }
  }

  static void one_less(Waiting* directory) {
    while (--directory->left == 0 && directory->parent) {
      Waiting& parent = *directory->parent;
      if (directory->is_unchanged) {
        parent.unchanged.push_back(directory->block);
      } else {
        parent.is_unchanged = false;
        std::move(directory->unchanged.begin(), directory->unchanged.end(), std::back_inserter(parent.unchanged));
      }
      directory = &parent;
    }
  }

  // Whether it is unchanged but for the directories in it, which are added.
  bool look_at(const Task& task, const std::shared_ptr<Waiting>& self) {
    const os::Fd directory(os::open_beneath(root_, task.path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_NONBLOCK));
    struct stat before {};
    bool unchanged = directory && ::fstat(directory.get(), &before) == 0 && is_as_cached(task.cached, before) &&
                     ::flistxattr(directory.get(), nullptr, 0) <= 0;
    std::size_t count = 0;
    const bool is_whole = cache_.visit(task.cached.block, [&](CachedEntry& entry) {
      ++count;
      if (entry.block != 0) {
        add(self, task.path, std::move(entry));
      } else {
        unchanged = unchanged && is_file_as_cached(entry, directory.get());
      }
    });
    if (!unchanged || !is_whole) return false;
    // That many names, of which these are all: there are no others.
    const auto names = os::count_names(directory.get());
    struct stat after {};
    return names && *names == count && ::fstat(directory.get(), &after) == 0 && is_as_cached(task.cached, after);
  }

  bool is_as_cached(const CachedEntry& entry, const struct stat& info) const {
    return is_unchanged_directory(entry, info) && entry.entry.attributes.empty() && !is_left_out(info);
  }

  bool is_file_as_cached(const CachedEntry& entry, int directory) const {
    struct stat info {};
    return entry.entry.type == EntryType::file &&
           ::fstatat(directory, entry.entry.name.c_str(), &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
           info.st_nlink == 1 && is_unchanged_file(entry, info) && !is_left_out(info);
  }

  bool is_left_out(const struct stat& info) const {
    return std::find(left_out_.begin(), left_out_.end(), os::id_of(info)) != left_out_.end();
  }

  const int root_;
  const StatCache& cache_;
  const std::span<const os::FileId> left_out_;
  const std::stop_token stop_;

  std::mutex mutex_;  // of all below, and of every Waiting
  std::condition_variable changed_;
  std::vector<Task> tasks_;
  std::size_t busy_ = 0;
};

}  // namespace

std::vector<std::uint64_t> unchanged_directories(int root, const StatCache& cache, std::span<const os::FileId> left_out,
                                                 std::stop_token stop) {
  return Scan(root, cache, left_out, std::move(stop)).run();
}

}  // namespace studio::content
