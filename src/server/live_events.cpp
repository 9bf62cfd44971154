#include "server/live_events.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/display.hpp"

namespace studio::server {

namespace {

// A directory's points are at most analysis::k_most_points, which take 160 MB.
constexpr std::size_t k_most_directories = 8;

std::string_view base_name(std::string_view path) { return path.substr(path.rfind('/') + 1); }

}  // namespace

LiveEvents::Files LiveEvents::read(const std::string& path, const Visit& visit) {
  const std::shared_ptr<Directory> directory = find(path);
  const std::lock_guard lock(directory->mutex);
  directory->events.read_new([&](const analysis::EventDirectory::File& file) {
    return directory->collector.visitor(file.reader, file.run, file.number);
  });
  for (const auto& [run, content] : directory->collector.runs()) visit(run, content);
  Files files{.paths = {}, .problems = directory->collector.problems()};
  for (const analysis::EventDirectory::File& file : directory->events.files()) {
    files.paths.push_back(file.path);
    const std::string name =
        file.run.empty() ? std::string(base_name(file.path)) : concat(file.run, "/", base_name(file.path));
    for (const std::string& problem : file.reader.problems())
      files.problems.push_back(concat(printable(name), ": ", problem));
  }
  return files;
}

std::shared_ptr<LiveEvents::Directory> LiveEvents::find(const std::string& path) {
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
