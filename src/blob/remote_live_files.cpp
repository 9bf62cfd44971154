#include "blob/remote_live_files.hpp"

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "net/url.hpp"

namespace studio::blob {

namespace {

std::string target_of(const LiveFile& file) {
  return concat("/api/v1/records/", file.experiment, "/attempts/", file.attempt,
                "/live-files?path=", net::percent_encoded(file.file));
}

}  // namespace

Result<std::uint64_t> RemoteLiveFiles::append(const LiveFile& file, std::uint64_t offset, ByteView bytes) {
  TRY(check_live_file(file));
  TRY_ASSIGN(const Bytes body, api_->call({.method = "PUT",
                                           .target = concat(target_of(file), "&offset=", offset),
                                           .headers = {},
                                           .body = std::span(&bytes, 1)})
                                   .body);
  const auto answer = nlohmann::json::parse(as_text(body), nullptr, false);
  const auto size = answer.is_object() ? answer.find("size") : answer.end();
  if (size == answer.end() || !size->is_number_unsigned())
    return Error{Code::internal, "the server's answer about a live file cannot be understood",
                 "the server may be another version of Studio"};
  return size->get<std::uint64_t>();
}

Result<void> RemoteLiveFiles::replace(const LiveFile& file, ByteView bytes) {
  TRY(check_live_file(file));
  TRY(api_->call({.method = "PUT", .target = target_of(file), .headers = {}, .body = std::span(&bytes, 1)}).body);
  return {};
}

}  // namespace studio::blob
