#include "cli/output.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <csignal>

#include <nlohmann/json.hpp>

#include "os/process_testing.hpp"

namespace studio::cli {
namespace {

using nlohmann::ordered_json;

class OutputTest : public ::testing::Test {
 protected:
  test::ScratchDirectory directory_;
  std::string path_ = directory_ / "out";
  os::Fd fd_ = *os::open(path_, O_WRONLY | O_CREAT, 0600);
  Output output_{fd_.get()};

  std::string written() const { return os::text_of(path_); }
};

TEST_F(OutputTest, SmallWritesAreHeldBackUntilTheyAreFlushed) {
  ASSERT_TRUE(output_.write("one "));
  ASSERT_TRUE(output_.write("two"));
  EXPECT_EQ(written(), "");
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), "one two");
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), "one two");
}

TEST_F(OutputTest, WhatIsLargeGoesThroughInOrder) {
  const std::string large(3 << 20, 'x');
  ASSERT_TRUE(output_.write("before "));
  ASSERT_TRUE(output_.write(large));
  ASSERT_TRUE(output_.write(" after"));
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), "before " + large + " after");
}

TEST_F(OutputTest, JsonKeepsTheOrderOfItsFieldsAndIsAlwaysUtf8) {
  ASSERT_TRUE(write_json(output_, {{"z", 1}, {"a", "bad\xff"}}));
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), "{\n  \"z\": 1,\n  \"a\": \"bad\ufffd\"\n}\n");
}

TEST_F(OutputTest, AListIsWrittenAsIfItWereOneDocument) {
  const ordered_json header{{"experiment", "exp"}, {"tag", "t"}};
  const ordered_json items[] = {{{"a", 1}, {"b", ordered_json::array({1, 2})}}, {{"a", "new\nline"}}};
  ordered_json whole = header;
  whole["items"] = ordered_json::array();
  JsonListWriter list(output_, header, "items");
  for (const ordered_json& item : items) {
    ASSERT_TRUE(list.add(item));
    whole["items"].push_back(item);
  }
  ASSERT_TRUE(list.finish());
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), whole.dump(2) + "\n");
}

TEST_F(OutputTest, AnEmptyListIsADocumentToo) {
  JsonListWriter list(output_, ordered_json::object(), "runs");
  ASSERT_TRUE(list.finish());
  ASSERT_TRUE(output_.flush());
  EXPECT_EQ(written(), "{\n  \"runs\": []\n}\n");
}

TEST(Output, AReaderThatIsGoneIsNoErrorToTellOf) {
  std::signal(SIGPIPE, SIG_IGN);
  int ends[2];
  ASSERT_EQ(::pipe2(ends, O_CLOEXEC), 0);
  const os::Fd writing(ends[1]);
  ::close(ends[0]);
  Output output(writing.get());
  ASSERT_TRUE(output.write("x"));
  const auto flushed = output.flush();
  ASSERT_FALSE(flushed);
  EXPECT_EQ(flushed.error().code, Code::cancelled);
  EXPECT_TRUE(output.reader_is_gone());
}

TEST(Output, AFullDiskIsTold) {
  const os::Fd full = *os::open("/dev/full", O_WRONLY);
  Output output(full.get());
  ASSERT_TRUE(output.write("x"));
  const auto flushed = output.flush();
  ASSERT_FALSE(flushed);
  EXPECT_NE(flushed.error().message.find("No space left"), std::string::npos);
  EXPECT_FALSE(output.reader_is_gone());
}

}  // namespace
}  // namespace studio::cli
