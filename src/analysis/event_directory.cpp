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

// A directory that goes away meanwhile ends the list, and the next call begins another.
std::vector<fs::path> event_files_below(const std::string& directory) {
  std::vector<fs::path> paths;
  std::error_code error;
  for (fs::recursive_directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code ignored;
    if (is_event_file_name(at->path().filename().native()) && at->is_regular_file(ignored)) paths.push_back(at->path());
  }
  std::ranges::sort(paths);  // names begin with the time at which the file was begun
  return paths;
}

}  // namespace

void EventDirectory::read_new(const Visit& visit) {
  for (const fs::path& path : event_files_below(path_)) {
    const std::string run = path.parent_path().lexically_relative(path_).native();
    read_file(path.native(), run == "." ? std::string() : run, visit);
  }
}

void EventDirectory::read_file(const std::string& path, const std::string& run, const Visit& visit) {
  File& file = files_[path];
  if (file.is_damaged) return;
  const auto opened = os::open(path, O_RDONLY | O_NONBLOCK);
  if (!opened) return;
  const EventVisitor visitor{.scalar = [&](const PointHead& head, double value) { visit(run, head, value); }};
  Bytes buffer(k_piece);
  while (true) {
    const auto got = os::read_at(*opened, file.read, buffer, path);
    if (!got || *got == 0) return;
    file.read += *got;
    file.is_damaged = !file.reader.feed(std::span(buffer).first(*got), visitor);
    if (file.is_damaged) return;
  }
}

}  // namespace studio::analysis
