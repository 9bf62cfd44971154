#include "server/attempt_events.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <memory>
#include <utility>
#include <variant>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/tree_walk.hpp"
#include "os/fd.hpp"
#include "server/find.hpp"
#include "server/stored_file.hpp"

namespace studio::server {

namespace {

constexpr std::size_t k_most_problems = 100;

// A file on this machine, which may still grow.
class LocalFile : public analysis::ByteSource {
 public:
  LocalFile(const os::Fd& fd, std::uint64_t size, const std::string& path) : fd_(fd), size_(size), path_(path) {}
  std::uint64_t size() const override { return size_; }
  Result<void> read(std::uint64_t offset, std::span<std::byte> into) override {
    while (!into.empty()) {
      TRY_ASSIGN(const std::size_t got, os::read_at(fd_, offset, into, path_));
      if (got == 0) return Error{Code::corrupt, "the file is cut off"};
      offset += got;
      into = into.subspan(got);
    }
    return {};
  }

 private:
  const os::Fd& fd_;
  const std::uint64_t size_;
  const std::string& path_;
};

std::size_t weight_of(const analysis::EventFileContent& file) {
  std::size_t weight = 1;
  for (const auto& [tag, points] : file.content.scalars)
    weight += tag.size() + points.size() * sizeof(analysis::ScalarPoint);
  for (const auto& [kind, series] : file.content.summaries)
    for (const auto& [tag, places] : series) weight += tag.size() + places.size() * sizeof(analysis::SummaryPlace);
  for (const auto& [name, value] : file.content.hyperparameters.values) {
    const auto* text = std::get_if<std::string>(&value);
    weight += name.size() + sizeof value + (text != nullptr ? text->size() : 0);
  }
  return weight;
}

}  // namespace

Result<AttemptEvents::Files> AttemptEvents::read(const Call& call, const Visit& visit) {
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend_, call));
  Files files;
  if (const auto path = find_live_board(backend_, call.name("key"), attempt)) {
    auto found =
        live_.read(*path, [&](const std::string& run, const analysis::RunContent& content) { visit(run, content, 0); });
    files.paths = std::move(found.paths);
    files.problems = std::move(found.problems);
  } else {
    TRY_ASSIGN(const auto version, find_last_version(backend_, call.name("key"), attempt, k_tensorboard));
    if (version) TRY(read_version(*version, visit, files));
  }
  if (files.problems.size() > k_most_problems) {
    const std::size_t more = files.problems.size() - k_most_problems;
    files.problems.resize(k_most_problems);
    files.problems.push_back(concat(more, " more"));
  }
  return files;
}

Result<void> AttemptEvents::read_version(const model::Version& version, const Visit& visit, Files& files) {
  files.version = version.number;
  content::ChunkSource& chunks = backend_.repository.chunks();
  content::TreeWalk walk(chunks, version.root);
  while (true) {
    TRY_ASSIGN(auto event, walk.next());
    if (!event) return {};
    if (event->kind != content::TreeWalk::Event::Kind::entry || !content::has_bytes(event->entry.type) ||
        !analysis::is_event_file_name(event->entry.name))
      continue;
    constexpr std::size_t k_most_files = analysis::EventDirectory::k_most_files;
    if (files.stored.size() == k_most_files) {
      files.problems.push_back(concat("only the first ", k_most_files, " files are shown"));
      return {};
    }
    const std::size_t slash = event->path.rfind('/');
    const std::string run = slash == event->path.npos ? std::string() : event->path.substr(0, slash);
    TRY_ASSIGN(content::TreeEntry file, content::resolve_hard_link(chunks, version.root, std::move(event->entry)));
    using Made = std::pair<analysis::EventFileContent, std::size_t>;
    TRY_ASSIGN(const auto read, cache_.get(file, [&]() -> Result<Made> {
      StoredFile source(chunks, file);
      TRY_ASSIGN(auto made, analysis::read_event_file(source));
      const std::size_t weight = weight_of(made);
      return Made(std::move(made), weight);
    }));
    for (const std::string& problem : read->problems)
      files.problems.push_back(concat(printable(event->path), ": ", problem));
    visit(run, read->content, static_cast<std::uint32_t>(files.stored.size()));
    files.stored.push_back(std::move(file));
  }
}

Result<void> AttemptEvents::read_place(const Files& files, const analysis::SummaryPlace& place,
                                       analysis::SummaryKind kind, std::string_view tag,
                                       const analysis::EventVisitor& visitor) const {
  if (files.version) {
    StoredFile source(backend_.repository.chunks(), files.stored.at(place.file));
    return analysis::read_place(source, place, kind, tag, visitor);
  }
  const std::string& path = files.paths.at(place.file);
  TRY_ASSIGN(const os::Fd fd, os::open(path, O_RDONLY | O_NONBLOCK));
  TRY_ASSIGN(const struct stat status, os::status(fd, path));
  LocalFile source(fd, static_cast<std::uint64_t>(status.st_size), path);
  return analysis::read_place(source, place, kind, tag, visitor);
}

}  // namespace studio::server
