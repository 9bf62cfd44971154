#include "server/server.hpp"

#include <gtest/gtest.h>
#include <yaml-cpp/yaml.h>

#include <fstream>
#include <set>
#include <thread>

#include <nlohmann/json.hpp>

#include "analysis/event_testing.hpp"
#include "base/concat.hpp"
#include "blob/memory.hpp"
#include "catalog/memory.hpp"
#include "contract/scratch_directory.hpp"
#include "model/resources.hpp"
#include "net/peer_testing.hpp"

namespace studio::server {
namespace {

class ServerTest : public ::testing::Test {
 protected:
  ServerTest() {
    auto repository = content::Repository::open(store_, clock_, {});
    EXPECT_TRUE(repository);
    repository_ = *std::move(repository);
    model::Attempt attempt{.state = model::State::running, .started = clock_.now()};
    for (const char* tag : {"data", "tb"}) attempt.artifacts.push_back({.tag = tag, .path = concat("/", tag)});
    EXPECT_TRUE(
        catalog_.create({.key = "exp", .project = "p", .owner = "o", .created = clock_.now(), .attempt = attempt}));
    EXPECT_TRUE(catalog_.create({.key = "ended",
                                 .project = "p",
                                 .owner = "o",
                                 .created = clock_.now(),
                                 .attempt = {.state = model::State::finished, .started = clock_.now()}}));
    capture();
    auto server = Server::listen(
        {.port = 0},
        {.catalog = catalog_,
         .repository = *repository_,
         .clock = clock_,
         .output_path = [this](const std::string&, std::uint64_t) { return directory_ / "output"; },
         .resources_path = [this](const std::string&, std::uint64_t) { return directory_ / "resources.json"; },
         .delete_experiment = [this](const std::string& key) { return mark_deleted(key, clock_.now()); },
         .restore_experiment = [this](const std::string& key) { return mark_deleted(key, std::nullopt); },
         .board_directory = directory_ / "boards",
         .program_search = directory_ / "bin"});
    EXPECT_TRUE(server);
    server_ = *std::move(server);
    const std::string url = server_->url();
    port_ = static_cast<std::uint16_t>(std::stoul(url.substr(url.rfind(':') + 1)));
    thread_ = std::jthread([this](std::stop_token stop) { server_->run(std::move(stop)); });
  }

  void write(const std::string& name, std::string_view text) const {
    std::ofstream(concat(directory_.path(), "/", name), std::ios::binary) << text;
  }

  void capture() {
    const std::string data = concat(directory_.path(), "/data");
    const std::string board = concat(directory_.path(), "/tb");
    ASSERT_TRUE(os::make_directories(data + "/sub"));
    ASSERT_TRUE(os::make_directories(board));
    write("output", "line\n");
    write("data/file", "0123456789");
    write("data/sub/page.html", "<script>alert(1)</script>");
    // Two numbers of 4 bytes, as NumPy saves them.
    std::string head = "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), }";
    head.resize(117, ' ');
    write("data/step-7.npy", concat(std::string_view("\x93NUMPY\x01\x00\x76\x00", 10), head, "\n01234567"));
    using namespace analysis::testing;
    const std::string pixel("\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\1\0\0\0\1\x8\0\0\0\0", 29);
    const std::string huge("GIF89a\xff\xff\xff\xff\0\0\0", 13);
    const auto image = [](std::string_view tag, std::string_view bytes) {
      return Message().bytes(1, tag).message(4, Message().varint(1, 1).varint(2, 1).bytes(4, bytes));
    };
    const Message texts = Message().varint(1, 7).bytes(8, "<script>alert(1)</script>");
    const Message text =
        Message().bytes(1, "note").message(9, Message().message(1, Message().bytes(1, "text"))).message(8, texts);
    const Message weights = Message().bytes(1, "weights").message(5, Message().real(2, 1).real(6, 1).real(7, 3));
    write("tb/events.out.tfevents.1", record(event(3, scalar("loss", 0.5f)).text()) +
                                          record(event(3, image("picture", pixel)).text()) +
                                          record(event(3, image("drawing", "<svg onload='alert(1)'/>")).text()) +
                                          record(event(3, image("huge", huge)).text()) + record(event(3, text).text()) +
                                          record(event(3, weights).text()));
    capture("data", data);
    capture("tb", board);
  }

