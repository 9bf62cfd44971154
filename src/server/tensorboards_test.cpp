#include "server/tensorboards.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/clock.hpp"
#include "base/concat.hpp"
#include "blob/memory.hpp"
#include "content/repository.hpp"
#include "os/process_testing.hpp"
#include "os/process_tree.hpp"

namespace studio::server {
namespace {

using testing::HasSubstr;

constexpr std::chrono::seconds k_long{60};  // only a hang ever meets it

TEST(PortIn, IsOfTheAddressThatIsTold) {
  EXPECT_EQ(port_in("TensorBoard 2.21.0 at http://127.0.0.1:43839/tb/ID/ (Press CTRL+C to quit)\n"), 43839);
  EXPECT_EQ(port_in("some warning\nTensorBoard 2.9 at http://127.0.0.1:80/"), 80);
  for (const char* text : {"", "http://127.0.0.1:", "http://127.0.0.1:43", "http://127.0.0.1:99999/", "at port 80/"})
    EXPECT_EQ(port_in(text), std::nullopt) << text;
}

class TensorBoardsTest : public testing::Test {
 protected:
  TensorBoardsTest() {
    repository_ = content::Repository::open(store_, clock_, {}).value();
    EXPECT_TRUE(os::make_directories(directory_ / "bin"));
    EXPECT_TRUE(os::make_directories(directory_ / "live"));
    directory_.write("live/events", "text");
    boards_ = make_boards();
  }

  // What the program does; $2 is its directory of runs.
  void install(const std::string& script) const {
    directory_.write("bin/tensorboard", concat("#!/bin/sh\n", script, "\n"), 0700);
  }
  static std::string serving() { return "echo $$ $2 http://127.0.0.1:7/; exec sleep 1000"; }

  std::unique_ptr<TensorBoards> make_boards() {
    return std::make_unique<TensorBoards>(
        repository_->chunks(),
        BoardsOptions{.directory = directory_ / "boards", .search = directory_ / "bin", .most = 2});
  }

  std::shared_ptr<TensorBoard> start(const std::string& name) {
    auto board = boards_->start({{.name = name, .live = directory_ / "live", .root = {}}});
    EXPECT_TRUE(board) << board.error().message;
    return *board;
  }

  BoardOptions alone() const {
    return {.program = directory_ / "bin/tensorboard",
            .id = "id",
            .directory = directory_ / "runs",
            .runs = {{.name = "a", .live = directory_ / "live", .root = {}}}};
  }

  static bool is_gone(pid_t pid) {
    return os::eventually([&] {
      const auto process = os::find_process(pid);
      return !process || process->ended;
    });
  }

