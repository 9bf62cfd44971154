// Who may do what on a server of a team: every route with everyone who may knock.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <map>
#include <set>

#include <nlohmann/json.hpp>

#include "catalog/record.hpp"
#include "net/peer_testing.hpp"
#include "server/team_testing.hpp"

namespace studio::server {
namespace {

using ::testing::AnyOf;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::TeamServer;

// Whoever may knock, and what of the experiment "exp" is theirs.
struct Visitor {
  std::string what;
  std::string headers;
  std::optional<Scope> scope;  // nothing: not known
  bool sees = false;
  bool works = false;
  bool changes = false;
};

class TeamTest : public ::testing::Test {
 protected:
  TeamTest() {
    for (const char* user : {"ada", "rita", "will", "pat", "sam"}) team_.add(user, Scope::read);
    team_.share("vision", "rita", Role::reader);
    team_.share("vision", "will", Role::writer);
    team_.share("vision", "pat", Role::admin);
    EXPECT_TRUE(
        team_.catalog.create({.key = "exp", .project = "vision", .owner = "ada", .created = team_.clock.now()}));
    EXPECT_TRUE(team_.catalog.create({.key = "own", .project = "solo", .owner = "ada", .created = team_.clock.now()}));
  }

  static std::string bearer(const std::string& token) { return concat("Authorization: Bearer ", token, "\r\n"); }
  std::string bearer(const std::string& user, Scope scope) { return bearer(team_.add(user, scope)); }

  std::vector<Visitor> visitors() {
    const std::string expired = team_.add("ada", Scope::write, false, team_.clock.now() - std::chrono::minutes(1));
    const std::string session = team_.add("ada", Scope::write);
    const std::string cookie = concat("Cookie: other=1; studio_session=", session, "\r\n");
    return {
        {"nobody", "", {}},
        {"a wrong token", bearer("studio_aaaaaaaaaa_" + std::string(64, '0')), {}},
        {"no token at all", "Authorization: Bearer \r\n", {}},
        {"a password", "Authorization: Basic cm9vdDpyb290\r\n", {}},
        {"a token whose time is over", bearer(expired), {}},
        {"a cookie whose time is over", concat("Cookie: studio_session=", expired, "\r\n"), {}},
        {"two tokens", bearer("ada", Scope::write) + bearer("ada", Scope::write), {}},
        {"a stranger", bearer("sam", Scope::write), Scope::write},
        {"a strange worker", bearer("sam", Scope::work), Scope::work},
        {"a reader of the project", bearer("rita", Scope::write), Scope::write, true},
        {"a writer of the project who looks", bearer("will", Scope::read), Scope::read, true},
        {"a writer of the project", bearer("will", Scope::write), Scope::write, true, true},
        {"a worker of the project", bearer("will", Scope::work), Scope::work, true, true},
        {"an admin of the project", bearer("pat", Scope::write), Scope::write, true, true, true},
        {"an admin of the project who works", bearer("pat", Scope::work), Scope::work, true, true},
        {"the owner who looks", bearer("ada", Scope::read), Scope::read, true},
        {"the owner's worker", bearer("ada", Scope::work), Scope::work, true, true},
        {"the owner", bearer("ada", Scope::write), Scope::write, true, true, true},
        {"the owner's page", concat(cookie, "X-Studio-Token: ", change_token_of(session), "\r\n"), Scope::write, true,
         true, true},
        {"the owner's page without the token of changes", cookie, Scope::read, true},
        {"an administrator", bearer("root", Scope::admin), Scope::admin, true, true, true},
        {"an administrator who looks", bearer("root", Scope::read), Scope::read},
    };
  }

  std::string ask(const std::string& method, const std::string& target, const std::string& headers,
                  const std::string& body = "") const {
    return ask(team_, method, target, headers, body);
  }
  static std::string ask(const TeamServer& team, const std::string& method, const std::string& target,
                         const std::string& headers, const std::string& body) {
    net::Peer peer(team.port());
    const std::string length = body.empty() ? "" : concat("Content-Length: ", body.size(), "\r\n");
    peer.say(concat(method, " ", target, " HTTP/1.1\r\nHost: 127.0.0.1:", team.port(), "\r\nConnection: close\r\n",
                    headers, length, "\r\n", body));
    return peer.hear_all();
  }
  static unsigned status_of(const std::string& answer) {
    return answer.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
  }
  static std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
  static nlohmann::json json_of(const std::string& answer) { return nlohmann::json::parse(body_of(answer)); }

