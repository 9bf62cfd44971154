#include "analysis/event_directory.hpp"

#include <fcntl.h>

#include <algorithm>
#include <filesystem>
#include <span>
#include <system_error>
#include <vector>

#include "os/fd.hpp"

namespace studio::analysis {

namespace {

namespace fs = std::filesystem;

constexpr std::size_t k_piece = 256 << 10;

}  // namespace

// A directory that goes away meanwhile ends the list, and the next call begins another.
std::vector<std::string> event_files_below(const std::string& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (is_event_file_name(at->path().filename().native()) && at->is_regular_file(ignored)) paths.push_back(at->path());
  }
  std::ranges::sort(paths);  // names begin with the time at which the file was begun
  return {paths.begin(), paths.end()};
}

void EventDirectory::read_new(const Visit& visit) {
  for (const std::string& path : event_files_below(path_)) {
    auto known = by_path_.find(path);
    if (known == by_path_.end()) {
      if (files_.size() == k_most_files) continue;
      const std::string run = fs::path(path).parent_path().lexically_relative(path_).native();
      files_.push_back(
          {.path = path, .run = run == "." ? std::string() : run, .number = static_cast<std::uint32_t>(files_.size())});
      known = by_path_.emplace(path, &files_.back()).first;
    }
    read_file(*known->second, visit);
  }
}

void EventDirectory::read_file(File& file, const Visit& visit) {
  if (file.reader.is_damaged()) return;
  const auto opened = os::open(file.path, O_RDONLY | O_NONBLOCK);
  if (!opened) return;
  const EventVisitor visitor = visit(file);
  Bytes buffer(k_piece);
  while (true) {
    const auto got = os::read_at(*opened, file.read, buffer, file.path);
    if (!got || *got == 0) return;
    file.read += *got;
    if (!file.reader.feed(std::span(buffer).first(*got), visitor)) return;
  }
}

}  // namespace studio::analysis
