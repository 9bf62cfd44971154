#include "net/http_proxy.hpp"

#include <gtest/gtest.h>

#include <thread>

#include "base/concat.hpp"
#include "net/certificate_testing.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "net/peer_testing.hpp"
#include "os/process_testing.hpp"

namespace studio::net {
namespace {

using os::ScopedVariable;

// The proxy for a URL, or what is wrong with it.
std::string proxy_of(const char* url) {
  const auto proxy = proxy_for(*parse_url(url));
  if (!proxy) return proxy.error().message;
  return *proxy ? concat((*proxy)->host, " ", (*proxy)->port) : "";
}

class HttpProxyTest : public ::testing::Test {
 protected:
  const ScopedVariable https_{"https_proxy", nullptr};
  const ScopedVariable capital_https_{"HTTPS_PROXY", nullptr};
  const ScopedVariable http_{"http_proxy", nullptr};
  const ScopedVariable no_{"no_proxy", nullptr};
  const ScopedVariable capital_no_{"NO_PROXY", nullptr};
};

TEST_F(HttpProxyTest, IsWhatTheEnvironmentSays) {
  EXPECT_EQ(proxy_of("https://a"), "");
  const ScopedVariable https("HTTPS_PROXY", "http://proxy.example:3128/");
  EXPECT_EQ(proxy_of("https://a"), "proxy.example 3128");
  EXPECT_EQ(proxy_of("http://a"), "");
  const ScopedVariable http("http_proxy", "10.0.0.1:8080");
  EXPECT_EQ(proxy_of("http://a"), "10.0.0.1 8080");
  for (const char* own : {"http://localhost:1", "https://127.0.0.1", "https://[::1]:8443"})
    EXPECT_EQ(proxy_of(own), "");
  const ScopedVariable no("no_proxy", "example.org, .example.com,10.0.0.2");
  for (const char* url :
       {"https://example.org", "https://a.example.org", "https://a.b.EXAMPLE.com", "http://10.0.0.2:80"})
    EXPECT_EQ(proxy_of(url), "") << url;
  for (const char* url : {"https://anexample.org", "https://example.org.net", "https://10.0.0.22"})
    EXPECT_EQ(proxy_of(url), "proxy.example 3128") << url;
  const ScopedVariable all("no_proxy", "*");
  EXPECT_EQ(proxy_of("https://anexample.org"), "");
}

TEST_F(HttpProxyTest, WhatCannotBeUsedIsNamed) {
  const ScopedVariable https("https_proxy", "https://proxy.example");
  EXPECT_EQ(proxy_of("https://a"), "the variable https_proxy: a proxy must be of http://");
  const ScopedVariable http("http_proxy", "http://me:secret@proxy.example");
  EXPECT_EQ(proxy_of("http://a").find("secret"), std::string::npos);
  EXPECT_TRUE(proxy_of("http://a").starts_with("the variable http_proxy: "));
}

TEST_F(HttpProxyTest, APlainRequestNamesTheServer) {
  const Listener proxy;
  const ScopedVariable variable("http_proxy", concat("127.0.0.1:", proxy.port()).c_str());
  const auto client = *HttpClient::open({.base_url = "http://studio.example:8080/prefix"});
  std::string head;
  std::jthread server([&] {
    Peer peer = proxy.accept();
    head = peer.hear("\r\n\r\n");
    peer.say("HTTP/1.1 204 No Content\r\n\r\n");
  });
  EXPECT_EQ(client->request({.target = "/x"})->status, 204u);
  EXPECT_EQ(head, "GET http://studio.example:8080/prefix/x HTTP/1.1\r\nHost: studio.example:8080\r\n\r\n");
}

// Hands on what one side says to the other until it says nothing more.
void hand_on(Peer& from, const Peer& to) {
  for (std::string bytes = from.hear_some(); !bytes.empty(); bytes = from.hear_some()) to.say(bytes);
  to.hang_up();
}

TEST_F(HttpProxyTest, TlsGoesThroughIt) {
  const testing::CertificateFiles files({.names = "DNS:studio.example"});
  const auto server = *HttpServer::listen({.tls = files.server()}, [](HttpExchange& exchange) {
    exchange.respond({200, {}, exchange.request().target});
  });
  std::jthread server_thread([&](std::stop_token stop) { server->run(std::move(stop)); });
  const Listener proxy;
  const ScopedVariable variable("https_proxy", concat("127.0.0.1:", proxy.port()).c_str());
  const HttpClientOptions options{.base_url = "https://studio.example", .certificate_authorities = files.authority()};
  std::string head;
  std::jthread proxy_thread([&] {
    Peer client = proxy.accept();
    head = client.hear("\r\n\r\n");
    Peer behind(server->port());
    client.say("HTTP/1.1 200 Connection established\r\n\r\n");
    std::jthread back([&] { hand_on(behind, client); });
    hand_on(client, behind);
  });
  {
    const auto client = *HttpClient::open(options);
    const auto answer = client->request({.target = "/x"});
    ASSERT_TRUE(answer) << answer.error().message;
    EXPECT_EQ(to_text(answer->body), "/x");
  }
  proxy_thread.join();
  EXPECT_EQ(head, "CONNECT studio.example:443 HTTP/1.1\r\nHost: studio.example:443\r\n\r\n");
  // A proxy that will not.
  proxy_thread = std::jthread([&] {
    Peer client = proxy.accept();
    client.hear("\r\n\r\n");
    client.say("HTTP/1.1 403 Forbidden\r\nContent-Length: 2\r\n\r\nno");
  });
  const auto client = *HttpClient::open(options);
  const auto refused = client->request({});
  EXPECT_EQ(refused.error().code, Code::denied);
  EXPECT_EQ(refused.error().message, concat("the proxy 127.0.0.1 port ", proxy.port(),
                                            " does not connect to studio.example:443: 403 Forbidden"));
}

}  // namespace
}  // namespace studio::net
