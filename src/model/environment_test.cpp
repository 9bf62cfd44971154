#include "model/environment.hpp"

#include <gmock/gmock.h>

#include "model/json_fields.hpp"

namespace studio::model {
namespace {

using nlohmann::json;
using testing::HasSubstr;

Environment sample() {
  return {.variables = {{"PATH", "/usr/bin:/bin"}, {"LANG", ""}},
          .python = PythonFacts{"/usr/bin/python3", "3.11.2", {{"numpy", "1.26.0"}, {"odd", ""}}},
          .git = GitFacts{.commit = "c0ffee",
                          .branch = "main",
                          .remote = "https://example.com/r.git",
                          .dirty = true,
                          .diff = "diff --git a/ä b/ä\n",
                          .diff_truncated = true,
                          .untracked = {"new\nline", "ü"}},
          .host = {"node1", "Debian", "6.1.0", "x86_64", "Fast CPU", 8, std::uint64_t{64} << 30},
          .gpus = {{"H100", std::uint64_t{80} << 30, "535.1"}, {"unknown", {}, ""}}};
}

// Through text, as it goes through a store.
Result<Environment> reread(const Environment& environment) {
  TRY_ASSIGN(const json parsed, parse_json(to_json(environment).dump()));
  return environment_from_json(parsed);
}

void expect_corrupt(const json& document, const std::string& field) {
  const auto read = environment_from_json(document);
  ASSERT_FALSE(read.has_value()) << field << " is accepted in " << document;
  EXPECT_EQ(read.error().code, Code::corrupt);
  EXPECT_THAT(read.error().message, HasSubstr("'" + field + "'"));
}

TEST(Environment, IsReadAsItWasWritten) {
  const auto read = reread(sample());
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(*read, sample());
}

TEST(Environment, WhatIsNotKnownIsNull) {
  const json written = to_json(Environment());
  EXPECT_TRUE(written.at("python").is_null());
  EXPECT_TRUE(written.at("git").is_null());
  EXPECT_TRUE(written.at("variables").is_object());
  EXPECT_TRUE(written.at("gpus").is_array());
  EXPECT_TRUE(written.at("host").at("cpus").is_null());
  EXPECT_EQ(reread(Environment()).value(), Environment());
}

TEST(Environment, BytesThatAreNoTextAreReplaced) {
  Environment environment = sample();
  environment.variables = {{"PATH", "/caf\xe9"}};
  environment.git->diff = "+\xff\n";
  environment.git->untracked = {"a\xfe"};
  environment.host.name = "\x80";
  const auto read = reread(environment);
  ASSERT_TRUE(read.has_value()) << read.error().message;
  EXPECT_EQ(read->variables.at("PATH"), "/caf\ufffd");
  EXPECT_EQ(read->git->diff, "+\ufffd\n");
  EXPECT_EQ(read->git->untracked, std::vector<std::string>{"a\ufffd"});
  EXPECT_EQ(read->host.name, "\ufffd");
}

TEST(Environment, AFaultNamesItsField) {
  const auto with = [](const char* pointer, const json& value) {
    json document = to_json(sample());
    document[json::json_pointer(pointer)] = value;
    return document;
  };
  expect_corrupt(with("/variables", nullptr), "variables");
  expect_corrupt(with("/variables/PATH", 1), "variables");
  expect_corrupt(with("/python", 3), "python");
  expect_corrupt(with("/python/packages", json::array()), "python.packages");
  expect_corrupt(with("/git/dirty", "yes"), "git.dirty");
  expect_corrupt(with("/git/untracked/0", 1), "git.untracked");
  expect_corrupt(with("/host", nullptr), "host");
  expect_corrupt(with("/host/cpus", -1), "host.cpus");
  expect_corrupt(with("/gpus/1/name", nullptr), "gpus[1].name");
  EXPECT_FALSE(environment_from_json(json::array()).has_value());
}

}  // namespace
}  // namespace studio::model
