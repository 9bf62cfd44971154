#include "cli/command_line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <CLI/CLI.hpp>

#include "cli/completion.hpp"
#include "cli/declarations.hpp"

namespace studio::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Words = std::vector<std::string>;

// What parsing leads to: the form of the command, the text to be printed, or the error.
struct Outcome {
  std::string form;
  std::string text;
  Error error;
};

Outcome parse(const Words& words) {
  CommandLine command_line;
  const auto request = command_line.parse(words);
  if (!request) return {{}, {}, request.error()};
  return {request->command == nullptr ? "" : request->command->form(), request->text, {}};
}

TEST(CommandLine, FindsTheCommand) {
  EXPECT_THAT(parse({"run", "train.py"}).form, HasSubstr("studio run"));
  EXPECT_THAT(parse({"run", "-e", "x", "-co", "a:b", "train.py", "-c"}).form, HasSubstr("studio run"));
  EXPECT_THAT(parse({"run"}).form, HasSubstr("studio run")) << "what to run is looked at later";
  EXPECT_THAT(parse({"runs", "list", "--status", "lost", "--status=failed", "--limit", "3"}).form,
              HasSubstr("studio runs list"));
  EXPECT_THAT(parse({"runs", "show", "key", "--json"}).form, HasSubstr("studio runs show"));
  EXPECT_THAT(parse({"runs", "show", "--json", "key"}).form, HasSubstr("studio runs show"));
  EXPECT_THAT(parse({"artifacts", "files", "e/t", "sub dir", "-R"}).form, HasSubstr("studio artifacts files"));
  EXPECT_THAT(parse({"artifacts", "cat", "e/t", "--", "-odd"}).form, HasSubstr("studio artifacts cat"));
  for (const char* odd : {"++", "{}", "[a,b]", "%", "", "-"})
    EXPECT_THAT(parse({"artifacts", "cat", "e/t", odd}).form, HasSubstr("studio artifacts cat")) << odd;
}

TEST(CommandLine, HelpAndVersion) {
  EXPECT_THAT(parse({"--version"}).text, HasSubstr("studio "));
  EXPECT_THAT(parse({"--help"}).text, AllOf(HasSubstr("runs list"), HasSubstr("--version")));
  EXPECT_THAT(parse({"runs", "-h"}).text, AllOf(HasSubstr("runs kill"), HasSubstr("Usage: studio runs")));
  EXPECT_THAT(parse({"run", "--help", "train.py"}).text,
              AllOf(HasSubstr("-co, --capture-once PATH:TAG"), HasSubstr("-e, ")));
  EXPECT_EQ(parse({"run", "train.py", "--help"}).text, "") << "the script's own";
}

TEST(CommandLine, EveryErrorIsAUsageErrorWithAHint) {
  const struct {
    Words words;
    const char* message;
    const char* hint;
  } cases[] = {
      {{}, "a command is missing", "run"},
      {{"runs"}, "a command is missing", "studio runs COMMAND"},
      {{"rnu", "train.py"}, "'rnu'", "studio run?"},
      {{"artifact", "list"}, "'artifact'", "studio artifacts?"},
      {{"runs", "lst"}, "'lst'", "studio runs list?"},
      {{"qqqqqqqq"}, "'qqqqqqqq'", "artifacts"},
      {{"--verson"}, "--verson", "--version"},
      {{"--json", "runs", "list"}, "--json", "studio COMMAND"},
      {{"runs", "list", "--jsn"}, "--jsn", "--json"},
      {{"runs", "list", "--limit"}, "--limit", "--limit N"},
      {{"runs", "list", "unexpected"}, "'unexpected'", "studio runs list"},
      {{"runs", "list", "--", "--json"}, "'--json'", "studio runs list"},
      {{"runs", "show"}, "KEY is missing", "studio runs show KEY"},
      {{"artifacts", "get", "a/b"}, "DEST is missing", "studio artifacts get"},
      {{"artifacts", "get"}, "EXP/TAG[@vN] is missing", "studio artifacts get"},
      {{"artifacts", "diff", "a/b"}, "TO is missing", "studio artifacts diff"},
      {{"artifacts", "tar", "a/b", "--nogzip"}, "--nogzip", "--no-gzip"},
      {{"store", "verify", "x"}, "'x'", "studio store verify"},
      {{"run", "--captur=a:b"}, "--captur", "--capture PATH:TAG"},
  };
  for (const auto& expected : cases) {
    const Outcome outcome = parse(expected.words);
    EXPECT_EQ(outcome.error.code, Code::invalid) << ::testing::PrintToString(expected.words);
    EXPECT_THAT(outcome.error.message, HasSubstr(expected.message));
    EXPECT_THAT(outcome.error.hint, HasSubstr(expected.hint)) << ::testing::PrintToString(expected.words);
  }
}

TEST(Completion, NamesEveryCommandAndFlag) {
  CLI::App root("", "studio");
  CommandTable commands;
  add_run_command(root, commands);
  add_runs_commands(root, commands);
  for (const char* shell : {"bash", "zsh", "fish"})
    EXPECT_THAT(*completion_script(shell, commands_below(root, "")),
                AllOf(HasSubstr("runs"), HasSubstr("show"), HasSubstr("capture-once"), HasSubstr("attempt")))
        << shell;
  EXPECT_EQ(completion_script("csh", {}), std::nullopt);
}

}  // namespace
}  // namespace studio::cli
