#include "server/content_routes.hpp"

#include <atomic>
#include <memory>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "content/archive.hpp"
#include "content/file_content.hpp"
#include "content/tree_walk.hpp"
#include "server/answer.hpp"
#include "server/find.hpp"
#include "server/guard.hpp"
#include "server/storage_meter.hpp"
#include "view/file_list.hpp"
#include "view/store.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using content::EntryType;
using content::TreeEntry;
using nlohmann::ordered_json;

constexpr std::uint64_t k_usual_page = 1000;
constexpr std::uint64_t k_most_on_page = 10'000;
// Each compresses on all cores and holds its client's pace.
constexpr int k_most_archives = 8;

// One page of a directory: what comes after the name `after`.
Result<void> list_directory(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Version version, find_version(backend, call));
  const std::string path = call.target.parameter("path").value_or("");
  const std::string after = call.target.parameter("after").value_or("");
  TRY_ASSIGN(const std::uint64_t limit, number_parameter(call, "limit", k_usual_page, k_most_on_page));
  TRY_ASSIGN(const TreeEntry found, find_entry(backend, version, path));
  ordered_json entries = ordered_json::array();
  std::string last;
  bool is_cut = false;
  content::ChunkSource& chunks = backend.repository.chunks();
  const auto add = [&](TreeEntry entry, std::string at) -> Result<void> {
    last = entry.name;
    TRY_ASSIGN(entry, content::resolve_hard_link(chunks, version.root, std::move(entry)));
    ordered_json json = view::file_json({std::move(at), entry});
    if (entry.type == EntryType::directory) {
      json["files"] = entry.totals.files;
      json["bytes"] = entry.totals.bytes;
    }
    json["problem"] = view::text_or_null(entry.problem);
    entries.push_back(std::move(json));
    return {};
  };
  if (found.type == EntryType::directory) {
    content::TreeReader reader(chunks, found.content);
    while (true) {
      TRY_ASSIGN(auto entry, reader.next());
      if (!entry) break;
      if (!after.empty() && entry->name <= after) continue;
      is_cut = entries.size() == limit;
      if (is_cut) break;
      std::string at = path.empty() ? entry->name : concat(path, "/", entry->name);
      TRY(add(std::move(*entry), std::move(at)));
    }
  } else {
    TRY(add(found, path));
  }
  answer_json(call, {{"experiment", version.experiment},
                     {"tag", version.tag},
                     {"version", model::version_name(version.number)},
                     {"path", to_utf8(path)},
                     {"entries", std::move(entries)},
                     {"next", is_cut ? ordered_json(net::percent_encoded(last)) : ordered_json()}});
  return {};
}

Result<void> get_file(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Version version, find_version(backend, call));
  const std::string& path = call.name("path");
  content::ChunkSource& chunks = backend.repository.chunks();
  TRY_ASSIGN(const TreeEntry file, find_file(backend, version, path));
  // "latest" may be another one next time.
  const bool is_pinned = call.name("version") != "latest";
  return answer_bytes(
      call, {.size = file.size,
             .etag = is_pinned ? concat("\"", file.content.digest.hex(), "-", file.size, "\"") : std::string(),
             .headers = {{"Content-Type", "application/octet-stream"}, {"Content-Disposition", attachment(file.name)}},
             .write = [&](std::uint64_t offset, std::uint64_t length, const content::Sink& sink) {
               return content::write_file_range(chunks, file, offset, length, sink);
             }});
}

// How many archives are under way.
class ArchivePlace {
 public:
  explicit ArchivePlace(std::atomic<int>& taken) : taken_(taken), is_free_(taken.fetch_add(1) < k_most_archives) {}
  ~ArchivePlace() { --taken_; }
  ArchivePlace(const ArchivePlace&) = delete;
  ArchivePlace& operator=(const ArchivePlace&) = delete;
  bool is_free() const { return is_free_; }

 private:
  std::atomic<int>& taken_;
  const bool is_free_;
};

Result<void> show_storage(StorageMeter& meter, Call& call) {
  TRY_ASSIGN(const StorageMeter::Stats stats, meter.measure());
  answer_json(call, view::stats_json(*stats));
  return {};
}

Result<void> get_archive(const Backend& backend, Call& call, std::atomic<int>& taken) {
  const ArchivePlace place(taken);
  if (!place.is_free())
    return Error{Code::unavailable, concat(k_most_archives, " archives are being made already; try again")};
  TRY_ASSIGN(const model::Version version, find_version(backend, call));
  const std::string name =
      concat(version.experiment, "-", version.tag, "-", model::version_name(version.number), ".tar.gz");
  net::HttpResponse head{.headers = safe_headers(Access::read)};
  head.headers.emplace_back("Content-Type", "application/gzip");
  head.headers.emplace_back("Content-Disposition", attachment(name));
  head.headers.emplace_back("Cache-Control", "no-store");
  TRY(call.exchange.begin(std::move(head), std::nullopt));
  if (call.request().method != "HEAD")
    TRY(content::export_archive(backend.repository.chunks(), version, content::ArchiveFormat::tar_gz,
                                [&](ByteView bytes) { return call.exchange.write(bytes); }));
  call.exchange.finish();
  return {};
}

}  // namespace

void add_content_routes(Router& router, const Backend& backend, ExperimentIndex& index) {
  router.add({"GET", "/api/v1/storage", Access::admin,
              [meter = std::make_shared<StorageMeter>(backend.repository, index)](Call& call) {
                return show_storage(*meter, call);
              }});
  const std::string version = "/api/v1/experiments/{key}/artifacts/{tag}/versions/{version}";
  router.add({"GET", version + "/tree", Access::read, [&](Call& call) { return list_directory(backend, call); }});
  router.add({"GET", version + "/files/{path...}", Access::read, [&](Call& call) { return get_file(backend, call); }});
  router.add({"GET", version + "/archive.tar.gz", Access::read,
              [&backend, taken = std::make_shared<std::atomic<int>>(0)](Call& call) {
                return get_archive(backend, call, *taken);
              }});
}

}  // namespace studio::server
