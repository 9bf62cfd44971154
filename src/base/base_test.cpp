#include <gtest/gtest.h>
#include <unistd.h>

#include <array>
#include <cstdlib>
#include <fstream>

#include "base/backend_table.hpp"
#include "base/clock.hpp"
#include "base/codec.hpp"
#include "base/digest.hpp"
#include "base/display.hpp"
#include "base/duration.hpp"
#include "base/name.hpp"

namespace studio {
namespace {

TEST(Duration, TakesWhatPeopleWrite) {
  EXPECT_EQ(parse_duration("500ms")->count(), 500);
  EXPECT_EQ(parse_duration("1h30m")->count(), 5'400'000);
  EXPECT_EQ(format_duration(std::chrono::milliseconds(5'400'000)), "1h30m");
  for (const char* bad : {"", "1", "s", "-1s", "0s", "1m1h", "1s1s", "99999999999999999999s", "1.5s", "1 s"})
    EXPECT_FALSE(parse_duration(bad).has_value()) << bad;
}

TEST(Name, IsSafeAsAPathComponent) {
  for (const char* good : {"a", "A.b_c-9", "-x", ".hidden", "..."}) EXPECT_TRUE(valid_name(good)) << good;
  for (const char* bad : {"", ".", "..", "a/b", "a b", "é", "a\n"}) EXPECT_FALSE(valid_name(bad)) << bad;
  EXPECT_FALSE(valid_name(std::string(101, 'a')));
  EXPECT_TRUE(valid_name(std::string(101, 'a'), 101));
  const std::array<std::string, 2> names{"--capture", "--project"};
  EXPECT_EQ(nearest_name("--captur", names), "--capture");
  EXPECT_EQ(nearest_name("--zzzzzz", names), "");
  EXPECT_TRUE(valid_name(*make_key()));
}

TEST(FileName, IsOneComponent) {
  for (const char* good : {"a", "...", " ", "\xff\n", "-"}) EXPECT_TRUE(valid_file_name(good)) << good;
  for (const char* bad : {"", ".", "..", "/", "a/b", "a/"}) EXPECT_FALSE(valid_file_name(bad)) << bad;
  EXPECT_FALSE(valid_file_name(std::string_view("a\0b", 3)));
}

struct Tool {
  std::string name;
};
struct ToolOptions {
  std::string type;
};
constexpr std::array<Backend<Tool, ToolOptions>, 2> k_tools{{
    {"hammer", [](const ToolOptions& o) -> Result<std::unique_ptr<Tool>> { return std::make_unique<Tool>(o.type); }},
    {"saw",
     [](const ToolOptions&) -> Result<std::unique_ptr<Tool>> {
       return Error{Code::denied, "blunt"};
     }},
}};

TEST(BackendTable, OpensByTypeAndNamesTheKnownTypes) {
  const std::span<const Backend<Tool, ToolOptions>> table(k_tools);
  EXPECT_EQ(types_of(table), (std::vector<std::string_view>{"hammer", "saw"}));
  EXPECT_EQ(open_backend(table, "tool", {"hammer"}).value()->name, "hammer");
  EXPECT_EQ(open_backend(table, "tool", {"saw"}).error().message, "blunt");
  for (const char* type : {"", "Hammer", "drill\n"}) {
    const auto tool = open_backend(table, "tool", {type});
    ASSERT_FALSE(tool.has_value());
    EXPECT_EQ(tool.error().code, Code::unsupported);
    EXPECT_EQ(tool.error().message, concat("unknown tool type '", printable(type), "'"));
    EXPECT_EQ(tool.error().hint, "the known types are hammer, saw");
  }
}

TEST(Display, LetsNothingHarmfulThrough) {
  EXPECT_TRUE(valid_utf8("h\xc3\xb6m\xc3\xa9 \xf0\x9f\x98\x80"));
  for (const char* bad : {"\xff", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xc3"})
    EXPECT_FALSE(valid_utf8(bad));
  EXPECT_EQ(to_utf8("a\xff"), "a\xef\xbf\xbd");
  EXPECT_EQ(printable("a\n\x1b[31m\xff\\"), "a\\n\\x1b[31m\\xff\\\\");
  EXPECT_EQ(printable("\xc2\x9b"), "\\xc2\\x9b") << "a control character of ISO 6429";
}

TEST(Codec, RoundTripsAndNoticesDamage) {
  ByteWriter out;
  for (const std::uint64_t value : {0ull, 127ull, 128ull, ~0ull}) out.varint(value);
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX}) out.zigzag(value);
  out.sized("text");
  ByteReader in(out.view());
  for (const std::uint64_t value : {0ull, 127ull, 128ull, ~0ull}) EXPECT_EQ(in.varint(), value);
  for (const std::int64_t value : {std::int64_t{0}, std::int64_t{-1}, INT64_MIN, INT64_MAX})
    EXPECT_EQ(in.zigzag(), value);
  EXPECT_EQ(in.sized(), "text");
  EXPECT_FALSE(in.failed());
  EXPECT_EQ(in.u8(), 0);
  EXPECT_TRUE(in.failed());
  EXPECT_TRUE([] {
    ByteReader overlong(as_bytes("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x7f"));
    (void)overlong.varint();
    return overlong.failed();
  }());
}

TEST(Clock, TimesRoundTrip) {
  const WallTime time{std::chrono::nanoseconds(1'764'000'000'123'456'789)};
  EXPECT_EQ(parse_time(format_time(time)).value(), time);
  EXPECT_FALSE(parse_time("2026-02-30T00:00:00Z").has_value());
  EXPECT_FALSE(parse_time("2026-01-01T00:00:00").has_value());
}

TEST(Digest, IsSha256) {
  const Digest digest = Sha256::of(as_bytes("abc"));
  EXPECT_EQ(digest.hex(), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Digest::from_hex(digest.hex()).value(), digest);
  EXPECT_FALSE(Digest::from_hex("abc").has_value());
  EXPECT_EQ(Sha256::of({}).hex(), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

// In a process of its own, because OpenSSL looks at its configuration once.
TEST(DigestDeathTest, DoesNotDependOnTheConfigurationOfOpenSsl) {
  testing::FLAGS_gtest_death_test_style = "threadsafe";
  const std::string file = testing::TempDir() + "studio-no-provider.cnf";
  std::ofstream(file) << "openssl_conf = init\n[init]\nproviders = list\n[list]\nnull = on\n[on]\nactivate = 1\n";
  EXPECT_EXIT(
      {
        ::setenv("OPENSSL_CONF", file.c_str(), 1);
        std::exit(Sha256::of(as_bytes("abc")).hex().starts_with("ba7816bf") ? 0 : 1);
      },
      testing::ExitedWithCode(0), "");
  ::unlink(file.c_str());
}

}  // namespace
}  // namespace studio
