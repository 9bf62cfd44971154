#include "os/signals.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <array>
#include <thread>

namespace studio::os {
namespace {

bool is_blocked(int signal) {
  sigset_t present;
  ::pthread_sigmask(SIG_SETMASK, nullptr, &present);
  return sigismember(&present, signal) == 1;
}

bool readable(int fd) {
  pollfd polled{fd, POLLIN, 0};
  return ::poll(&polled, 1, 0) == 1;
}

TEST(SignalFd, HandsOutSignalsInsteadOfDelivering) {
  auto signals = SignalFd::make(std::array{SIGUSR1, SIGUSR2});
  ASSERT_TRUE(signals);
  EXPECT_FALSE(readable(signals->fd()));
  EXPECT_FALSE(signals->read().value().has_value());
  ASSERT_EQ(::kill(::getpid(), SIGUSR1), 0);  // would end the test if it were delivered
  EXPECT_TRUE(readable(signals->fd()));
  const auto received = signals->read().value();
  ASSERT_TRUE(received);
  EXPECT_EQ(received->number, SIGUSR1);
  EXPECT_EQ(received->sender, ::getpid());
  EXPECT_FALSE(signals->read().value().has_value());
}

TEST(SignalFd, HoldsBackFromThreadsStartedLater) {
  auto signals = SignalFd::make(std::array{SIGUSR1});
  ASSERT_TRUE(signals);
  bool blocked_there = false;
  std::thread([&] {
    blocked_there = is_blocked(SIGUSR1);
    ::kill(::getpid(), SIGUSR1);
  }).join();
  EXPECT_TRUE(blocked_there);
  const auto received = signals->read().value();
  ASSERT_TRUE(received);
  EXPECT_EQ(received->number, SIGUSR1);
}

TEST(SignalFd, RestoresTheMask) {
  sigset_t usr2;
  sigemptyset(&usr2);
  sigaddset(&usr2, SIGUSR2);
  ::pthread_sigmask(SIG_BLOCK, &usr2, nullptr);
  {
    auto signals = SignalFd::make(std::array{SIGUSR1, SIGUSR2});
    ASSERT_TRUE(signals);
    const SignalFd moved = std::move(*signals);
    EXPECT_TRUE(is_blocked(SIGUSR1));
  }
  EXPECT_FALSE(is_blocked(SIGUSR1));
  EXPECT_TRUE(is_blocked(SIGUSR2)) << "was blocked before";
  ::pthread_sigmask(SIG_UNBLOCK, &usr2, nullptr);
}

TEST(SignalFd, ReceivesWhatIsIgnored) {
  ::signal(SIGUSR1, SIG_IGN);
  EXPECT_EQ(ignored_among(std::array{SIGUSR2, SIGUSR1}), std::vector<int>{SIGUSR1});
  {
    auto signals = SignalFd::make(std::array{SIGUSR1});
    ASSERT_TRUE(signals);
    ::kill(::getpid(), SIGUSR1);
    EXPECT_TRUE(signals->read().value().has_value());
  }
  ::signal(SIGUSR1, SIG_DFL);
  EXPECT_TRUE(ignored_among(std::array{SIGUSR1}).empty());
}

TEST(SignalFd, RefusesWhatIsNoSignal) { EXPECT_FALSE(SignalFd::make(std::array{4711})); }

TEST(SignalNames, AreThoseThatPeopleKnow) {
  EXPECT_EQ(signal_name(SIGTERM), "SIGTERM");
  EXPECT_EQ(signal_name(SIGKILL), "SIGKILL");
  EXPECT_EQ(signal_name(SIGABRT), "SIGABRT");
  EXPECT_EQ(signal_name(SIGCHLD), "SIGCHLD");
  EXPECT_EQ(signal_name(SIGRTMIN + 3), "SIGRTMIN+3");
  EXPECT_EQ(signal_name(999), "signal 999");
}

}  // namespace
}  // namespace studio::os
