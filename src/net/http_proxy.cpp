#include "net/http_proxy.hpp"

#include <algorithm>
#include <cstdlib>
#include <string>
#include <string_view>

#include "base/concat.hpp"
#include "base/letters.hpp"

namespace studio::net {

namespace {

std::string_view variable(const char* name) {
  const char* const value = std::getenv(name);
  return value == nullptr ? std::string_view() : value;
}

bool is_this_machine(std::string_view host) {
  return host == "localhost" || host.ends_with(".localhost") || host.starts_with("127.") || host == "::1";
}

bool is_listed(std::string_view host, std::string_view list) {
  while (!list.empty()) {
    const std::size_t end = std::min(list.find_first_of(", "), list.size());
    std::string entry = lower(list.substr(0, end));
    list.remove_prefix(std::min(end + 1, list.size()));
    if (entry.starts_with('.')) entry.erase(0, 1);
    if (entry.empty()) continue;
    if (entry == "*" || host == entry || host.ends_with("." + entry)) return true;
  }
  return false;
}

}  // namespace

Result<std::optional<Url>> proxy_for(const Url& server) {
  // Not HTTP_PROXY: under CGI a request's header "Proxy" becomes that.
  std::string name = server.is_tls ? "https_proxy" : "http_proxy";
  if (server.is_tls && variable(name.c_str()).empty()) name = "HTTPS_PROXY";
  const std::string_view value = variable(name.c_str());
  const std::string_view exceptions = variable("no_proxy").empty() ? variable("NO_PROXY") : variable("no_proxy");
  if (value.empty() || is_this_machine(server.host) || is_listed(server.host, exceptions)) return std::optional<Url>();
  auto proxy = parse_url(value.find("://") == value.npos ? concat("http://", value) : std::string(value));
  if (!proxy) return within(concat("the variable ", name), proxy.error());
  if (proxy->is_tls) return Error{Code::invalid, concat("the variable ", name, ": a proxy must be of http://")};
  return std::optional(*std::move(proxy));
}

}  // namespace studio::net