  TeamServer team_;
};

std::string target_of(const Route& route, const std::string& key) {
  std::string target = route.pattern;
  const std::map<std::string, std::string> values{{"{key}", key},     {"{tag}", "data"}, {"{version}", "v0"},
                                                  {"{attempt}", "0"}, {"{token}", "x"},  {"{project}", "vision"},
                                                  {"{user}", "zoe"},  {"{id}", "x"},     {"{path...}", "index/aa"}};
  for (const auto& [name, value] : values)
    if (const std::size_t at = target.find(name); at != target.npos) target.replace(at, name.size(), value);
  return target;
}

// What the route says to the visitor: 401, 403, 404, or 0 for what is let in.
unsigned expected(const Route& route, const Visitor& visitor) {
  if (route.access == Access::page || route.access == Access::open) return 0;
  if (!visitor.scope) return 401;
  const bool is_change = changes(route.access) && route.method != "GET";
  if (route.access == Access::own && is_change && visitor.what == "the owner's page without the token of changes")
    return 403;
  const std::map<Access, Scope> needed{{Access::read, Scope::read},   {Access::own, Scope::read},
                                       {Access::board, Scope::read},  {Access::work, Scope::work},
                                       {Access::write, Scope::write}, {Access::admin, Scope::admin}};
  if (!includes(*visitor.scope, needed.at(route.access))) return 403;
  // Of the others that ask without a body, the answer says what is missing.
  if (route.pattern.find("/members/") != route.pattern.npos)
    return route.method == "PUT" || visitor.what.starts_with("an admin") ? 0 : 403;
  if (route.pattern.find("{key}") == route.pattern.npos) return 0;
  if (!visitor.sees) return 404;
  if (route.access == Access::work) return visitor.works ? 0 : 403;
  if (route.access == Access::write) return visitor.changes ? 0 : 403;
  return 0;
}

// A visitor whose token is good for looking only, whatever its scope says, is listed with the scope read: but a cookie
// may ask for what it may change, too.
bool is_cookie_without_token(const Visitor& visitor) {
  return visitor.what == "the owner's page without the token of changes";
}

TEST_F(TeamTest, EveryRouteKnowsWhoMayAsk) {
  std::size_t checked = 0;
  for (const Visitor& visitor : visitors()) {
    for (const Route& route : team_.router().routes()) {
      if (route.pattern.ends_with("events")) continue;  // endless: below
      // Its GET needs the scope and no token of changes.
      if (is_cookie_without_token(visitor) && route.method == "GET") continue;
      // What may be removed and added by who works.
      const std::string condition = route.method == "PUT" ? "If-None-Match: *\r\n" : "";
      const std::string answer = ask(route.method, target_of(route, "exp"), visitor.headers + condition);
      const unsigned status = status_of(answer);
      const std::string what = concat(visitor.what, ": ", route.method, " ", route.pattern, "\n", answer);
      const bool is_wrong_token = route.access == Access::page || route.access == Access::open;
      if (const unsigned wanted = expected(route, visitor); wanted != 0) {
        EXPECT_EQ(status, wanted) << what;
      } else if (!is_wrong_token) {
        EXPECT_THAT(status, Not(AnyOf(401u, 403u, 0u))) << what;
      }
      if (status == 401) {
        EXPECT_THAT(answer, HasSubstr("WWW-Authenticate: Bearer\r\n")) << what;
      }
      ++checked;
    }
  }
  EXPECT_GT(checked, 500u);
}

TEST_F(TeamTest, StreamsKnowWhoMayAskToo) {
  const std::string target = "/api/v1/experiments/exp/attempts/0/output/events";
  EXPECT_EQ(status_of(ask("GET", target, "")), 401u);
  EXPECT_EQ(status_of(ask("GET", target, bearer("sam", Scope::write))), 404u);
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiment-events", "")), 401u);
}

TEST_F(TeamTest, AServerIsReachedByAnyNameButNotFromOtherPages) {
  const std::string cookie = concat("Cookie: studio_session=", team_.add("ada", Scope::write), "\r\n");
  const auto ask_as = [&](const std::string& host, const std::string& headers) {
    net::Peer peer(team_.port());
    peer.say(concat("GET /api/v1/experiments HTTP/1.1\r\nHost: ", host, "\r\nConnection: close\r\n", cookie, headers,
                    "\r\n"));
    return status_of(peer.hear_all());
  };
  for (const char* origin : {"", "Origin: https://Studio.example.org\r\n", "Origin: http://studio.example.org\r\n"})
    EXPECT_EQ(ask_as("studio.example.org", origin), 200u) << origin;
  for (const char* origin : {"https://evil.example", "https://studio.example.org.evil.example", "null",
                             "https://studio.example.org:444", "studio.example.org", "ftp://studio.example.org"})
    EXPECT_EQ(ask_as("studio.example.org", concat("Origin: ", origin, "\r\n")), 403u) << origin;
  EXPECT_EQ(ask_as("studio.example.org", "Host: other\r\n"), 403u);
  EXPECT_EQ(ask_as("studio.example.org", "Sec-Fetch-Site: same-site\r\n"), 403u);
}

TEST_F(TeamTest, AStreamEndsWithTheToken) {
  const std::string token = team_.add("ada", Scope::read);
  net::Peer viewer(team_.port());
  viewer.say(concat("GET /api/v1/experiment-events HTTP/1.1\r\nHost: 127.0.0.1:", team_.port(), "\r\n", bearer(token),
                    "\r\n"));
  viewer.hear("\r\n\r\n");
  const std::string id = token.substr(7, token.rfind('_') - 7);
  ASSERT_TRUE(team_.accounts().change([&](Accounts& accounts) { return revoke_token(accounts, id); }));
  EXPECT_THAT(viewer.hear_all(), Not(HasSubstr("event: change")));
}

TEST_F(TeamTest, ListsShowWhatOneMaySee) {
  const auto keys = [&](const std::string& headers) {
    std::set<std::string> found;
    const auto page = json_of(ask("GET", "/api/v1/experiments", headers));
    for (const auto& run : page["runs"]) found.insert(run["key"]);
    return found;
  };
  using Keys = std::set<std::string>;
  EXPECT_EQ(keys(bearer("ada", Scope::read)), (Keys{"exp", "own"}));
  EXPECT_EQ(keys(bearer("rita", Scope::read)), Keys{"exp"});
  EXPECT_EQ(keys(bearer("sam", Scope::write)), Keys{});
  EXPECT_EQ(keys(bearer("root", Scope::admin)), (Keys{"exp", "own"}));
  EXPECT_EQ(json_of(ask("GET", "/api/v1/experiments", bearer("rita", Scope::read)))["total"], 1);
  EXPECT_EQ(body_of(ask("GET", "/api/v1/records?limit=5", bearer("sam", Scope::read) + "Connection: close\r\n")),
            "0\r\n\r\n");
  const auto projects = json_of(ask("GET", "/api/v1/projects", bearer("rita", Scope::read)))["projects"];
  ASSERT_EQ(projects.size(), 1u);
  EXPECT_EQ(projects[0]["name"], "vision");
}

TEST_F(TeamTest, SigningInGivesACookieOfItsOwn) {
  const std::string token = team_.add("ada", Scope::write);
  EXPECT_EQ(json_of(ask("GET", "/api/v1/session", ""))["signed_in"], false);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/session", "", R"({"token": "studio_x_y"})")), 401u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/session", "", "[]")), 400u);
  const std::string answer = ask("POST", "/api/v1/session", "", concat(R"({"token": ")", token, "\"}"));
  ASSERT_EQ(status_of(answer), 201u) << answer;
  EXPECT_THAT(answer, HasSubstr("; HttpOnly; SameSite=Strict; "));
  EXPECT_THAT(answer, Not(HasSubstr(token)));
  const std::size_t at = answer.find("studio_session=");
  const std::string cookie = concat("Cookie: ", answer.substr(at, answer.find(';', at) - at), "\r\n");
  const auto session = json_of(ask("GET", "/api/v1/session", cookie));
  EXPECT_EQ(session["user"]["name"], "ada");
  EXPECT_EQ(session["token"], json_of(answer)["token"]);
  EXPECT_EQ(status_of(ask("DELETE", "/api/v1/session", cookie)), 403u) << "any page could have it sent";
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", cookie)), 200u);
  const std::string change = concat("X-Studio-Token: ", session["token"].get<std::string>(), "\r\n");
  const std::string out = ask("DELETE", "/api/v1/session", cookie + change);
  EXPECT_EQ(status_of(out), 200u);
  EXPECT_THAT(out, HasSubstr("Max-Age=0"));
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", cookie)), 401u);
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", bearer(token))), 200u) << "the token itself goes on";
  for (const char* foreign : {"Origin: http://evil.example\r\n", "Sec-Fetch-Site: cross-site\r\n"})
    EXPECT_EQ(status_of(ask("POST", "/api/v1/session", foreign, concat(R"({"token": ")", token, "\"}"))), 403u);
}

