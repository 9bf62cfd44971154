// What an attempt wrote for TensorBoard into its artifact `tb`.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "analysis/event_content.hpp"
#include "server/backend.hpp"
#include "server/content_cache.hpp"
#include "server/live_events.hpp"
#include "server/router.hpp"

namespace studio::server {

// Reads the files themselves while they are written on this machine, otherwise the attempt's last version, of which it
// keeps what it found. Thread-safe. The backend outlives it.
class AttemptEvents {
 public:
  explicit AttemptEvents(const Backend& backend) : backend_(backend) {}

  // The event files that were read.
  struct Files {
    std::optional<std::uint64_t> version;  // of the artifact; nothing if they are read as they are written
    std::vector<std::string> problems;     // why some of them could not be read
    std::vector<content::TreeEntry> stored;
    std::vector<std::string> paths;  // in place of `stored`
  };

  // Called once or several times for each directory, which TensorBoard calls a run. `first_file` is to be added to the
  // numbers of files in it.
  using Visit =
      std::function<void(const std::string& run, const analysis::RunContent& content, std::uint32_t first_file)>;
  // Of {key} and {attempt}. The visit must be short.
  Result<Files> read(const Call& call, const Visit& visit);

  // What stands there, whose number of the file is one of `files`.
  Result<void> read_place(const Files& files, const analysis::SummaryPlace& place, analysis::SummaryKind kind,
                          std::string_view tag, const analysis::EventVisitor& visitor) const;

 private:
  static constexpr std::size_t k_most_cached = 128 << 20;  // bytes of points

  Result<void> read_version(const model::Version& version, const Visit& visit, Files& files);

  const Backend& backend_;
  ContentCache<analysis::EventFileContent> cache_{k_most_cached};
  LiveEvents live_;
};

}  // namespace studio::server
