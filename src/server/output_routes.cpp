#include "server/output_routes.hpp"

#include <fcntl.h>

#include "base/concat.hpp"
#include "base/number.hpp"
#include "content/file_content.hpp"
#include "content/tree_walk.hpp"
#include "os/fd.hpp"
#include "server/answer.hpp"
#include "server/find.hpp"

namespace studio::server {

namespace {

Error no_output(const std::string& experiment, std::uint64_t attempt) {
  return {Code::not_found, concat("there is no output of attempt ", attempt, " of experiment '", experiment, "' here")};
}

const net::Headers k_headers{{"Content-Type", "text/plain; charset=utf-8"}};

Result<void> answer_stored(const Backend& backend, Call& call, const content::TreeEntry& file) {
  content::ChunkSource& chunks = backend.repository.chunks();
  return answer_bytes(call, {.size = file.size,
                             .etag = {},
                             .headers = k_headers,
                             .write = [&](std::uint64_t offset, std::uint64_t length, const content::Sink& sink) {
                               return content::write_file_range(chunks, file, offset, length, sink);
                             }});
}

Result<void> write_part(const os::Fd& file, std::uint64_t offset, std::uint64_t length, const content::Sink& sink) {
  Bytes buffer(std::min<std::uint64_t>(length, 256 << 10));
  while (length > 0) {
    const auto piece = std::span(buffer).first(std::min<std::uint64_t>(length, buffer.size()));
    TRY_ASSIGN(const std::size_t got, os::read_at(file, offset, piece, k_output));
    if (got == 0) return Error{Code::unavailable, "the output became shorter while it was read"};
    TRY(sink(piece.first(got)));
    offset += got;
    length -= got;
  }
  return {};
}

// As it is written on this machine or arrives here; its last version if it is not here, or not all of it came.
Result<void> get_output(const Backend& backend, Call& call) {
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, call));
  const std::string& key = call.name("key");
  const auto file = os::open(local_output(backend, key, attempt.number), O_RDONLY | O_NONBLOCK);
  std::uint64_t size = 0;
  if (file) {
    TRY_ASSIGN(const struct stat info, os::status(*file, k_output));
    size = static_cast<std::uint64_t>(info.st_size);
  }
  if (size == 0 || !model::is_live(attempt.state)) {
    const auto stored = find_stored_output(backend, key, attempt);
    if (stored && *stored && (!file || (*stored)->size > size)) return answer_stored(backend, call, **stored);
    if (!file) return stored ? no_output(key, attempt.number) : stored.error();
  }
  return answer_bytes(call, {.size = size,
                             .etag = {},
                             .headers = k_headers,
                             .write = [&](std::uint64_t offset, std::uint64_t length, const content::Sink& sink) {
                               return write_part(*file, offset, length, sink);
                             }});
}

// And whether the one who listens still may.
bool is_live(const Backend& backend, Identity& identity, const std::string& key, std::uint64_t attempt) {
  if (!renew(identity, backend.clock.now())) return false;
  const auto experiment = backend.catalog.load(key);
  // A catalog that cannot be asked now can be asked again.
  if (!experiment) return experiment.error().code != Code::not_found;
  return experiment->last().number == attempt && model::is_live(experiment->state()) &&
         may(identity, Right::see, *experiment);
}

Result<void> follow_output(const Backend& backend, LiveOutput& live, Call& call) {
  TRY_ASSIGN(const model::Attempt attempt, find_attempt(backend, call));
  const std::string& key = call.name("key");
  TRY_ASSIGN(std::uint64_t from, number_parameter(call, "from", 0, INT64_MAX));
  // A browser that connects again says what it has seen.
  if (const auto seen = parse_number(call.request().header("Last-Event-ID"))) from = *seen;
  std::string path = local_output(backend, key, attempt.number);
  if (!os::open(path, O_RDONLY | O_NONBLOCK)) {
    if (backend.live_files == nullptr || !model::is_live(attempt.state)) return no_output(key, attempt.number);
    // The machine that it runs on has sent nothing yet.
    const blob::LiveFile copy{key, attempt.number, blob::k_live_output};
    TRY(backend.live_files->append(copy, 0, {}));
    path = backend.live_files->path(copy);
  }
  return live.add(path, from, begin_events(call),
                  [&backend, key, attempt = attempt.number, identity = call.identity]() mutable {
                    return is_live(backend, identity, key, attempt);
                  });
}

}  // namespace

void add_output_routes(Router& router, const Backend& backend, LiveOutput& live) {
  const std::string output = "/api/v1/experiments/{key}/attempts/{attempt}/output";
  router.add({"GET", output, Access::read, [&](Call& call) { return get_output(backend, call); }});
  router.add({"GET", output + "/events", Access::read, [&](Call& call) { return follow_output(backend, live, call); }});
}

}  // namespace studio::server