TEST_F(TeamTest, TheCookieOfAnEncryptedPageIsForEncryptedConnections) {
  const auto is_secure = [](TeamServer& team, const std::string& origin) {
    const std::string token = concat(R"({"token": ")", team.root_token, "\"}");
    const std::string header = origin.empty() ? "" : concat("Origin: ", origin, "\r\n");
    const std::string answer = ask(team, "POST", "/api/v1/session", header, token);
    EXPECT_EQ(status_of(answer), 201u) << answer;
    return answer.find("; Secure\r\n") != answer.npos;
  };
  const std::string host = concat("127.0.0.1:", team_.port());
  EXPECT_FALSE(is_secure(team_, ""));
  EXPECT_FALSE(is_secure(team_, concat("http://", host)));
  EXPECT_TRUE(is_secure(team_, concat("HTTPS://", host))) << "a proxy in front encrypts";
  TeamServer behind({"http://studio.example.org", "https://studio.example.org"});
  EXPECT_TRUE(is_secure(behind, ""));
  EXPECT_TRUE(is_secure(behind, "https://studio.example.org"));
  EXPECT_FALSE(is_secure(behind, "http://studio.example.org")) << "which could not keep it";
  TeamServer plain({"http://studio.example.org"});
  EXPECT_FALSE(is_secure(plain, ""));
}

