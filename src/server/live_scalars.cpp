#include "server/live_scalars.hpp"

#include <algorithm>

namespace studio::server {

namespace {

// A directory's points are at most analysis::k_most_points, which take 96 MB.
constexpr std::size_t k_most_directories = 8;

}  // namespace

ScalarRuns LiveScalars::read(const std::string& path, const Wanted& wanted) {
  const std::shared_ptr<Directory> directory = find(path);
  const std::lock_guard lock(directory->mutex);
  directory->events.read_new([&](const std::string& run, const analysis::PointHead& head, double value) {
    if (directory->points >= analysis::k_most_points) return;
    ++directory->points;
    directory->runs[run][std::string(head.tag)].push_back({head.step, head.wall_time, value});
  });
  ScalarRuns found;
  for (const auto& [run, series] : directory->runs)
    for (const auto& [tag, points] : series)
      if (wanted(run, tag)) found[run][tag] = points;
  return found;
}

std::shared_ptr<LiveScalars::Directory> LiveScalars::find(const std::string& path) {
  const std::lock_guard lock(mutex_);
  const auto at = std::ranges::find(directories_, path, [](const auto& each) { return each.first; });
  if (at != directories_.end()) {
    directories_.splice(directories_.begin(), directories_, at);
  } else {
    directories_.emplace_front(path, std::make_shared<Directory>(path));
    if (directories_.size() > k_most_directories) directories_.pop_back();
  }
  return directories_.front().second;
}

}  // namespace studio::server
