#include "blob/remote.hpp"

#include <algorithm>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/lines.hpp"
#include "blob/parts.hpp"
#include "net/url.hpp"

namespace studio::blob {

namespace {

constexpr std::string_view k_objects = "/api/v1/blobs";

// A key needs no encoding.
std::string target_of(std::string_view key) { return concat(k_objects, "/", key); }

Error not_understood(std::string_view what) {
  return {Code::internal, concat("the server's answer about ", what, " cannot be understood"),
          "the server may be another version of Studio"};
}

Result<nlohmann::json> parse(std::string_view text, std::string_view what) {
  auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object()) return json;
  return not_understood(what);
}

Result<ObjectInfo> info_of(std::string_view text) {
  TRY_ASSIGN(const auto json, parse(text, "an object"));
  const auto key = json.find("key");
  const auto size = json.find("size");
  const auto modified = json.find("modified");
  const auto etag = json.find("etag");
  const bool is_whole = key != json.end() && key->is_string() && size != json.end() && size->is_number_unsigned() &&
                        modified != json.end() && modified->is_string() && etag != json.end() && etag->is_string();
  if (!is_whole) return not_understood("an object");
  TRY_ASSIGN(const WallTime time, parse_time(modified->get_ref<const std::string&>()));
  return ObjectInfo{key->get<std::string>(), size->get<std::uint64_t>(), time, etag->get<std::string>()};
}

}  // namespace

Result<ObjectInfo> RemoteStore::stat(std::string_view key) {
  TRY(check_key(key));
  TRY_ASSIGN(const Bytes body, api_->call({.method = "GET", .target = concat(target_of(key), "?stat=1")}).body);
  return info_of(as_text(body));
}

Result<Bytes> RemoteStore::read(std::string_view key, std::uint64_t offset, std::uint64_t length, ReadFrom from) {
  TRY(check_key(key));
  std::string target = concat(target_of(key), "?offset=", offset);
  if (length != Range().length) target += concat("&length=", length);
  if (from == ReadFrom::medium) target += "&medium=1";
  return api_->call({.method = "GET", .target = std::move(target)}).body;
}

Result<Bytes> RemoteStore::get(std::string_view key, Range range) {
  return read(key, range.offset, range.length, ReadFrom::anywhere);
}

Result<std::size_t> RemoteStore::get_into(std::string_view key, std::uint64_t offset, std::span<std::byte> buffer,
                                          ReadFrom from) {
  TRY_ASSIGN(const Bytes body, read(key, offset, buffer.size(), from));
  if (body.size() > buffer.size()) return not_understood(key);
  std::ranges::copy(body, buffer.begin());
  return body.size();
}

// After a call whose answer was lost.
bool RemoteStore::is_stored(std::string_view key, std::span<const ByteView> parts) {
  const auto present = get(key, {});
  return present && is_concatenation(*present, parts);
}

Result<std::string> RemoteStore::put(std::string_view key, std::span<const ByteView> parts, Condition condition) {
  TRY(check_key(key));
  net::ApiCall call{.method = "PUT", .target = target_of(key), .headers = {}, .body = parts};
  if (condition.kind == Condition::Kind::if_absent) call.headers.emplace_back("If-None-Match", "*");
  if (condition.kind == Condition::Kind::if_match)
    call.headers.emplace_back("If-Match", concat("\"", condition.etag, "\""));
  const net::ApiAnswer answer = api_->call(call);
  if (!answer.body) {
    // An earlier try may have put it there.
    const Code code = answer.body.error().code;
    const bool is_condition = code == Code::already_exists || code == Code::conflict;
    if (!is_condition || !answer.was_repeated || !is_stored(key, parts)) return answer.body.error();
    TRY_ASSIGN(const ObjectInfo info, stat(key));
    return info.etag;
  }
  TRY_ASSIGN(const auto json, parse(as_text(*answer.body), key));
  const auto etag = json.find("etag");
  if (etag == json.end() || !etag->is_string()) return not_understood(key);
  return etag->get<std::string>();
}

Result<void> RemoteStore::remove(std::string_view key) {
  TRY(check_key(key));
  TRY(api_->call({.method = "DELETE", .target = target_of(key)}).body);
  return {};
}

Result<void> RemoteStore::list(std::string_view prefix, const Visitor& visit) {
  TRY_ASSIGN(const Bytes body,
             api_->call({.method = "GET", .target = concat(k_objects, "?prefix=", net::percent_encoded(prefix))}).body);
  std::string_view lines = as_text(body);
  while (!lines.empty()) {
    TRY_ASSIGN(const ObjectInfo info, info_of(next_line(lines)));
    TRY(visit(info));
  }
  return {};
}

}  // namespace studio::blob
