#include "server/guard.hpp"

#include <sys/random.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/letters.hpp"

namespace studio::server {

namespace {

bool is_one_of(const std::string& text, const std::vector<std::string>& texts) {
  return std::find(texts.begin(), texts.end(), text) != texts.end();
}

// Takes the same time wherever they differ.
bool same_secret(std::string_view a, std::string_view b) {
  if (a.size() != b.size()) return false;
  unsigned difference = 0;
  for (std::size_t i = 0; i < a.size(); ++i)
    difference |= static_cast<unsigned>(static_cast<unsigned char>(a[i]) ^ static_cast<unsigned char>(b[i]));
  return difference == 0;
}

std::size_t count_of(const net::HttpRequest& request, std::string_view name) {
  return static_cast<std::size_t>(
      std::count_if(request.headers.begin(), request.headers.end(),
                    [&](const auto& header) { return equal_but_for_case(header.first, name); }));
}

bool is_own_origin(std::string_view origin, const std::vector<std::string>& hosts) {
  constexpr std::string_view k_scheme = "http://";
  return origin.starts_with(k_scheme) && is_one_of(lower(origin.substr(k_scheme.size())), hosts);
}

const char* policy_for(Access access) {
  switch (access) {
    case Access::page:
      return "default-src 'self'; img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; object-src 'none'; "
             "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
    // Beside its own, which is stricter for some of it: nothing comes from elsewhere, nothing goes there.
    case Access::board:
      return "default-src 'self' data: blob: 'unsafe-inline' 'unsafe-eval'; object-src 'none'; base-uri 'self'; "
             "form-action 'self'; frame-ancestors 'self'";
    // What experiments left behind may be a page: it must not run, nor reach this server if it is opened.
    case Access::read:
    case Access::write: break;
  }
  return "default-src 'none'; frame-ancestors 'none'; sandbox";
}

}  // namespace

Result<void> check_request(const net::HttpRequest& request, Access access, const GuardOptions& options) {
  if (count_of(request, "host") != 1 || !is_one_of(lower(request.header("Host")), options.hosts))
    return Error{Code::denied, "the request's Host is not a name of this server"};
  const std::string_view origin = request.header("Origin");
  if (count_of(request, "origin") > 1 || (!origin.empty() && !is_own_origin(origin, options.hosts)))
    return Error{Code::denied, "the request comes from the page of another site"};
  // "none": the user typed the address or chose a bookmark. To follow a link of another site to the page is fine.
  const std::string_view site = request.header("Sec-Fetch-Site");
  const bool is_visit = access == Access::page && request.header("Sec-Fetch-Mode") == "navigate" &&
                        request.header("Sec-Fetch-Dest") == "document";
  if (!site.empty() && site != "same-origin" && site != "none" && !is_visit)
    return Error{Code::denied, "the request comes from the page of another site"};
  if (access != Access::write) return {};
  if (count_of(request, "x-studio-token") != 1 || !same_secret(request.header("X-Studio-Token"), options.token))
    return Error{Code::denied, "a change must bring the server's token in the header X-Studio-Token",
                 "GET /api/v1/session tells it"};
  return {};
}

net::Headers safe_headers(Access access) {
  return {{"Content-Security-Policy", policy_for(access)},
          {"X-Content-Type-Options", "nosniff"},
          {"Referrer-Policy", "no-referrer"},
          {"Cross-Origin-Resource-Policy", "same-origin"},
          {"Cross-Origin-Opener-Policy", "same-origin"},
          {"X-Frame-Options", access == Access::board ? "SAMEORIGIN" : "DENY"}};
}

std::vector<std::string> loopback_hosts(std::uint16_t port) {
  std::vector<std::string> hosts;
  for (const char* name : {"127.0.0.1", "localhost", "[::1]"}) {
    hosts.push_back(concat(name, ":", port));
    if (port == 80) hosts.emplace_back(name);
  }
  return hosts;
}

Result<std::string> make_token() {
  std::array<std::byte, 32> bytes{};
  if (::getrandom(bytes.data(), bytes.size(), 0) != static_cast<ssize_t>(bytes.size()))
    return Error{Code::internal, concat("the system gives no random bytes: error ", errno)};
  return hex(bytes);
}

}  // namespace studio::server