TEST_F(TeamTest, ATokenMakesNoStrongerOne) {
  const std::string reader = bearer("ada", Scope::read);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/tokens", reader, R"({"scope": "write"})")), 403u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/tokens", reader, R"({"scope": "everything"})")), 400u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/tokens", bearer("root", Scope::write), R"({"scope": "admin"})")), 403u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/tokens", bearer("ada", Scope::write), R"({"scope": "admin"})")), 403u);
  const std::string made = ask("POST", "/api/v1/tokens", reader, R"({"scope": "read", "note": "mine"})");
  ASSERT_EQ(status_of(made), 201u) << made;
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", bearer(json_of(made)["token"].get<std::string>()))), 200u);
  const std::string id = json_of(made)["id"];
  EXPECT_EQ(status_of(ask("DELETE", "/api/v1/tokens/" + id, bearer("sam", Scope::write))), 404u);
  EXPECT_EQ(status_of(ask("DELETE", "/api/v1/tokens/" + id, reader)), 200u);
  EXPECT_THAT(ask("GET", "/api/v1/tokens", reader), Not(HasSubstr(id)));
}

// What the page does is for people; this is what a client that wants to do harm sends.
TEST_F(TeamTest, NobodyAltersWhatIsAnothers) {
  const auto record = [&](auto change) {
    model::Experiment experiment = team_.catalog.load("exp").value();
    change(experiment);
    return catalog::to_record(experiment).value();
  };
  const auto put = [&](const std::string& headers, const std::string& body) {
    return status_of(ask("PUT", "/api/v1/records/exp", headers, body));
  };
  const std::string worker = bearer("will", Scope::work);
  EXPECT_EQ(put(worker, record([](auto& it) { it.owner = "will"; })), 403u);
  EXPECT_EQ(put(worker, record([](auto& it) { it.project = "solo"; })), 403u);
  EXPECT_EQ(put(worker, record([](auto& it) { it.stop_request = model::StopRequest::kill; })), 403u);
  EXPECT_EQ(put(bearer("ada", Scope::write), record([](auto& it) { it.owner = "sam"; })), 403u);
  EXPECT_EQ(put(bearer("ada", Scope::write), record([](auto& it) { it.created += std::chrono::hours(1); })), 403u);
  EXPECT_EQ(put(worker, record([](auto& it) { it.key = "own"; })), 400u);
  EXPECT_EQ(put(worker, "{}"), 400u);
  EXPECT_EQ(put(worker, record([](auto& it) { it.last().state = model::State::running; })), 200u);
  EXPECT_EQ(team_.catalog.load("exp")->owner, "ada");

  const std::string foreign =
      catalog::to_record(model::Experiment{.key = "new", .project = "solo", .owner = "ada", .revision = 1}).value();
  EXPECT_EQ(status_of(ask("POST", "/api/v1/records", bearer("sam", Scope::write), foreign)), 403u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/records", bearer("ada", Scope::work), foreign)), 403u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/records", bearer("ada", Scope::write), foreign)), 201u);
  const std::string closed =
      catalog::to_record(model::Experiment{.key = "in", .project = "vision", .owner = "rita", .revision = 1}).value();
  EXPECT_EQ(status_of(ask("POST", "/api/v1/records", bearer("rita", Scope::write), closed)), 403u);
}

