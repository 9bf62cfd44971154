#include "server/router.hpp"

#include <algorithm>

#include "base/concat.hpp"

namespace studio::server {

namespace {

using Names = std::map<std::string, std::string, std::less<>>;

// The text between the braces; empty if it is a literal.
std::string_view name_in(std::string_view component) {
  if (component.size() < 3 || component.front() != '{' || component.back() != '}') return {};
  return component.substr(1, component.size() - 2);
}

// What the names of the pattern stand for in the path; nothing if the path is not of that pattern.
std::optional<Names> names_of(std::string_view pattern, const std::vector<std::string>& path) {
  Names names;
  pattern.remove_prefix(1);
  for (std::size_t i = 0; i < path.size(); ++i) {
    const std::size_t end = pattern.find('/');
    const std::string_view component = pattern.substr(0, end);
    std::string_view name = name_in(component);
    if (name.ends_with("...")) {
      name.remove_suffix(3);
      std::string& rest = names[std::string(name)];
      for (std::size_t j = i; j < path.size(); ++j) {
        if (path[j].empty()) return std::nullopt;
        rest += concat(j > i ? "/" : "", path[j]);
      }
      return names;
    }
    if (name.empty() ? component != path[i] : path[i].empty()) return std::nullopt;
    if (!name.empty()) names[std::string(name)] = path[i];
    if (end == pattern.npos) return i + 1 == path.size() ? std::optional(std::move(names)) : std::nullopt;
    pattern.remove_prefix(end + 1);
  }
  return std::nullopt;
}

}  // namespace

Result<Router::Match> Router::match(std::string_view method, const std::vector<std::string>& path) const {
  std::optional<Match> best;
  std::vector<std::string> methods;
  for (const Route& route : routes_) {
    auto names = names_of(route.pattern, path);
    if (!names) continue;
    methods.push_back(route.method);
    if (route.method == "GET") methods.emplace_back("HEAD");
    if (route.method != method && !(route.method == "GET" && method == "HEAD")) continue;
    if (!best || names->size() < best->names.size()) best = Match{&route, *std::move(names)};
  }
  if (best) return *std::move(best);
  if (methods.empty()) return Error{Code::not_found, "there is nothing at this address"};
  std::sort(methods.begin(), methods.end());
  methods.erase(std::unique(methods.begin(), methods.end()), methods.end());
  std::string taken;
  for (const std::string& each : methods) taken += concat(taken.empty() ? "" : ", ", each);
  return Error{Code::unsupported, "this address does not take the method of the request", taken};
}

}  // namespace studio::server
