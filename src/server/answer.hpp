// Answers of the API: documents, errors, and runs of bytes.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "model/experiment.hpp"
#include "server/router.hpp"

namespace studio::server {

net::HttpResponse json_response(const nlohmann::ordered_json& document, unsigned status, Access access = Access::read);
void answer_json(Call& call, const nlohmann::ordered_json& document, unsigned status = 200);

// {"error": {"code": "not_found", "message": "…", "hint": "…" or null}}, with the status that fits the code.
net::HttpResponse error_response(const Error& error, Access access);

// A run of bytes of which a part may be asked for (RFC 9110, 14).
struct Bytestream {
  std::uint64_t size = 0;
  std::string etag;  // quoted; empty: it may change
  net::Headers headers;
  // Writes `length` bytes from `offset` on.
  std::function<Result<void>(std::uint64_t offset, std::uint64_t length,
                             const std::function<Result<void>(ByteView)>& sink)>
      write;
};
// With Range, If-Range and If-None-Match of the request. An error after the first byte ends the connection.
Result<void> answer_bytes(Call& call, const Bytestream& bytes);

// Sends the head of a stream of events, and hands on the connection.
std::shared_ptr<net::EventStream> begin_events(Call& call);
// One event (html.spec.whatwg.org, "Server-sent events"), ready to be sent.
std::string event_text(std::string_view name, std::uint64_t id, const nlohmann::ordered_json& data);

struct ByteRange {
  std::uint64_t first = 0;
  std::uint64_t length = 0;
};
// Of "bytes=10-20", "bytes=10-" or "bytes=-10" the part of `size` bytes. Nothing if it is another kind of range, or
// several: such a header is passed over. `invalid` if no byte is in it.
Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size);

// "attachment", with the name in both forms that browsers understand (RFC 6266).
std::string attachment(std::string_view file_name);

// Of a parameter of the query. `invalid` if it is no number or more than `most`.
Result<std::uint64_t> number_parameter(const Call& call, std::string_view name, std::uint64_t otherwise,
                                       std::uint64_t most);

// Of the parameter "status", which may be there several times. `invalid` if one is none.
Result<std::vector<model::State>> states_parameter(const Call& call);

}  // namespace studio::server
