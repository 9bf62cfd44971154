#include "server/router.hpp"

#include <gtest/gtest.h>

#include "server/answer.hpp"

namespace studio::server {
namespace {

Router make_router() {
  Router router;
  const auto nothing = [](Call&) { return Result<void>(); };
  for (const auto& [method, pattern] : {std::pair("GET", "/a"), std::pair("GET", "/a/{x}"), std::pair("POST", "/a/{x}"),
                                        std::pair("GET", "/a/literal"), std::pair("GET", "/a/{x}/f/{path...}")})
    router.add({method, pattern, Access::read, nothing});
  return router;
}

std::string pattern_of(const Router& router, std::string_view method, const std::vector<std::string>& path) {
  const auto match = router.match(method, path);
  return match ? match->route->pattern : std::string(name_of(match.error().code));
}

TEST(Router, FindsTheRouteOfAPath) {
  const Router router = make_router();
  EXPECT_EQ(pattern_of(router, "GET", {"a"}), "/a");
  EXPECT_EQ(pattern_of(router, "HEAD", {"a"}), "/a");
  EXPECT_EQ(pattern_of(router, "GET", {"a", "literal"}), "/a/literal");
  const auto match = router.match("POST", {"a", "{x}"});
  ASSERT_TRUE(match);
  EXPECT_EQ(match->names.at("x"), "{x}");
  EXPECT_EQ(router.match("GET", {"a", "1", "f", "b", "c d"})->names.at("path"), "b/c d");
}

TEST(Router, RefusesEverythingElse) {
  const Router router = make_router();
  const std::vector<std::vector<std::string>> unknown{
      {""}, {"b"}, {"a", ""}, {"a", "x", ""}, {"a", "x", "f"}, {"a", "x", "f", ""}, {"a", "x", "f", "b", ""}, {"A"}};
  for (const auto& path : unknown) EXPECT_EQ(pattern_of(router, "GET", path), "not found");
  const auto match = router.match("DELETE", {"a", "x"});
  EXPECT_EQ(match.error().code, Code::unsupported);
  EXPECT_EQ(match.error().hint, "GET, HEAD, POST");
  EXPECT_EQ(router.match("HEAD", {"a", "x"})->route->method, "GET");
  EXPECT_EQ(router.match("get", {"a"}).error().code, Code::unsupported);
}

TEST(Answer, RangesOfBytes) {
  const auto range = [](std::string_view header, std::uint64_t size) -> std::string {
    const auto parsed = parse_range(header, size);
    if (!parsed) return "none";
    if (!*parsed) return "all";
    return std::to_string((*parsed)->first) + "+" + std::to_string((*parsed)->length);
  };
  EXPECT_EQ(range("bytes=0-0", 10), "0+1");
  EXPECT_EQ(range("bytes=2-5", 10), "2+4");
  EXPECT_EQ(range("bytes=2-", 10), "2+8");
  EXPECT_EQ(range("bytes=2-99", 10), "2+8");
  EXPECT_EQ(range("bytes=-3", 10), "7+3");
  EXPECT_EQ(range("bytes=-30", 10), "0+10");
  EXPECT_EQ(range("bytes=0-18446744073709551615", 10), "0+10");
  for (const char* header : {"bytes=10-", "bytes=-0", "bytes=99-100"}) EXPECT_EQ(range(header, 10), "none") << header;
  EXPECT_EQ(range("bytes=0-", 0), "none");
  for (const char* header : {"", "bytes", "bytes=", "bytes=-", "bytes=5-2", "bytes=a-b", "bytes=1-2,4-5", "lines=1-2",
                             "bytes=+1-2", "bytes=1-99999999999999999999"})
    EXPECT_EQ(range(header, 10), "all") << header;
}

TEST(Answer, NamesOfDownloads) {
  EXPECT_EQ(attachment("a b.txt"), "attachment; filename=\"a b.txt\"; filename*=UTF-8''a%20b.txt");
  EXPECT_EQ(attachment("\"\r\n\\\xc3\xa9"), "attachment; filename=\"______\"; filename*=UTF-8''%22%0D%0A%5C%C3%A9");
}

}  // namespace
}  // namespace studio::server