  void capture(const std::string& tag, const std::string& path) {
    auto saved = repository_->save({.path = path});
    ASSERT_TRUE(saved) << saved.error().message;
    model::Version version{.experiment = "exp", .tag = tag, .created = clock_.now()};
    version.root = saved->tree.root;
    version.totals = saved->tree.totals;
    ASSERT_TRUE(repository_->publish(version));
    ASSERT_TRUE(catalog_.commit(version, 0));
  }

  // As the engine does it.
  Result<model::Experiment> mark_deleted(const std::string& key, std::optional<WallTime> deleted) {
    return catalog::redo_update(catalog_, key, [&](model::Experiment& experiment) -> Result<void> {
      if (deleted && model::is_live(experiment.state())) return Error{Code::conflict, "it runs", "stop it"};
      experiment.deleted = deleted;
      return {};
    });
  }

  // The answer to one request; `headers` end with "\r\n" each, and Host is added.
  std::string ask(const std::string& method, const std::string& target, const std::string& headers = "") {
    return ask_as(concat("127.0.0.1:", port_), method, target, headers);
  }
  std::string ask_as(const std::string& host, const std::string& method, const std::string& target,
                     const std::string& headers = "") {
    net::Peer peer(port_);
    peer.say(concat(method, " ", target, " HTTP/1.1\r\nHost: ", host, "\r\nConnection: close\r\n", headers, "\r\n"));
    return peer.hear_all();
  }

  static unsigned status_of(const std::string& answer) {
    return answer.size() < 12 ? 0 : static_cast<unsigned>(std::stoul(answer.substr(9, 3)));
  }
  static std::string body_of(const std::string& answer) { return answer.substr(answer.find("\r\n\r\n") + 4); }
  // The id of a TensorBoard that runs: of a program that says what it says, and a server in its place.
  std::string board() {
    if (!board_.empty()) return board_;
    const auto answered = [this](net::HttpExchange& exchange) {
      asked_of_board_ = exchange.request();
      net::HttpResponse answer = board_answer_;
      answer.body =
          concat(exchange.request().method, " ", exchange.request().target, " ", exchange.body(100).value_or("none"));
      exchange.respond(std::move(answer));
    };
    board_server_ = net::HttpServer::listen({.threads = 1}, answered).value();
    board_thread_ = std::jthread([this](std::stop_token stop) { board_server_->run(std::move(stop)); });
    EXPECT_TRUE(os::make_directories(directory_ / "bin"));
    directory_.write("bin/tensorboard",
                     concat("#!/bin/sh\necho \"TensorBoard 2 at http://127.0.0.1:", board_server_->port(),
                            "$8/ (Press CTRL+C to quit)\"\nexec sleep 1000\n"),
                     0700);
    const auto started = nlohmann::json::parse(body_of(ask("POST", "/api/v1/tensorboards?experiment=exp", token())));
    board_ = started["id"];
    EXPECT_EQ(started["url"], concat("/tb/", board_, "/"));
    const auto running = nlohmann::json::parse(body_of(ask("GET", concat("/api/v1/tensorboards/", board_))));
    EXPECT_EQ(running["state"], "running") << running;
    return board_;
  }

  // A request that the route answers.
  std::string target_of(const Route& route) {
    std::string target = route.pattern;
    if (target.ends_with("/checkpoint/{path...}")) target.replace(target.rfind('{'), target.npos, "step-7.npy");
    if (target.ends_with("/series")) target += "?tag=loss";
    if (target.ends_with("/tensorboards")) target += "?experiment=exp";
    if (target.ends_with("/summaries/points")) target += "?kind=image&tag=picture";
    if (target.ends_with("/summaries/histograms")) target += "?tag=weights";
    if (target.ends_with("/summaries/text")) target += "?tag=note&step=3";
    if (target.ends_with("/summaries/image")) target += "?tag=picture&step=3";
    if (target.ends_with("/latest-version")) target += "?tag=data";
    if (target.ends_with("/blobs/{path...}")) target.replace(target.rfind('{'), target.npos, "studio.json");
    // Only what has ended can be deleted, only what runs can be stopped.
    const bool is_of_ended = target.ends_with("/experiments/{key}") || target.ends_with("/restore");
    const std::map<std::string, std::string> values{{"{key}", is_of_ended ? "ended" : "exp"},
                                                    {"{tag}", "data"},
                                                    {"{version}", "v0"},
                                                    {"{attempt}", "0"},
                                                    {"{id}", board()},
                                                    {"{path...}", "sub/page.html"},
                                                    {"{token}", "x"},
                                                    {"{project}", "p"},
                                                    {"{user}", "o"}};
    for (const auto& [name, value] : values)
      if (const std::size_t at = target.find(name); at != target.npos) target.replace(at, name.size(), value);
    return target;
  }

