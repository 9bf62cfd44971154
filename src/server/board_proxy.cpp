#include "server/board_proxy.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <string_view>

#include "base/concat.hpp"
#include "base/letters.hpp"
#include "net/http_client.hpp"
#include "server/guard.hpp"

namespace studio::server {

namespace {

constexpr std::array<std::string_view, 10> k_asked{
    "Accept", "Accept-Encoding", "Accept-Language",   "Cache-Control", "Content-Type",
    "Range",  "If-None-Match",   "If-Modified-Since", "User-Agent",    "X-TensorBoard-Feature-Flags"};
constexpr std::array<std::string_view, 11> k_told{"Content-Type",
                                                  "Content-Encoding",
                                                  "Content-Disposition",
                                                  "Content-Range",
                                                  "Content-Security-Policy",
                                                  "Accept-Ranges",
                                                  "ETag",
                                                  "Last-Modified",
                                                  "Cache-Control",
                                                  "Expires",
                                                  "Vary"};

// It may read many files before it says anything.
constexpr std::chrono::seconds k_patience{60};
// What its page asks in a body are lists of runs and tags.
constexpr std::uint64_t k_most_question = 1 << 20;

template <std::size_t size>
bool is_one_of(std::string_view name, const std::array<std::string_view, size>& names) {
  return std::ranges::any_of(names, [&](std::string_view each) { return equal_but_for_case(each, name); });
}

net::HttpCall call_for(const net::HttpRequest& request) {
  net::HttpCall result{.method = request.method, .target = request.target};
  for (const auto& header : request.headers)
    if (is_one_of(header.first, k_asked)) result.headers.push_back(header);
  return result;
}

bool has_no_body(unsigned status) { return status == 204 || status == 304; }

Result<net::HttpResponse> head_of(const net::HttpAnswer& answer, const std::string& origin, const std::string& prefix) {
  net::HttpResponse head{.status = answer.status, .headers = safe_headers(Access::board)};
  for (const auto& [name, value] : answer.headers) {
    if (is_one_of(name, k_told)) head.headers.emplace_back(name, value);
    if (!equal_but_for_case(name, "Location")) continue;
    // It knows itself by another address than the browser does.
    const std::string_view target = std::string_view(value).substr(value.starts_with(origin) ? origin.size() : 0);
    if (!target.starts_with(prefix)) return Error{Code::internal, "TensorBoard redirects to another place"};
    head.headers.emplace_back("Location", target);
  }
  return head;
}

}  // namespace

Result<void> forward_to_board(Call& call, std::uint16_t port, const std::string& prefix) {
  const std::string origin = concat("http://127.0.0.1:", port);
  const auto begin = [&](const net::HttpAnswer& answer, std::optional<std::uint64_t> length) -> Result<void> {
    TRY_ASSIGN(net::HttpResponse head, head_of(answer, origin, prefix));
    if (!has_no_body(head.status)) return call.exchange.begin(std::move(head), length);
    call.exchange.respond(std::move(head));
    return {};
  };
  TRY_ASSIGN(const std::string body, call.exchange.body(k_most_question));
  const std::array parts{as_bytes(body)};
  net::HttpCall question = call_for(call.request());
  question.body = parts;
  // For this one request: another TensorBoard may have the port next time.
  TRY_ASSIGN(const auto client, net::HttpClient::open({.base_url = origin, .patience = k_patience, .most_idle = 0}));
  TRY(client->stream(question, {.head = begin, .body = [&](ByteView piece) { return call.exchange.write(piece); }}));
  call.exchange.finish();
  return {};
}

}  // namespace studio::server
