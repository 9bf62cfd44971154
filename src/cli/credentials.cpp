#include "cli/credentials.hpp"

#include "base/concat.hpp"
#include "base/display.hpp"
#include "model/json_fields.hpp"
#include "net/url.hpp"
#include "os/atomic_file.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr std::int64_t k_format = 1;

}  // namespace

Result<std::string> server_name(std::string_view url) {
  auto parsed = net::parse_url(url);
  if (!parsed) {
    parsed.error().hint = "https://studio.example.org, or http://127.0.0.1:5000";
    return parsed.error();
  }
  return concat(parsed->is_tls ? "https://" : "http://", parsed->authority(), parsed->path);
}

Result<Credentials> load_credentials(const std::string& path) {
  const auto text = os::read_file(path);
  if (!text && text.error().code == Code::not_found) return Credentials();
  if (!text) return text.error();
  Credentials credentials;
  const auto read = [&]() -> Result<void> {
    TRY_ASSIGN(const auto json, model::parse_json(as_text(*text)));
    model::FieldReader fields(json, "credentials");
    fields.format(k_format);
    fields.each("servers", [&](model::FieldReader& item) {
      credentials[item.bytes("url")] = {.user = item.bytes("user"), .token = item.bytes("token")};
    });
    return fields.result();
  }();
  if (read) return credentials;
  Error error = within(concat("'", printable(path), "'"), read.error());
  error.hint = "remove it, and sign in again with studio login";
  return error;
}

Result<void> save_credentials(const std::string& path, const Credentials& credentials) {
  nlohmann::ordered_json servers = nlohmann::ordered_json::array();
  for (const auto& [url, credential] : credentials)
    servers.push_back(
        {{"url", url}, {"user", model::byte_string(credential.user)}, {"token", model::byte_string(credential.token)}});
  const nlohmann::ordered_json document{{"format", k_format}, {"servers", std::move(servers)}};
  TRY(os::make_durable_directories(os::parent_of(path), 0700));
  return os::write_private_file(path, as_bytes(document.dump(2) + "\n"));
}

Result<std::string> user_of_server(net::ApiClient& server) {
  TRY_ASSIGN(const Bytes answer, server.call({.method = "GET", .target = "/api/v1/session"}).body);
  const auto session = nlohmann::json::parse(as_text(answer), nullptr, false);
  const auto user = session.is_object() ? session.find("user") : session.end();
  if (user == session.end()) return Error{Code::invalid, "this is no Studio server", "check its URL"};
  const auto name = user->is_object() ? user->find("name") : user->end();
  if (name == user->end() || !name->is_string())
    return Error{Code::invalid, "the server is for its own machine: it knows no users",
                 "start it with studio server in place of studio ui"};
  return name->get<std::string>();
}

}  // namespace studio::cli
