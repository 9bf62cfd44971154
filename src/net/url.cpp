#include "net/url.hpp"

#include <algorithm>

#include "base/concat.hpp"
#include "base/digest.hpp"
#include "base/display.hpp"
#include "base/letters.hpp"
#include "base/number.hpp"

namespace studio::net {

namespace {

bool is_unreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' ||
         c == '_' || c == '~';
}

int digit_value(char c) { return hex_value(lower(c)); }

// Calls `visit` with each part of the text between the separators.
template <class Visit>
Result<void> split(std::string_view text, char separator, const Visit& visit) {
  while (true) {
    const std::size_t end = text.find(separator);
    TRY(visit(text.substr(0, end)));
    if (end == text.npos) return {};
    text.remove_prefix(end + 1);
  }
}

Error bad_encoding() { return {Code::invalid, "the request's target is not well encoded"}; }

Result<std::string> component(std::string_view part) {
  auto decoded = percent_decoded(part);
  if (!decoded) return bad_encoding();
  const bool leaves = *decoded == "." || *decoded == ".." || decoded->find('/') != decoded->npos ||
                      decoded->find('\0') != decoded->npos;
  if (leaves) return Error{Code::invalid, "a component of the request's path is no name"};
  return *std::move(decoded);
}

// application/x-www-form-urlencoded, where '+' is a space.
Result<std::string> form_value(std::string_view part) {
  std::string text(part);
  std::replace(text.begin(), text.end(), '+', ' ');
  auto decoded = percent_decoded(text);
  if (!decoded) return bad_encoding();
  return *std::move(decoded);
}

constexpr std::uint16_t default_port(bool is_tls) { return is_tls ? 443 : 80; }

// What is wrong with a URL, or nothing; fills in `url`.
std::optional<std::string> read_url(std::string_view text, Url& url) {
  const std::size_t scheme = text.find("://");
  if (scheme == text.npos) return "it must begin with http:// or https://";
  const std::string name = lower(text.substr(0, scheme));
  url.is_tls = name == "https";
  if (!url.is_tls && name != "http") return "it must begin with http:// or https://";
  text.remove_prefix(scheme + 3);
  const bool is_clean = std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < '\x7f'; });
  if (!is_clean || text.find_first_of("\"<>\\^`{|}") != text.npos) return "a character must be encoded (%XX)";
  if (text.find_first_of("?#") != text.npos) return "it must have no query and no fragment";
  const std::size_t slash = std::min(text.find('/'), text.size());
  std::string_view place = text.substr(0, slash);
  url.path = std::string(text.substr(slash));
  while (url.path.ends_with('/')) url.path.pop_back();
  if (!percent_decoded(url.path)) return "its path is not well encoded";
  if (place.find('@') != place.npos) return "it must have no user and no password";

  const bool is_v6 = place.starts_with('[');
  const std::size_t end = is_v6 ? place.find(']') : std::min(place.find(':'), place.size());
  if (end == place.npos) return "a ']' is missing";
  url.host = lower(place.substr(is_v6 ? 1 : 0, is_v6 ? end - 1 : end));
  place.remove_prefix(is_v6 ? end + 1 : end);
  const char* const letters = is_v6 ? "0123456789abcdef:." : "abcdefghijklmnopqrstuvwxyz0123456789-._";
  if (url.host.empty() || url.host.find_first_not_of(letters) != url.host.npos) return "its host is no name or address";
  url.port = default_port(url.is_tls);
  if (place.empty() || place == ":") return std::nullopt;
  const auto port = place.starts_with(':') ? parse_number(place.substr(1)) : std::nullopt;
  if (!port || *port == 0 || *port > 65535) return "its port is no number from 1 to 65535";
  url.port = static_cast<std::uint16_t>(*port);
  return std::nullopt;
}

}  // namespace

std::string Url::authority() const {
  const std::string name = host.find(':') == host.npos ? host : concat("[", host, "]");
  return port == default_port(is_tls) ? name : concat(name, ":", port);
}

Result<Url> parse_url(std::string_view text) {
  Url url;
  const auto problem = read_url(text, url);
  // A password stays out of messages, which end up in logs.
  const std::size_t at = std::min(text.find('@'), text.size());
  if (problem)
    return Error{Code::invalid, concat("'", at == text.size() ? printable(text) : "…" + printable(text.substr(at)),
                                       "' is no URL of a server: ", *problem)};
  return url;
}

std::optional<std::string> Target::parameter(std::string_view name) const {
  for (const auto& [key, value] : query)
    if (key == name) return value;
  return std::nullopt;
}

std::optional<std::string> percent_decoded(std::string_view text) {
  std::string decoded;
  decoded.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      decoded += text[i];
      continue;
    }
    if (text.size() - i < 3) return std::nullopt;
    const int high = digit_value(text[i + 1]);
    const int low = digit_value(text[i + 2]);
    if (high < 0 || low < 0) return std::nullopt;
    decoded += static_cast<char>(high * 16 + low);
    i += 2;
  }
  return decoded;
}

std::string percent_encoded(std::string_view text) {
  constexpr std::string_view k_digits = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    if (is_unreserved(c)) {
      encoded += c;
      continue;
    }
    const auto byte = static_cast<unsigned char>(c);
    encoded += '%';
    encoded += k_digits[byte >> 4];
    encoded += k_digits[byte & 15];
  }
  return encoded;
}

Result<Target> parse_target(std::string_view text) {
  if (!text.starts_with('/')) return Error{Code::invalid, "the request's target is no path"};
  Target target;
  const std::size_t mark = text.find('?');
  TRY(split(text.substr(1, mark == text.npos ? mark : mark - 1), '/', [&](std::string_view part) -> Result<void> {
    TRY_ASSIGN(target.path.emplace_back(), component(part));
    return {};
  }));
  if (mark == text.npos || mark + 1 == text.size()) return target;
  TRY(split(text.substr(mark + 1), '&', [&](std::string_view part) -> Result<void> {
    const std::size_t equals = std::min(part.find('='), part.size());
    TRY_ASSIGN(std::string name, form_value(part.substr(0, equals)));
    TRY_ASSIGN(std::string value, form_value(part.substr(std::min(equals + 1, part.size()))));
    target.query.emplace_back(std::move(name), std::move(value));
    return {};
  }));
  return target;
}

}  // namespace studio::net
