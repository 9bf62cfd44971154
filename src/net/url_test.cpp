#include "net/url.hpp"

#include <gtest/gtest.h>

namespace studio::net {
namespace {

using Path = std::vector<std::string>;

TEST(Url, TargetsAreTakenApart) {
  EXPECT_EQ(parse_target("/")->path, Path{""});
  EXPECT_EQ(parse_target("/a/b%20c/")->path, (Path{"a", "b c", ""}));
  EXPECT_EQ(parse_target("/%C3%A9%ff")->path, Path{"\xc3\xa9\xff"});
  EXPECT_EQ(parse_target("/a+b;c")->path, Path{"a+b;c"});
  const auto target = parse_target("/a?x=1&x=2&y=a+b%26%3D&z&=&w=a=b");
  EXPECT_EQ(target->path, Path{"a"});
  EXPECT_EQ(target->parameter("x"), "1");
  EXPECT_EQ(target->parameter("y"), "a b&=");
  EXPECT_EQ(target->parameter("z"), "");
  EXPECT_EQ(target->parameter("w"), "a=b");
  EXPECT_EQ(target->parameter("v"), std::nullopt);
  EXPECT_TRUE(parse_target("/?")->query.empty());
}

TEST(Url, WhoeverLeavesThePathIsRefused) {
  for (const char* text : {"", "a", "*", "http://host/a", "/..", "/a/../b", "/%2e%2e", "/.%2E/a", "/a/.", "/%2E",
                           "/a%2fb", "/a%2F..%2Fb", "/a%00", "/a%", "/a%2", "/a%zz", "/a?b=%g0"})
    EXPECT_EQ(parse_target(text).error().code, Code::invalid) << text;
  // Decoded once, not twice.
  EXPECT_EQ(parse_target("/%252e%252e")->path, Path{"%2e%2e"});
  EXPECT_EQ(parse_target("/...")->path, Path{"..."});
}

TEST(Url, WhatIsEncodedDecodesToTheSame) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all += static_cast<char>(byte);
  const std::string encoded = percent_encoded(all);
  EXPECT_EQ(percent_decoded(encoded), all);
  EXPECT_EQ(encoded.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%"),
            encoded.npos);
}

TEST(Url, UrlsAreTakenApart) {
  const auto url = parse_url("HTTPS://Studio.example.org:8443/team/a%20b/");
  ASSERT_TRUE(url);
  EXPECT_TRUE(url->is_tls);
  EXPECT_EQ(url->host, "studio.example.org");
  EXPECT_EQ(url->port, 8443);
  EXPECT_EQ(url->path, "/team/a%20b");
  EXPECT_EQ(url->authority(), "studio.example.org:8443");
  EXPECT_EQ(parse_url("https://a")->port, 443);
  EXPECT_EQ(parse_url("http://a/")->port, 80);
  EXPECT_EQ(parse_url("http://a/")->path, "");
  EXPECT_EQ(parse_url("http://a:80")->authority(), "a");
  EXPECT_EQ(parse_url("http://10.0.0.1:8080")->host, "10.0.0.1");
  EXPECT_EQ(parse_url("http://[::1]:8080/x")->host, "::1");
  EXPECT_EQ(parse_url("http://[::1]:8080/x")->authority(), "[::1]:8080");
  EXPECT_EQ(parse_url("https://[FE80::1]")->authority(), "[fe80::1]");
}

TEST(Url, WhatIsNoUrlOfAServerIsRefused) {
  for (const char* text : {"",
                           "a",
                           "host:80",
                           "ftp://a",
                           "http:a",
                           "http://",
                           "http:///a",
                           "http://a:0",
                           "http://a:65536",
                           "http://a:x",
                           "http://a:+1",
                           "http://a b",
                           "http://a/\n",
                           "http://a/ä",
                           "http://a?x",
                           "http://a/#x",
                           "http://[::1",
                           "http://[]",
                           "http://[::1]x",
                           "http://[g]",
                           "http://::1/",
                           "http://a/%2",
                           "http://a\\b"})
    EXPECT_EQ(parse_url(text).error().code, Code::invalid) << text;
  const std::string message = parse_url("https://me:secret@host/").error().message;
  EXPECT_EQ(message, "'…@host/' is no URL of a server: it must have no user and no password");
}

}  // namespace
}  // namespace studio::net
