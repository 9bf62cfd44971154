#include "net/api_client.hpp"

#include <random>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/number.hpp"

namespace studio::net {

namespace {

constexpr std::uint64_t k_most_answer = std::uint64_t{1} << 30;
constexpr std::chrono::milliseconds k_first_pause{100};

std::string text_of(const nlohmann::json& object, const char* field) {
  const auto found = object.find(field);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// What the server says is wrong; what something between us and it says, where it is not the server that answers.
Error error_of(const HttpAnswer& answer, const std::string& url) {
  const auto document = nlohmann::json::parse(as_text(answer.body), nullptr, false);
  const auto error = document.is_object() ? document.find("error") : document.end();
  if (error != document.end() && error->is_object()) {
    std::string code = text_of(*error, "code");
    for (char& c : code)
      if (c == '_') c = ' ';
    return {parse_code(code), text_of(*error, "message"), text_of(*error, "hint")};
  }
  // 408, 429 and what gateways say of servers that they cannot reach.
  const bool may_pass = answer.status == 408 || answer.status == 429 || answer.status >= 500;
  return {may_pass ? Code::unavailable : Code::invalid,
          concat("'", printable(url), "' answered with status ", answer.status, ": it is no Studio server"),
          "check the server's URL"};
}

// Twice as long each time, and not the same for all who were cut off at once.
std::chrono::milliseconds pause_before(int attempt) {
  thread_local std::minstd_rand random{std::random_device()()};
  const auto most = k_first_pause * (1 << attempt);
  return most / 2 + std::chrono::milliseconds(random() % static_cast<unsigned>(most.count() / 2 + 1));
}

}  // namespace

Result<std::unique_ptr<ApiClient>> ApiClient::open(const ApiOptions& options, const Clock& clock) {
  TRY_ASSIGN(auto http,
             HttpClient::open({.base_url = options.url, .certificate_authorities = options.certificate_authorities}));
  return std::unique_ptr<ApiClient>(new ApiClient(options, clock, std::move(http)));
}

Result<Bytes> ApiClient::try_once(const ApiCall& call) {
  HttpCall request{.method = call.method,
                   .target = call.target,
                   .headers = call.headers,
                   .body = call.body,
                   .most_answer = k_most_answer};
  if (!options_.token.empty()) request.headers.emplace_back("Authorization", concat("Bearer ", options_.token));
  TRY_ASSIGN(HttpAnswer answer, http_->request(request));
  if (answer.status < 300) return std::move(answer.body);
  return error_of(answer, options_.url);
}

ApiAnswer ApiClient::call(const ApiCall& call) {
  for (int attempt = 0;; ++attempt) {
    auto body = try_once(call);
    const bool may_pass = !body && body.error().code == Code::unavailable;
    if (!may_pass || attempt + 1 >= options_.tries) return {std::move(body), attempt > 0};
    clock_.sleep_until(clock_.now() + pause_before(attempt));
  }
}

}  // namespace studio::net
