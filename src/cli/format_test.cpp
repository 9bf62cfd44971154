#include "cli/format.hpp"

#include <gtest/gtest.h>

#include "cli/help.hpp"
#include "cli/messages.hpp"
#include "cli/progress.hpp"
#include "cli/run_record.hpp"
#include "cli/table.hpp"

namespace studio::cli {
namespace {

using namespace std::chrono_literals;

TEST(FormatSize, HasAUnitOfItsOwnMagnitude) {
  EXPECT_EQ(format_size(0), "0 B");
  EXPECT_EQ(format_size(1023), "1023 B");
  EXPECT_EQ(format_size(1024), "1.0 KiB");
  EXPECT_EQ(format_size(1'258'291), "1.2 MiB");
  EXPECT_EQ(format_size((1 << 20) - 1), "1.0 MiB") << "not 1024.0 KiB";
  EXPECT_EQ(format_size(std::uint64_t{5} << 40), "5.0 TiB");
  EXPECT_EQ(format_size(UINT64_MAX), "16.0 EiB");
}

TEST(FormatSeconds, IsAsExactAsItIsUseful) {
  EXPECT_EQ(format_seconds(0), "0.0s");
  EXPECT_EQ(format_seconds(0.26), "0.3s");
  EXPECT_EQ(format_seconds(9.94), "9.9s");
  EXPECT_EQ(format_seconds(9.96), "10s");
  EXPECT_EQ(format_seconds(65.2), "1m5s");
  EXPECT_EQ(format_seconds(3600), "1h");
  EXPECT_EQ(format_seconds(7384), "2h3m");
  EXPECT_EQ(format_seconds(90'000), "1d1h");
  EXPECT_EQ(format_seconds(-1), "0.0s");
}

TEST(FormatMinute, IsUtcToTheMinute) {
  EXPECT_EQ(format_minute(*parse_time("2026-11-24T05:30:59.9Z")), "2026-11-24 05:30");
}

TEST(DisplayWidth, CountsColumns) {
  EXPECT_EQ(display_width("abc"), 3u);
  EXPECT_EQ(display_width("naïve…"), 6u);
  EXPECT_EQ(display_width("日本"), 4u);
  EXPECT_EQ(display_width("e\u0301"), 1u) << "a mark that joins the letter";
  EXPECT_LE(display_width("\xff\xe6"), 2u) << "malformed text does no harm";
}

TEST(CutToWidth, EndsInAnEllipsis) {
  EXPECT_EQ(cut_to_width("abcdef", 6), "abcdef");
  EXPECT_EQ(cut_to_width("abcdef", 5), "abcd…");
  EXPECT_EQ(cut_to_width("日本語", 4), "日…") << "half a character is none";
  EXPECT_EQ(cut_to_width("abc", 1), "…");
  EXPECT_EQ(cut_to_width("abc", 0), "");
}

TEST(Table, IsAlignedWithoutTrailingSpaces) {
  Table table({{"NAME"}, {"SIZE", Align::right}, {"NOTE"}});
  table.add({"a", "1 B", "first"});
  table.add({"日本", "20 KiB", ""});
  EXPECT_EQ(table.text(0, false),
            "NAME    SIZE  NOTE\n"
            "a        1 B  first\n"
            "日本  20 KiB\n");
}

TEST(Table, GivesWayWhereItMay) {
  Table table({{"KEY"}, {"COMMAND", Align::left, true}});
  table.add({"a-long-key", "train.py --with many --flags"});
  EXPECT_EQ(table.text(24, false), "KEY         COMMAND\na-long-key  train.py --…\n");
  EXPECT_EQ(table.text(5, false), "KEY         COMMAND\na-long-key  train.p…\n") << "less than that would tell nothing";
  EXPECT_EQ(table.text(0, false), "KEY         COMMAND\na-long-key  train.py --with many --flags\n");
}

TEST(Table, ColoursAreNoWidth) {
  Table table({{"STATUS"}, {"X"}});
  table.add({Cell("lost", Colour::bad), "y"});
  EXPECT_EQ(table.text(0, true), "STATUS  X\n\x1b[31mlost\x1b[0m    y\n");
  EXPECT_EQ(Table({{"EMPTY"}}).text(0, true), "");
}

TEST(OneLine, LetsNoEscapeSequenceThroughAndKeepsWhatIsEscapedAlready) {
  EXPECT_EQ(one_line("a\nb"), "a\\nb");
  EXPECT_EQ(one_line("'x\\ny' \x1b[31m \xff ü\\"), "'x\\ny' \\x1b[31m \\xff ü\\");
}

TEST(ProgressLine, TellsWhatIsKnown) {
  EXPECT_EQ(progress_line("verifying", "pack", 1, 2048, std::nullopt, 0.5s), "verifying: 1 pack, 2.0 KiB");
  EXPECT_EQ(progress_line("restoring", "file", 3, 1 << 20, 11 << 20, 2s),
            "restoring: 3 files, 1.0 MiB of 11.0 MiB, 512.0 KiB/s, 20s left");
  EXPECT_EQ(progress_line("restoring", "file", 3, 1 << 20, 1 << 20, 2s),
            "restoring: 3 files, 1.0 MiB of 1.0 MiB, 512.0 KiB/s");
  EXPECT_EQ(progress_line("archiving", "", 0, 0, 10, 2s), "archiving: 0 B of 10 B");
}

TEST(Wrapped, BreaksAtSpaces) {
  EXPECT_EQ(wrapped("one two three", 7, 2), "one two\n  three");
  EXPECT_EQ(wrapped("incomprehensibilities", 7, 2), "incomprehensibilities");
}

TEST(CommandText, CanBePastedIntoAShell) {
  EXPECT_EQ(command_text({"train.py", "--lr=0.1", "a b", "", "it's", "$x"}),
            "train.py --lr=0.1 'a b' '' 'it'\\''s' '$x'");
}

}  // namespace
}  // namespace studio::cli