  test::ScratchDirectory directory_;
  SystemClock clock_;
  blob::MemoryStore store_;
  std::unique_ptr<content::Repository> repository_;
  std::unique_ptr<TensorBoards> boards_;
};

TEST_F(TensorBoardsTest, ShowsWhatIsWrittenAndWhatIsRestored) {
  install(serving());
  auto saved = repository_->save({.path = directory_ / "live"});
  ASSERT_TRUE(saved) << saved.error().message;
  const auto board = boards_->start(
      {{.name = "a", .live = directory_ / "live", .root = {}}, {.name = "b@1", .live = {}, .root = saved->tree.root}});
  ASSERT_TRUE(board) << board.error().message;
  const BoardStatus status = (*board)->wait(k_long);
  ASSERT_EQ(status.state, BoardState::running) << status.failure << status.output;
  EXPECT_EQ(status.port, 7);
  const std::string shown =
      status.output.substr(status.output.find(' ') + 1, status.output.find(" http") - status.output.find(' ') - 1);
  EXPECT_TRUE(std::filesystem::is_symlink(shown + "/a"));
  for (const char* run : {"/a", "/b@1"}) EXPECT_EQ(os::text_of(concat(shown, run, "/events")), "text") << run;
  const auto pid = static_cast<pid_t>(std::stol(status.output));
  boards_->end((*board)->id());
  EXPECT_TRUE(is_gone(pid));
  EXPECT_TRUE(os::eventually([&] { return (*board)->status().state == BoardState::ended; }));
  EXPECT_FALSE(os::exists(shown));
  EXPECT_TRUE(os::exists(directory_ / "live/events"));
  EXPECT_EQ(boards_->find((*board)->id()), nullptr);
}

TEST_F(TensorBoardsTest, SaysWhyItFailed) {
  install("echo no such flag >&2; exit 3");
  const auto board = start("a");
  const BoardStatus status = board->wait(k_long);
  EXPECT_EQ(status.state, BoardState::failed);
  EXPECT_THAT(status.failure, HasSubstr("exit code 3"));
  EXPECT_EQ(status.output, "no such flag\n");
  install(serving());
  const auto again = start("a");
  EXPECT_NE(again->id(), board->id());
  EXPECT_EQ(again->wait(k_long).state, BoardState::running);
  EXPECT_EQ(start("a")->id(), again->id());
}

TEST_F(TensorBoardsTest, OneTooManyEndsTheOneThatNobodyUses) {
  install(serving());
  const auto first = start("a");
  const auto second = start("b");
  const auto pid = static_cast<pid_t>(std::stol((second->wait(k_long), second->status().output)));
  EXPECT_EQ(first->wait(k_long).state, BoardState::running);
  first->use();
  start("c");
  EXPECT_TRUE(is_gone(pid));
  EXPECT_EQ(boards_->find(second->id()), nullptr);
  EXPECT_NE(boards_->find(first->id()), nullptr);
}

TEST_F(TensorBoardsTest, EndsWhenNobodyUsesIt) {
  install(serving());
  BoardOptions options = alone();
  options.idle = std::chrono::milliseconds(1);
  const TensorBoard board(repository_->chunks(), options);
  EXPECT_TRUE(os::eventually([&] { return board.status().state == BoardState::ended; }));
  EXPECT_FALSE(os::exists(options.directory));
}

TEST_F(TensorBoardsTest, IsKilledIfItDoesNotEndWhenItIsAskedTo) {
  install("trap '' TERM; echo $$ http://127.0.0.1:7/; while :; do sleep 1000; done");
  BoardOptions options = alone();
  options.grace = std::chrono::milliseconds(1);
  std::optional<TensorBoard> board(std::in_place, repository_->chunks(), options);
  const auto pid = static_cast<pid_t>(std::stol(board->wait(k_long).output));
  board.reset();
  EXPECT_TRUE(is_gone(pid));
}

TEST_F(TensorBoardsTest, NothingIsStartedWhenTheServerEnds) {
  EXPECT_EQ(boards_->start({}).error().code, Code::unsupported) << "it is not installed";
  install(serving());
  const auto board = start("a");
  EXPECT_EQ(board->wait(k_long).state, BoardState::running);
  boards_->close();
  EXPECT_TRUE(os::eventually([&] { return board->status().state == BoardState::ended; }));
  EXPECT_EQ(boards_->start({}).error().code, Code::unavailable);
}

TEST_F(TensorBoardsTest, WhatAKilledServerLeftIsRemoved) {
  install(serving());
  EXPECT_EQ(start("a")->wait(k_long).state, BoardState::running);
  ASSERT_TRUE(os::make_directories(directory_ / "boards/server-dead/id/a"));
  directory_.write("boards/server-dead.lock", "");
  const auto second = make_boards();
  EXPECT_FALSE(os::exists(directory_ / "boards/server-dead"));
  EXPECT_FALSE(os::exists(directory_ / "boards/server-dead.lock"));
  EXPECT_FALSE(std::filesystem::is_empty(directory_ / "boards")) << "the first one's is in use";
  boards_.reset();
  EXPECT_TRUE(std::filesystem::is_empty(directory_ / "boards"));
}

}  // namespace
}  // namespace studio::server