TEST_F(TeamTest, NobodyAltersWhatTheStoreHolds) {
  const auto blob = [&](const std::string& method, const std::string& key, const std::string& headers,
                        const std::string& body = "x") {
    return status_of(ask(method, "/api/v1/blobs/" + key, headers, body));
  };
  const std::string is_new = "If-None-Match: *\r\n";
  const std::string owner = bearer("ada", Scope::write);
  EXPECT_EQ(blob("PUT", "studio.json", owner), 403u);
  EXPECT_EQ(blob("PUT", "packs/aa/b", owner), 403u) << "it might replace one";
  EXPECT_EQ(blob("PUT", "odd/key", owner + is_new), 403u);
  EXPECT_EQ(blob("PUT", "../x", owner + is_new), 400u);
  EXPECT_EQ(blob("DELETE", "packs/aa/b", owner, ""), 403u);
  EXPECT_EQ(blob("DELETE", "studio.json", owner, ""), 403u);
  EXPECT_EQ(blob("PUT", "packs/aa/" + std::string(64, 'a'), owner + is_new), 400u) << "it is no pack";
  EXPECT_EQ(blob("PUT", "index/" + std::string(64, 'a'), owner + is_new), 400u) << "it is no table";
  const std::string record = "experiments/exp/experiment.json";
  EXPECT_EQ(blob("PUT", record, owner), 201u);
  EXPECT_EQ(blob("PUT", record, bearer("will", Scope::work)), 201u);
  EXPECT_EQ(blob("PUT", record, bearer("rita", Scope::write)), 403u);
  EXPECT_EQ(blob("PUT", record, bearer("sam", Scope::write)), 404u);
  EXPECT_EQ(blob("GET", record, bearer("sam", Scope::write), ""), 404u);
  EXPECT_EQ(blob("DELETE", record, owner, ""), 403u);
  EXPECT_EQ(blob("PUT", "experiments/none/experiment.json", owner), 404u);

  // A version stays as it is, unless the catalog refused it.
  const std::string manifest = content::manifest_key("exp", "w", 0);
  EXPECT_EQ(blob("PUT", manifest, owner), 403u) << "it might replace one";
  EXPECT_EQ(blob("PUT", manifest, owner + is_new), 201u);
  EXPECT_EQ(blob("PUT", manifest, owner + is_new), 409u);
  EXPECT_EQ(blob("DELETE", manifest, owner, ""), 200u);
  EXPECT_EQ(blob("PUT", manifest, owner + is_new), 201u);
  model::Version version{.experiment = "exp", .tag = "w", .created = team_.clock.now()};
  ASSERT_TRUE(team_.catalog.commit(version, 0));
  EXPECT_EQ(blob("DELETE", manifest, owner, ""), 403u);
  const std::string listed = body_of(ask("GET", "/api/v1/blobs?prefix=experiments/", bearer("sam", Scope::write)));
  EXPECT_THAT(listed, Not(HasSubstr("experiments/exp")));
}

TEST_F(TeamTest, AccountsAreForAdministrators) {
  const std::string root = bearer("root", Scope::admin);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/users", root, R"({"name": "eve"})")), 201u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/users", root, R"({"name": "eve"})")), 409u);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/users", root, R"({"name": "../e"})")), 400u);
  const std::string made = ask("POST", "/api/v1/users/eve/tokens", root, R"({"scope": "read"})");
  ASSERT_EQ(status_of(made), 201u);
  const std::string eve = bearer(json_of(made)["token"].get<std::string>());
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", eve)), 200u);
  EXPECT_EQ(status_of(ask("DELETE", "/api/v1/users/root", root)), 400u) << "would lock the server";
  EXPECT_EQ(status_of(ask("DELETE", "/api/v1/users/eve", root)), 200u);
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments", eve)), 401u) << "at once";

  const std::string members = "/api/v1/projects/vision/members/sam";
  EXPECT_EQ(status_of(ask("PUT", members, bearer("will", Scope::write), R"({"role": "reader"})")), 403u);
  EXPECT_EQ(status_of(ask("PUT", members, bearer("pat", Scope::write), R"({"role": "owner"})")), 400u);
  EXPECT_EQ(status_of(ask("PUT", members, bearer("pat", Scope::write), R"({"role": "reader"})")), 200u);
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments/exp", bearer("sam", Scope::read))), 200u);
  EXPECT_EQ(status_of(ask("DELETE", members, bearer("pat", Scope::write))), 200u);
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments/exp", bearer("sam", Scope::read))), 404u);
}

}  // namespace
}  // namespace studio::server
