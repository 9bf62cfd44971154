// What is written is sent, whatever becomes of the one who takes it.
#include "engine/live_sender.hpp"

#include <gmock/gmock.h>

#include <atomic>
#include <condition_variable>
#include <fstream>

#include "contract/scratch_directory.hpp"

namespace studio::engine {
namespace {

using testing::ElementsAre;
using testing::Pair;

// Takes as a server does; fails when it is told to.
class Taker final : public blob::LiveFiles {
 public:
  Result<std::uint64_t> append(const blob::LiveFile& file, std::uint64_t offset, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    changed_.notify_all();
    ++calls_;
    if (failure_) return *failure_;
    if (file.file == refused_) return *refusal_;
    std::string& text = files_[file.file];
    if (offset <= text.size() && offset + bytes.size() > text.size())
      text += as_text(bytes).substr(text.size() - offset);
    return text.size();
  }
  Result<void> replace(const blob::LiveFile& file, ByteView bytes) override {
    const std::lock_guard lock(mutex_);
    files_[file.file] = as_text(bytes);
    changed_.notify_all();
    return {};
  }

  void wait_for(const std::string& file, const std::string& text) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return files_[file] == text; });
  }
  void wait_for_another_call() {
    std::unique_lock lock(mutex_);
    const int before = calls_;
    changed_.wait(lock, [&] { return calls_ > before; });
  }
  void fail(std::optional<Error> error) {
    const std::lock_guard lock(mutex_);
    failure_ = std::move(error);
  }
  void refuse(const std::string& file, const Error& error) {
    refused_ = file;
    refusal_ = error;
  }
  void lose(const std::string& file, std::size_t keep) {
    const std::lock_guard lock(mutex_);
    files_[file].resize(keep);
  }
  std::map<std::string, std::string> files() {
    const std::lock_guard lock(mutex_);
    return files_;
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::string, std::string> files_;
  std::optional<Error> failure_;
  std::string refused_;
  std::optional<Error> refusal_;
  int calls_ = 0;
};

class LiveSenderTest : public testing::Test {
 protected:
  LiveSenderTest() {
    write("output", "");
    EXPECT_TRUE(os::make_directories(directory_ / "board/val"));
  }
  void write(const std::string& name, const std::string& text) {
    std::ofstream(directory_ / name, std::ios::binary | std::ios::app) << text;
  }
  LiveSenderOptions options() {
    return {.experiment = "exp",
            .attempt = 3,
            .output_path = directory_ / "output",
            .board_directory = directory_ / "board",
            .resources_path = directory_ / "resources.json"};
  }

  test::ScratchDirectory directory_;
  Taker taker_;
  std::atomic<int> told_ = 0;
  Reporter report_ = [this](Severity, const std::string&) { ++told_; };
};

TEST_F(LiveSenderTest, SendsWhatIsWrittenAsItIsWritten) {
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  taker_.wait_for("output", "one\n");
  write("output", "two\n");
  taker_.wait_for("output", "one\ntwo\n");
  write("board/val/events.out.tfevents.1", "event");
  write("board/notes.txt", "is not shown");
  taker_.wait_for("tb/val/events.out.tfevents.1", "event");
  EXPECT_EQ(told_, 0);
}

TEST_F(LiveSenderTest, TheEndIsSentWhole) {
  const std::string much(5 << 20, 'x');
  LiveSender sender(taker_, report_, options());
  write("output", much);
  write("board/events.out.tfevents.1", "last event");
  write("resources.json", "{}");
  sender.finish({});
  EXPECT_THAT(taker_.files(), ElementsAre(Pair("output", much), Pair("resources.json", "{}"),
                                          Pair("tb/events.out.tfevents.1", "last event")));
}

TEST_F(LiveSenderTest, GoesOnFromWhatTheOtherSideHas) {
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  taker_.wait_for("output", "one\n");
  taker_.lose("output", 1);
  write("output", "two\n");
  taker_.wait_for("output", "one\ntwo\n");
}

TEST_F(LiveSenderTest, TriesAgainWhatMayPass) {
  taker_.fail(Error{Code::unavailable, "away"});
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  taker_.wait_for_another_call();
  taker_.fail(std::nullopt);
  taker_.wait_for("output", "one\n");
  EXPECT_GE(told_, 1);
}

TEST_F(LiveSenderTest, GivesUpWhatIsRefused) {
  taker_.fail(Error{Code::conflict, "does not run"});
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  taker_.wait_for_another_call();
  taker_.fail(std::nullopt);
  sender.finish({});
  EXPECT_THAT(taker_.files(), ElementsAre());
  EXPECT_EQ(told_, 1);
}

TEST_F(LiveSenderTest, AFileThatIsRefusedKeepsNoOtherBack) {
  taker_.refuse("output", Error{Code::exhausted, "too much"});
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  write("board/events.out.tfevents.1", "event");
  taker_.wait_for("tb/events.out.tfevents.1", "event");
  sender.finish({});
  EXPECT_THAT(taker_.files(), ElementsAre(Pair("tb/events.out.tfevents.1", "event")));
  EXPECT_EQ(told_, 1);
}

TEST_F(LiveSenderTest, DoesNotWaitAtTheEndForWhoIsAway) {
  taker_.fail(Error{Code::unavailable, "away"});
  LiveSender sender(taker_, report_, options());
  write("output", "one\n");
  sender.finish({});
  EXPECT_GE(told_, 1);
}

TEST_F(LiveSenderTest, WhatIsNotThereIsNoTrouble) {
  LiveSenderOptions missing = options();
  missing.output_path = directory_ / "none";
  missing.board_directory = directory_ / "output";
  LiveSender sender(taker_, report_, missing);
  sender.finish({});
  EXPECT_EQ(told_, 0);
}

}  // namespace
}  // namespace studio::engine
