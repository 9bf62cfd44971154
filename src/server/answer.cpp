#include "server/answer.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"
#include "server/guard.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

unsigned status_of(Code code) {
  switch (code) {
    case Code::not_found: return 404;
    case Code::already_exists:
    case Code::conflict: return 409;
    case Code::invalid: return 400;
    case Code::denied: return 403;
    case Code::unauthenticated: return 401;
    case Code::unavailable: return 503;
    case Code::exhausted: return 507;
    case Code::unsupported: return 501;
    case Code::corrupt:
    case Code::cancelled:
    case Code::internal: return 500;
  }
  return 500;
}

// Whether a list of entity tags, "*" among them, has this one. Weak ones are as good here.
bool names_tag(std::string_view list, std::string_view etag) {
  return !etag.empty() && (list == "*" || list.find(etag) != list.npos);
}

}  // namespace

net::HttpResponse json_response(const ordered_json& document, unsigned status, Access access) {
  net::HttpResponse response{.status = status, .headers = safe_headers(access), .body = document.dump() + "\n"};
  response.headers.emplace_back("Content-Type", "application/json");
  response.headers.emplace_back("Cache-Control", "no-store");
  return response;
}

void answer_json(Call& call, const ordered_json& document, unsigned status) {
  call.exchange.respond(json_response(document, status, Access::read));
}

net::HttpResponse error_response(const Error& error, Access access) {
  std::string code(name_of(error.code));
  std::replace(code.begin(), code.end(), ' ', '_');
  const ordered_json document{
      {"error", {{"code", code}, {"message", to_utf8(error.message)}, {"hint", view::text_or_null(error.hint)}}}};
  net::HttpResponse response = json_response(document, status_of(error.code), access);
  if (error.code == Code::unauthenticated) response.headers.emplace_back("WWW-Authenticate", "Bearer");
  return response;
}

Result<std::uint64_t> number_parameter(const Call& call, std::string_view name, std::uint64_t otherwise,
                                       std::uint64_t most) {
  const auto text = call.target.parameter(name);
  if (!text) return otherwise;
  const auto number = parse_number(*text);
  if (number && *number <= most) return *number;
  return Error{Code::invalid, concat("the parameter '", name, "' is not a number from 0 to ", most)};
}

Result<std::vector<model::State>> states_parameter(const Call& call) {
  std::vector<model::State> states;
  for (const auto& [name, value] : call.target.query) {
    if (name != "status") continue;
    const auto state = model::parse_state(value);
    if (!state) return Error{Code::invalid, concat("the parameter 'status' is no status: '", value, "'")};
    states.push_back(*state);
  }
  return states;
}

Result<std::optional<ByteRange>> parse_range(std::string_view header, std::uint64_t size) {
  constexpr std::string_view k_unit = "bytes=";
  const auto passed_over = std::optional<ByteRange>();
  if (!header.starts_with(k_unit)) return passed_over;
  header.remove_prefix(k_unit.size());
  const std::size_t dash = header.find('-');
  if (dash == header.npos) return passed_over;
  const std::string_view from = header.substr(0, dash);
  const std::string_view to = header.substr(dash + 1);
  const auto first = parse_number(from);
  const auto last = parse_number(to);
  if ((!from.empty() && !first) || (!to.empty() && !last) || (!first && !last)) return passed_over;
  const Error outside{Code::invalid, "no byte is in the range that the request asks for"};
  if (!first) {  // the last ones
    const std::uint64_t length = std::min(*last, size);
    if (length == 0) return outside;
    return std::optional(ByteRange{size - length, length});
  }
  if (last && *last < *first) return passed_over;
  if (*first >= size) return outside;
  const std::uint64_t end = last ? std::min(*last, size - 1) + 1 : size;
  return std::optional(ByteRange{*first, end - *first});
}

Result<void> answer_bytes(Call& call, const Bytestream& bytes) {
  net::HttpResponse head{.headers = safe_headers(Access::read)};
  head.headers.emplace_back("Accept-Ranges", "bytes");
  // What has a tag never changes; what comes with it is for the one who asked.
  head.headers.emplace_back("Cache-Control", bytes.etag.empty() ? "no-store" : "private, max-age=31536000, immutable");
  if (!bytes.etag.empty()) head.headers.emplace_back("ETag", bytes.etag);
  head.headers.insert(head.headers.end(), bytes.headers.begin(), bytes.headers.end());
  if (names_tag(call.request().header("If-None-Match"), bytes.etag)) {
    head.status = 304;
    call.exchange.respond(std::move(head));
    return {};
  }
  ByteRange part{0, bytes.size};
  const std::string_view if_range = call.request().header("If-Range");
  if (if_range.empty() || if_range == bytes.etag) {
    const auto range = parse_range(call.request().header("Range"), bytes.size);
    if (!range) {
      net::HttpResponse refusal = error_response(range.error(), Access::read);
      refusal.status = 416;
      refusal.headers.emplace_back("Content-Range", concat("bytes */", bytes.size));
      call.exchange.respond(std::move(refusal));
      return {};
    }
    if (*range) {
      part = **range;
      head.status = 206;
      head.headers.emplace_back("Content-Range",
                                concat("bytes ", part.first, "-", part.first + part.length - 1, "/", bytes.size));
    }
  }
  TRY(call.exchange.begin(std::move(head), part.length));
  if (call.request().method != "HEAD")
    TRY(bytes.write(part.first, part.length, [&](ByteView piece) { return call.exchange.write(piece); }));
  call.exchange.finish();
  return {};
}

std::shared_ptr<net::EventStream> begin_events(Call& call) {
  net::HttpResponse head{.headers = safe_headers(Access::read)};
  head.headers.emplace_back("Content-Type", "text/event-stream");
  head.headers.emplace_back("Cache-Control", "no-store");
  return call.exchange.stream(std::move(head));
}

std::string event_text(std::string_view name, std::uint64_t id, const ordered_json& data) {
  return concat("event: ", name, "\nid: ", id, "\ndata: ", data.dump(), "\n\n");
}

std::string attachment(std::string_view file_name) {
  std::string plain = to_utf8(file_name);
  for (char& c : plain) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x20 || byte >= 0x7f || c == '"' || c == '\\') c = '_';
  }
  return concat("attachment; filename=\"", plain, "\"; filename*=UTF-8''", net::percent_encoded(to_utf8(file_name)));
}

}  // namespace studio::server
