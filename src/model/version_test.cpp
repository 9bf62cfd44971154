#include "model/version.hpp"

#include <gmock/gmock.h>

#include "base/concat.hpp"
#include "model/json_fields.hpp"
#include "model/random_records.hpp"

namespace studio::model {
namespace {

using nlohmann::json;
using testing::HasSubstr;

// Through text, as a manifest goes through a store.
Result<Version> reread(const Version& version) {
  TRY_ASSIGN(const json parsed, parse_json(to_json(version).dump()));
  return version_from_json(parsed);
}

Version sample(ArtifactKind kind) {
  Version version;
  version.experiment = "mnist";
  version.tag = "modeldir";
  version.number = 3;
  version.kind = kind;
  if (kind == ArtifactKind::file) version.file_name = "output.txt";
  version.root = {120, 1, Sha256::of(as_bytes("tree"))};
  version.problems = {{"a/b", "unreadable"}};
  version.problem_count = 1;
  return version;
}

void expect_corrupt(const json& document, const std::string& field) {
  const auto read = version_from_json(document);
  ASSERT_FALSE(read.has_value()) << field << " is accepted in " << document;
  EXPECT_EQ(read.error().code, Code::corrupt) << read.error().message;
  EXPECT_THAT(read.error().message, HasSubstr("'" + field + "'"));
}

TEST(VersionName, IsReadAsItIsWritten) {
  for (const std::uint64_t number : {0ull, 1ull, 12ull, 18446744073709551615ull})
    EXPECT_EQ(parse_version_name(version_name(number)), number);
  EXPECT_EQ(version_name(12), "v12");
}

TEST(VersionName, NothingElseIsOne) {
  for (const char* text :
       {"", "v", "12", "V1", "v01", "v-1", "v+1", "v 1", "v1 ", "v1x", "v0x1", "v18446744073709551616"})
    EXPECT_EQ(parse_version_name(text), std::nullopt) << text;
}

TEST(VersionJson, KeepsEveryValue) {
  RandomRecords random(1);
  for (int i = 0; i < 500; ++i) {
    const Version version = random.version();
    const auto read = reread(version);
    ASSERT_TRUE(read.has_value()) << read.error().message;
    ASSERT_EQ(*read, version) << to_json(version);
    ASSERT_EQ(*version_from_json(to_json(version)), version) << "without text in between";
  }
}

TEST(VersionJson, KeepsNamesThatAreNotUtf8) {
  Version version = sample(ArtifactKind::file);
  version.file_name = "caf\xe9";
  version.problems = {{std::string("\xff\0/x", 4), "\xc3\x28"}};
  EXPECT_EQ(to_json(version)["file_name"], (json{{"hex", "636166e9"}}));
  EXPECT_EQ(*reread(version), version);
}

TEST(VersionJson, IgnoresUnknownFieldsAndTakesNullForAbsent) {
  json document = to_json(sample(ArtifactKind::directory));
  document["later"] = {1, 2, 3};
  document["root"]["later"] = "x";
  document["file_name"] = nullptr;
  EXPECT_EQ(*version_from_json(document), sample(ArtifactKind::directory));
}

TEST(VersionJson, RefusesANewerFormat) {
  json document = to_json(sample(ArtifactKind::directory));
  document["format"] = 2;
  document.erase("root");  // whatever else a newer format changed
  const auto read = version_from_json(document);
  ASSERT_FALSE(read.has_value());
  EXPECT_EQ(read.error().code, Code::unsupported);
  EXPECT_THAT(read.error().message, HasSubstr("format 2"));
  EXPECT_FALSE(read.error().hint.empty());
}

TEST(VersionJson, NamesTheFieldThatIsMissing) {
  const json document = to_json(sample(ArtifactKind::file));
  for (const auto& [field, value] : document.items()) {
    json cut = document;
    cut.erase(field);
    expect_corrupt(cut, field);
    const json inner_fields = value.is_object() ? value : json::object();
    for (const auto& [inner, unused] : inner_fields.items()) {
      json inner_cut = document;
      inner_cut[field].erase(inner);
      expect_corrupt(inner_cut, concat(field, ".", inner));
    }
  }
}

TEST(VersionJson, NamesTheFieldOfAnotherType) {
  const json document = to_json(sample(ArtifactKind::file));
  for (const auto& [field, value] : document.items())
    for (const json& wrong : {json(true), json(-1), json(1.5), json("?\x01"), json::array({1}), json::object()})
      if (wrong.type() != value.type() && !(wrong.is_number() && value.is_number())) {
        json changed = document;
        changed[field] = wrong;
        const auto read = version_from_json(changed);
        ASSERT_FALSE(read.has_value()) << changed;
        EXPECT_THAT(read.error().message, HasSubstr("'" + field)) << changed;
      }
}

TEST(VersionJson, NamesTheFieldOutOfRange) {
  const json file = to_json(sample(ArtifactKind::file));
  const auto with = [&](const char* pointer, const json& value) {
    json changed = file;
    changed[json::json_pointer(pointer)] = value;
    return changed;
  };
  expect_corrupt(with("/format", 0), "format");
  expect_corrupt(with("/number", -1), "number");
  expect_corrupt(with("/number", 9223372036854775808ull), "number");
  expect_corrupt(with("/number", 1.0), "number");
  expect_corrupt(with("/experiment", "../x"), "experiment");
  expect_corrupt(with("/tag", ""), "tag");
  expect_corrupt(with("/reason", "whim"), "reason");
  expect_corrupt(with("/kind", "socket"), "kind");
  expect_corrupt(with("/kind", "directory"), "file_name");
  for (const char* name : {"", ".", "..", "a/b"}) expect_corrupt(with("/file_name", name), "file_name");
  expect_corrupt(with("/file_name", std::string("a\0b", 3)), "file_name");
  expect_corrupt(with("/file_name", json{{"hex", "6"}}), "file_name");
  expect_corrupt(with("/file_name", json{{"hex", "6G"}}), "file_name");
  expect_corrupt(with("/file_name", json{{"hex", 66}}), "file_name");
  expect_corrupt(with("/root/level", 256), "root.level");
  expect_corrupt(with("/root/digest", "abc"), "root.digest");
  expect_corrupt(with("/root/size", 0), "root.size");
  expect_corrupt(with("/root_mode", 010000), "root_mode");
  expect_corrupt(with("/root_modified_ns", 9223372036854775808ull), "root_modified_ns");
  expect_corrupt(with("/totals/bytes", -5), "totals.bytes");
  expect_corrupt(with("/problems/0/path", 7), "problems[0].path");
  expect_corrupt(with("/problems/0", 7), "problems[0]");
  expect_corrupt(with("/problem_count", 0), "problem_count");
  expect_corrupt(with("/problems", json::array()), "problem_count");
  expect_corrupt(with("/problems", json::array_t(101, json{{"path", "p"}, {"problem", "x"}})), "problems");
}

TEST(VersionJson, TakesTimesInOneFormOnly) {
  json document = to_json(sample(ArtifactKind::directory));
  for (const char* text :
       {"", "2026-11-24", "2026-11-24T05:30:00Z", "2026-11-24T05:30:00.0000000000Z", "2026-02-30T05:30:00.000000000Z",
        "2026-11-24T24:30:00.000000000Z", "2026-11-24T05:60:00.000000000Z", "2026-11-24t05:30:00.000000000Z",
        "9999-11-24T05:30:00.000000000Z", "0000-01-01T00:00:00.000000000Z", " 999-11-24T05:30:00.000000000Z",
        "2026-11-24T05:30:00.000000000+"}) {
    document["created"] = text;
    expect_corrupt(document, "created");
  }
}

TEST(VersionJson, IsAnObject) {
  for (const json& document : {json(), json(1), json("x"), json::array(), json::array({1, 2})}) {
    const auto read = version_from_json(document);
    ASSERT_FALSE(read.has_value());
    EXPECT_EQ(read.error().code, Code::corrupt);
  }
}

TEST(ParseJson, RefusesWhatIsNot) {
  for (const char* text : {"", "{", "{}x", "{\"a\": 1e999}", "\"\xff\"", "nul"}) {
    const auto parsed = parse_json(text);
    ASSERT_FALSE(parsed.has_value()) << text;
    EXPECT_EQ(parsed.error().code, Code::corrupt);
  }
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')).has_value()) << "and does not exhaust the stack";
}

}  // namespace
}  // namespace studio::model