  std::string token() const { return concat("X-Studio-Token: ", server_->token(), "\r\n"); }
  std::string own_origin() const { return concat("Origin: http://localhost:", port_, "\r\n"); }

  test::ScratchDirectory directory_;
  SystemClock clock_;
  blob::MemoryStore store_;
  catalog::MemoryCatalog catalog_;
  std::unique_ptr<content::Repository> repository_;
  std::unique_ptr<Server> server_;
  std::uint16_t port_ = 0;
  std::jthread thread_;

  net::HttpResponse board_answer_;
  net::HttpRequest asked_of_board_;
  std::string board_;
  std::unique_ptr<net::HttpServer> board_server_;
  std::jthread board_thread_;
};

// Those that a server for its own machine has no answer to.
bool is_of_accounts(const Route& route) {
  return route.pattern.find("/tokens") != route.pattern.npos || route.pattern.find("/users") != route.pattern.npos;
}

// Those that go on for as long as the script runs.
bool is_endless(const Route& route) { return route.pattern.ends_with("events"); }

// What a request may bring, and whether it is let in by it.
struct Visitor {
  std::string what;
  std::string headers;
  bool may_read;
  bool may_write;
  bool may_visit = false;  // the page, and nothing else

  bool may(const Route& route) const {
    if (route.access == Access::page) return may_visit || may_read;
    return changes(route.access) && route.method != "GET" ? may_write : may_read;
  }
};

TEST_F(ServerTest, EveryRouteKeepsOthersOut) {
  const std::string other_token = "X-Studio-Token: " + std::string(64, '0') + "\r\n";
  const std::vector<Visitor> visitors{
      {"a program", "", true, false},
      {"a program with the token", token(), true, true},
      {"a program with another token", other_token, true, false},
      {"a program with two tokens", token() + token(), true, false},
      {"a program with an empty token", "X-Studio-Token: \r\n", true, false},
      {"the page", own_origin() + "Sec-Fetch-Site: same-origin\r\n" + token(), true, true},
      {"the page without the token", own_origin() + "Sec-Fetch-Site: same-origin\r\n", true, false},
      {"an address that was typed", "Sec-Fetch-Site: none\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n",
       true, false},
      {"another site's page", "Origin: http://evil.example\r\n", false, false},
      {"another site's page with the token", "Origin: http://evil.example\r\n" + token(), false, false},
      {"another scheme", concat("Origin: https://127.0.0.1:", port_, "\r\n", token()), false, false},
      {"another port", concat("Origin: http://127.0.0.1:", port_ + 1, "\r\n", token()), false, false},
      {"a page without an origin", "Origin: null\r\n" + token(), false, false},
      {"two origins", own_origin() + own_origin() + token(), false, false},
      {"an image on another site", "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: no-cors\r\nSec-Fetch-Dest: image\r\n",
       false, false},
      {"a frame on another site",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: iframe\r\n", false, false},
      {"a link on another site",
       "Sec-Fetch-Site: cross-site\r\nSec-Fetch-Mode: navigate\r\nSec-Fetch-Dest: document\r\n", false, false, true},
      {"a neighbour", "Sec-Fetch-Site: same-site\r\n" + token(), false, false},
      {"two hosts", concat("Host: 127.0.0.1:", port_, "\r\n", token()), false, false},
  };
  for (const Route& route : server_->router().routes()) {
    if (is_endless(route)) continue;  // below
    for (const Visitor& visitor : visitors) {
      const std::string answer = ask(route.method, target_of(route), visitor.headers);
      const std::string what = concat(visitor.what, ": ", route.method, " ", route.pattern, "\n", answer);
      if (visitor.may(route)) {
        EXPECT_NE(status_of(answer), 403u) << what;
        if (route.method == "GET" && !is_of_accounts(route)) {
          EXPECT_LT(status_of(answer), 300u) << what;
        }
      } else {
        EXPECT_EQ(status_of(answer), 403u) << what;
      }
      EXPECT_NE(answer.find("X-Content-Type-Options: nosniff\r\n"), answer.npos);
      const char* const policy = route.access == Access::page ? "default-src 'self'; img-src 'self' data: blob:; style"
                                 : route.access == Access::board
                                     ? "default-src 'self' data: blob: 'unsafe-inline' "
                                     : "default-src 'none'; frame-ancestors 'none'; sandbox\r\n";
      EXPECT_NE(answer.find(concat("Content-Security-Policy: ", policy)), answer.npos) << answer;
      EXPECT_EQ(answer.find("Access-Control-"), answer.npos);
    }
  }
}

TEST_F(ServerTest, EveryRouteWantsTheServersName) {
  const std::string port = concat(":", port_);
  for (const Route& route : server_->router().routes()) {
    const std::string target = target_of(route);
    for (const std::string& host : {std::string("evil.example"), "evil.example" + port, std::string("127.0.0.1"),
                                    std::string("localhost:1"), std::string(), "127.0.0.1.evil.example" + port,
                                    "localhost" + port + ".evil.example", "user@localhost" + port})
      EXPECT_EQ(status_of(ask_as(host, route.method, target, token())), 403u) << host << " " << target;
    if (is_endless(route)) continue;
    for (const std::string& host : {"localhost" + port, "LOCALHOST" + port, "[::1]" + port})
      EXPECT_NE(status_of(ask_as(host, route.method, target, token())), 403u) << host << " " << target;
  }
}

TEST_F(ServerTest, OnlyTheMethodsOfARouteAreTaken) {
  std::map<std::string, std::set<std::string>> taken;
  for (const Route& route : server_->router().routes()) {
    taken[target_of(route)].insert(route.method);
    if (route.method == "GET") taken[target_of(route)].insert("HEAD");
  }
  for (const auto& [target, methods] : taken) {
    for (const char* method : {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"}) {
      if (methods.contains(method)) continue;
      EXPECT_EQ(status_of(ask(method, target, token())), 405u) << method << " " << target;
    }
  }
}

TEST_F(ServerTest, NoWayLeadsOutOfAPath) {
  const std::string version = "/api/v1/experiments/exp/artifacts/data/versions/v0";
  for (const std::string& target : {std::string("/etc/passwd"),
                                    std::string("/assets/"),
                                    std::string("/assets/../index.html"),
                                    std::string("/assets/%2e%2e/index.html"),
                                    std::string("/api"),
                                    std::string("/api/v1/"),
                                    std::string("/api/v2/experiments"),
                                    std::string("//api/v1/experiments"),
                                    std::string("/api/v1/experiments/"),
                                    std::string("/api/v1/experiments/nobody"),
                                    std::string("/api/v1/experiments/exp%00"),
                                    std::string("/api/v1/experiments/..%2fexp"),
                                    std::string("/api/v1/experiments/%2e%2e/session"),
                                    version + "/files/",
                                    version + "/files/../file",
                                    version + "/files/%2e%2e/file",
                                    version + "/files/sub%2fpage.html",
                                    version + "/files/%252e%252e/file",
                                    version + "/files//file",
                                    version + "/files/file/",
                                    version + "/files/file%00",
                                    version + "/files/file;x",
                                    version + "/files/none",
                                    version + "/tree?path=..",
                                    version + "/tree?path=%2Fetc",
                                    version + "/tree?path=sub/../..",
                                    std::string("/api/v1/experiments/exp/artifacts/data/versions/v00"),
                                    std::string("/api/v1/experiments/exp/artifacts/data/versions/v1"),
                                    std::string("/api/v1/experiments/exp/artifacts/data/versions/0/tree"),
                                    std::string("/api/v1/experiments/exp/artifacts/..%2f..%2fx/versions/v0/tree"),
                                    std::string("/api/v1/experiments/exp/attempts/1/output"),
                                    std::string("/api/v1/experiments/exp/attempts/-1/output"),
                                    std::string("/api/v1/experiments/exp/attempts/0x0/output")}) {
    const unsigned status = status_of(ask("GET", target));
    EXPECT_TRUE(status == 404 || status == 400) << target << ": " << status;
  }
  for (const std::string& target :
       {concat("/tb/", board(), "/../index.html"), concat("/tb/", board(), "/%2e%2e/index.html"),
        concat("/tb/", board(), "/a%2fb"), concat("/tb/", board()), concat("/%74b/", board(), "/data"),
        concat("/tb/", std::string(64, '0'), "/"), std::string("/tb//"), std::string("/tb/")}) {
    const unsigned status = status_of(ask("GET", target));
    EXPECT_TRUE(status == 404 || status == 400) << target << ": " << status;
  }
  for (const std::string& target :
       {std::string("/api/v1/experiments?limit=x"), std::string("/api/v1/experiments?limit=-1"),
        std::string("/api/v1/experiments?limit=1001"), std::string("/api/v1/experiments?status=odd"),
        version + "/tree?limit=99999"})
    EXPECT_EQ(status_of(ask("GET", target)), 400u) << target;
}

TEST_F(ServerTest, GivesTheBytesOfAFileAndPartsOfIt) {
  const std::string file = "/api/v1/experiments/exp/artifacts/data/versions/v0/files/file";
  const std::string whole = ask("GET", file);
  EXPECT_EQ(body_of(whole), "0123456789");
  EXPECT_NE(whole.find("Content-Disposition: attachment; filename=\"file\""), whole.npos);
  EXPECT_NE(whole.find("Content-Type: application/octet-stream\r\n"), whole.npos);
  const std::size_t at = whole.find("ETag: ") + 6;
  const std::string etag = whole.substr(at, whole.find("\r\n", at) - at);
  const std::string part = ask("GET", file, "Range: bytes=2-4\r\n");
  EXPECT_EQ(status_of(part), 206u);
  EXPECT_EQ(body_of(part), "234");
  EXPECT_NE(part.find("Content-Range: bytes 2-4/10\r\n"), part.npos);
  EXPECT_EQ(body_of(ask("GET", file, "Range: bytes=-2\r\nIf-Range: " + etag + "\r\n")), "89");
  EXPECT_EQ(body_of(ask("GET", file, "Range: bytes=-2\r\nIf-Range: \"other\"\r\n")), "0123456789");
  EXPECT_EQ(status_of(ask("GET", file, "If-None-Match: " + etag + "\r\n")), 304u);
  const std::string outside = ask("GET", file, "Range: bytes=10-\r\n");
  EXPECT_EQ(status_of(outside), 416u);
  EXPECT_NE(outside.find("Content-Range: bytes */10\r\n"), outside.npos);
  const std::string head = ask("HEAD", file);
  EXPECT_EQ(body_of(head), "");
  EXPECT_NE(head.find("Content-Length: 10\r\n"), head.npos);
}

TEST_F(ServerTest, ImagesAreServedAsWhatTheyAre) {
  const std::string image = "/api/v1/experiments/exp/attempts/0/summaries/image";
  const std::string picture = ask("GET", image + "?tag=picture&step=3");
  EXPECT_EQ(status_of(picture), 200u);
  EXPECT_NE(picture.find("Content-Type: image/png\r\n"), picture.npos);
  EXPECT_NE(picture.find("Cache-Control: no-store\r\n"), picture.npos);
  EXPECT_EQ(body_of(picture).size(), 29u);
  for (const auto& [query, status] :
       {std::pair("?tag=drawing&step=3", 400u), std::pair("?tag=huge&step=3", 400u), std::pair("?tag=picture", 400u),
        std::pair("?tag=picture&step=x", 400u), std::pair("?tag=picture&step=2", 404u),
        std::pair("?tag=picture&step=3&index=1", 404u), std::pair("?tag=picture&step=3&index=-1", 400u),
        std::pair("?tag=note&step=3", 404u), std::pair("?tag=picture&step=3&run=other", 404u)}) {
    const std::string answer = ask("GET", image + query);
    EXPECT_EQ(status_of(answer), status) << query;
    EXPECT_NE(answer.find("Content-Type: application/json\r\n"), answer.npos) << query;
    EXPECT_EQ(body_of(answer).find("svg"), std::string::npos);
  }
}

TEST_F(ServerTest, ResourcesAreThoseOfTheFileOrElseOfTheStore) {
  const auto told = [&] {
    return nlohmann::json::parse(body_of(ask("GET", "/api/v1/experiments/exp/attempts/0/resources")))["samples"];
  };
  EXPECT_EQ(told(), nlohmann::json::array());
  const model::ResourceSamples samples{{.seconds = 5, .cpu_percent = 150, .memory_bytes = 1000},
                                       {.seconds = 10, .cpu_percent = 50, .gpu_percent = 25, .gpu_memory_bytes = 7}};
  ASSERT_TRUE(blob::put(store_, content::resources_key("exp", 0), as_bytes(model::to_json(samples).dump())));
  ASSERT_EQ(told().size(), 2u);
  EXPECT_EQ(told()[0]["cpu_percent"], 150.0);
  EXPECT_EQ(told()[0]["gpu_percent"], nullptr);
  EXPECT_EQ(told()[1]["gpu_memory_bytes"], 7);
  write("resources.json", R"({"samples": []})");
  EXPECT_EQ(told().size(), 0u) << "the file is newer";
  write("resources.json", R"({"samples": 3})");
  EXPECT_EQ(told().size(), 2u) << "it cannot be read";
}

TEST_F(ServerTest, ATensorBoardIsReachedThroughTheServer) {
  const std::string place = concat("/tb/", board(), "/");
  board_answer_ = {.status = 200,
                   .headers = {{"Content-Type", "text/html"},
                               {"Content-Security-Policy", "script-src 'self'"},
                               {"Set-Cookie", "a=b"},
                               {"Access-Control-Allow-Origin", "*"}}};
  const std::string answer = ask("POST", concat(place, "data/x%20y?tag=a%2Fb"),
                                 concat(own_origin(), "Cookie: c=d\r\nAuthorization: e\r\n", token(),
                                        "Accept: text/html\r\nContent-Length: 4\r\n\r\nbody"));
  EXPECT_EQ(status_of(answer), 200u);
  EXPECT_EQ(body_of(answer), concat("POST ", place, "data/x%20y?tag=a%2Fb body"));
  EXPECT_NE(answer.find("Content-Type: text/html\r\n"), answer.npos);
  EXPECT_NE(answer.find("Content-Security-Policy: script-src 'self'\r\n"), answer.npos);
  EXPECT_NE(answer.find("frame-ancestors 'self'\r\n"), answer.npos);
  for (const char* name : {"Set-Cookie", "Access-Control"}) EXPECT_EQ(answer.find(name), answer.npos) << name;
  EXPECT_EQ(asked_of_board_.header("Accept"), "text/html");
  EXPECT_EQ(asked_of_board_.header("Host"), concat("127.0.0.1:", board_server_->port()));
  for (const char* name : {"Cookie", "Authorization", "X-Studio-Token", "Origin"})
    EXPECT_EQ(asked_of_board_.header(name), "") << name;

  EXPECT_EQ(body_of(ask("HEAD", place)), "");
  board_answer_ = {.status = 304, .headers = {{"ETag", "\"x\""}}};
  const std::string unchanged = ask("GET", place);
  EXPECT_EQ(status_of(unchanged), 304u);
  EXPECT_EQ(unchanged.find("Transfer-Encoding"), unchanged.npos);
  board_answer_ = {.status = 301, .headers = {{"Location", concat("http://127.0.0.1:", board_server_->port(), place)}}};
  EXPECT_NE(ask("GET", place).find(concat("Location: ", place, "\r\n")), std::string::npos);
  for (const char* elsewhere : {"/", "http://evil.example/", "//evil.example/"}) {
    board_answer_ = {.status = 301, .headers = {{"Location", elsewhere}}};
    EXPECT_EQ(status_of(ask("GET", place)), 500u) << elsewhere;
  }
}

TEST_F(ServerTest, ATensorBoardOfTheSameExperimentsIsTheSame) {
  const std::string id = board();
  const auto start = [&](const std::string& query) {
    return nlohmann::json::parse(body_of(ask("POST", concat("/api/v1/tensorboards", query), token())));
  };
  EXPECT_EQ(start("?experiment=exp&experiment=exp/0")["id"], id);
  EXPECT_EQ(start("?experiment=none")["error"]["code"], "not_found");
  EXPECT_EQ(start("?experiment=exp/7")["error"]["hint"], "it has 0");
  EXPECT_EQ(start("?experiment=..%2F..")["error"]["code"], "not_found");
  EXPECT_EQ(start("")["error"]["code"], "invalid");
  EXPECT_EQ(status_of(ask("DELETE", concat("/api/v1/tensorboards/", id), token())), 200u);
  EXPECT_EQ(status_of(ask("GET", concat("/api/v1/tensorboards/", id))), 404u);
  EXPECT_EQ(status_of(ask("GET", concat("/tb/", id, "/"))), 404u);
  EXPECT_NE(start("?experiment=exp")["id"], id);
}

TEST_F(ServerTest, NoTensorBoardIsToldWithTheWayToGetIt) {
  const auto answer = nlohmann::json::parse(body_of(ask("POST", "/api/v1/tensorboards?experiment=exp", token())));
  EXPECT_EQ(answer["error"]["code"], "unsupported");
  EXPECT_EQ(answer["error"]["hint"], "pip install tensorboard");
}

TEST_F(ServerTest, AStopIsARequestInTheCatalog) {
  EXPECT_EQ(status_of(ask("POST", "/api/v1/experiments/exp/stop?how=maybe", token())), 400u);
  EXPECT_EQ(catalog_.load("exp")->stop_request, model::StopRequest::none);
  EXPECT_EQ(status_of(ask("POST", "/api/v1/experiments/exp/stop?how=kill", token())), 202u);
  EXPECT_EQ(catalog_.load("exp")->stop_request, model::StopRequest::kill);
  ASSERT_TRUE(catalog::redo_update(catalog_, "exp", [](model::Experiment& experiment) -> Result<void> {
    experiment.last().state = model::State::finished;
    return {};
  }));
  EXPECT_EQ(status_of(ask("POST", "/api/v1/experiments/exp/stop", token())), 409u);
}

TEST_F(ServerTest, ADeletedExperimentIsListedOnlyWhereItIsAskedFor) {
  const auto keys = [&](const std::string& query) {
    std::vector<std::string> found;
    const auto list = nlohmann::json::parse(body_of(ask("GET", "/api/v1/experiments?sort=key" + query)));
    for (const auto& run : list["runs"]) found.push_back(run["key"].get<std::string>());
    return found;
  };
  using Keys = std::vector<std::string>;
  EXPECT_EQ(keys(""), (Keys{"ended", "exp"}));
  for (int twice = 0; twice < 2; ++twice) {
    const std::string answer = ask("DELETE", "/api/v1/experiments/ended", token());
    EXPECT_EQ(status_of(answer), 200u) << answer;
    EXPECT_TRUE(nlohmann::json::parse(body_of(answer))["deleted"].is_string()) << answer;
  }
  EXPECT_EQ(keys(""), Keys{"exp"});
  EXPECT_EQ(keys("&deleted=false"), Keys{"exp"});
  EXPECT_EQ(keys("&deleted=true"), Keys{"ended"});
  EXPECT_EQ(status_of(ask("GET", "/api/v1/experiments?deleted=maybe")), 400u);
  EXPECT_TRUE(nlohmann::json::parse(body_of(ask("GET", "/api/v1/experiments/ended")))["deleted"].is_string());
  for (int twice = 0; twice < 2; ++twice) {
    const std::string answer = ask("POST", "/api/v1/experiments/ended/restore", token());
    EXPECT_EQ(status_of(answer), 200u) << answer;
    EXPECT_TRUE(nlohmann::json::parse(body_of(answer))["deleted"].is_null()) << answer;
  }
  EXPECT_EQ(keys(""), (Keys{"ended", "exp"}));
  const std::string refused = ask("DELETE", "/api/v1/experiments/exp", token());
  EXPECT_EQ(status_of(refused), 409u);
  EXPECT_EQ(nlohmann::json::parse(body_of(refused))["error"]["hint"], "stop it");
  for (const char* key : {"none", "exp%20", "EXP"}) {
    EXPECT_EQ(status_of(ask("DELETE", concat("/api/v1/experiments/", key), token())), 404u) << key;
    EXPECT_EQ(status_of(ask("POST", concat("/api/v1/experiments/", key, "/restore"), token())), 404u) << key;
  }
}

TEST_F(ServerTest, OutputIsShownAsItIsWritten) {
  net::Peer viewer(port_);
  viewer.say(concat("GET /api/v1/experiments/exp/attempts/0/output/events?from=2 HTTP/1.1\r\nHost: localhost:", port_,
                    "\r\n\r\n"));
  EXPECT_NE(viewer.hear("\r\n\r\n").find("Content-Type: text/event-stream\r\n"), std::string::npos);
  EXPECT_EQ(viewer.hear("\n\n"), "event: output\nid: 5\ndata: {\"offset\":2,\"text\":\"ne\\n\"}\n\n");
  std::ofstream output(concat(directory_.path(), "/output"), std::ios::app | std::ios::binary);
  output << "caf\xc3" << std::flush;  // half a character
  EXPECT_EQ(viewer.hear("\n\n"), "event: output\nid: 8\ndata: {\"offset\":5,\"text\":\"caf\"}\n\n");
  output << "\xa9\r50%\xff" << std::flush;
  EXPECT_EQ(viewer.hear("\n\n"), "event: output\nid: 15\ndata: {\"offset\":8,\"text\":\"\u00e9\\r50%\uFFFD\"}\n\n");
  output << "\xe2\x82" << std::flush;  // what never becomes a character is shown at the end
  ASSERT_TRUE(catalog::redo_update(catalog_, "exp", [](model::Experiment& experiment) -> Result<void> {
    experiment.last().state = model::State::finished;
    return {};
  }));
  const std::string rest = viewer.hear_all();
  EXPECT_NE(rest.find("id: 17\n"), rest.npos) << rest;
  EXPECT_TRUE(rest.ends_with("event: end\nid: 17\ndata: {}\n\n")) << rest;
  // Whoever comes back gets what it has not seen.
  net::Peer again(port_);
  again.say(concat("GET /api/v1/experiments/exp/attempts/0/output/events HTTP/1.1\r\nHost: localhost:", port_,
                   "\r\nLast-Event-ID: 10\r\n\r\n"));
  EXPECT_NE(again.hear_all().find("id: 17\ndata: {\"offset\":10,"), std::string::npos);
}

TEST_F(ServerTest, ManyViewersOfOneOutputSeeTheSame) {
  std::vector<std::unique_ptr<net::Peer>> viewers;
  for (int i = 0; i < 100; ++i) {
    viewers.push_back(std::make_unique<net::Peer>(port_));
    viewers.back()->say(
        concat("GET /api/v1/experiments/exp/attempts/0/output/events HTTP/1.1\r\nHost: localhost:", port_, "\r\n\r\n"));
  }
  for (const auto& viewer : viewers) {
    viewer->hear("\r\n\r\n");
    EXPECT_EQ(viewer->hear("\n\n"), "event: output\nid: 5\ndata: {\"offset\":0,\"text\":\"line\\n\"}\n\n");
  }
}

TEST_F(ServerTest, TheDescriptionHasEveryRouteAndNoOther) {
  std::set<std::string> described;
  const YAML::Node paths = YAML::LoadFile(concat(STUDIO_SOURCE_DIRECTORY, "/doc/openapi.yaml"))["paths"];
  for (const auto& path : paths)
    for (const auto& method : path.second)
      if (method.first.as<std::string>() != "parameters")
        described.insert(concat(method.first.as<std::string>(), " ", path.first.as<std::string>()));
  std::set<std::string> there;
  for (const Route& route : server_->router().routes()) {
    std::string method = route.method;
    for (char& c : method) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
    if (route.access == Access::page) continue;
    std::string pattern = route.pattern;
    if (const std::size_t dots = pattern.find("..."); dots != pattern.npos) pattern.erase(dots, 3);
    there.insert(concat(method, " ", pattern));
  }
  EXPECT_EQ(there, described);
}

}  // namespace
}  // namespace studio::server
