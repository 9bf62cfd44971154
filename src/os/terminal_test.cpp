#include "os/terminal.hpp"

#include <gtest/gtest.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>

#include "os/child.hpp"
#include "os/process_testing.hpp"
#include "os/signals.hpp"

namespace studio::os {
namespace {

// In a scenario, which runs in a process of its own: ends it with the number of the line that failed.
#define REQUIRE(condition) \
  if (!(condition)) ::_exit(__LINE__ % 255 + 1)

// A process that leads a session with a terminal of its own, and the keyboard and screen of that terminal.
class Desk {
 public:
  explicit Desk(void (*scenario)()) {
    int master = -1;
    pid_ = ::forkpty(&master, nullptr, nullptr, nullptr);
    if (pid_ == 0) {
      ::alarm(120);  // should the test itself die
      scenario();
      ::_exit(0);
    }
    screen_ = Fd(master);
  }
  ~Desk() {
    if (pid_ > 0) ::kill(pid_, SIGKILL);
    if (pid_ > 0) ::waitpid(pid_, nullptr, 0);
  }
  Desk(const Desk&) = delete;
  Desk& operator=(const Desk&) = delete;

  void type(std::string_view keys) { (void)write_all(screen_, as_bytes(keys), "terminal"); }

  // Reads the screen until `text` has appeared on it; what stands before it is forgotten.
  bool shows(std::string_view text) {
    return eventually([&] {
      const std::size_t at = seen_.find(text);
      if (at == std::string::npos) {
        look();
        return false;
      }
      seen_.erase(0, at + text.size());
      return true;
    });
  }

  // 0, or the line of the scenario that failed.
  int result() {
    int status = 0;
    const bool ended = eventually([&] {
      look();
      return ::waitpid(pid_, &status, WNOHANG) == pid_;
    });
    if (!ended) return -1;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  void look() {
    pollfd polled{screen_.get(), POLLIN, 0};
    std::array<std::byte, 4096> buffer;
    if (::poll(&polled, 1, 0) != 1 || (polled.revents & POLLIN) == 0) return;
    if (const auto got = read_some(screen_, buffer, "terminal")) seen_.append(as_text(std::span(buffer).first(*got)));
  }

  pid_t pid_ = 0;
  Fd screen_;
  std::string seen_;
};

Result<Child> script(const std::string& text, const ControllingTerminal* terminal) {
  return spawn({.argv = {"/bin/sh", "-c", text},
                .environment = own_environment(),
                .foreground_terminal = terminal == nullptr ? -1 : terminal->fd_if_foreground()});
}

bool echoes(int fd) {
  termios modes{};
  return ::tcgetattr(fd, &modes) == 0 && (modes.c_lflag & ECHO) != 0;
}

void set_echo(int fd, bool on) {
  termios modes{};
  ::tcgetattr(fd, &modes);
  modes.c_lflag = on ? modes.c_lflag | ECHO : modes.c_lflag & ~static_cast<tcflag_t>(ECHO);
  ::tcsetattr(fd, TCSANOW, &modes);
}

TEST(Terminal, IsRecognisedAndMeasured) {
  int master = -1;
  int slave = -1;
  ASSERT_EQ(::openpty(&master, &slave, nullptr, nullptr, nullptr), 0);
  const Fd screen(master);
  const Fd terminal(slave);
  const Fd null = open("/dev/null", O_RDWR).value();
  EXPECT_TRUE(is_terminal(slave));
  EXPECT_FALSE(is_terminal(null.get()));
  EXPECT_FALSE(is_terminal(-1));
  EXPECT_EQ(terminal_width(slave), 80);  // not set yet
  const winsize size{24, 132, 0, 0};
  ASSERT_EQ(::ioctl(slave, TIOCSWINSZ, &size), 0);
  EXPECT_EQ(terminal_width(slave), 132);
  EXPECT_EQ(terminal_width(null.get()), 80);
  EXPECT_FALSE(ControllingTerminal::find(null.get()));
  EXPECT_FALSE(ControllingTerminal::find(slave)) << "it is not the terminal of our session";
}

TEST(Terminal, LetsAScriptReadFromIt) {
  Desk desk([] {
    auto terminal = ControllingTerminal::find(0);
    REQUIRE(terminal);
    REQUIRE(terminal->fd_if_foreground() == 0);
    auto child = script("printf 'name? '; read name; echo hello $name", &*terminal);
    REQUIRE(child);
    terminal->given_to(child->pid());
    REQUIRE(terminal->fd_if_foreground() == -1);
    const auto exit = child->wait();
    REQUIRE(exit && exit->exit_code == 0);
    terminal->take_back();
    REQUIRE(terminal->fd_if_foreground() == 0);
    terminal->take_back();
    REQUIRE(terminal->fd_if_foreground() == 0);
  });
  ASSERT_TRUE(desk.shows("name? "));
  desk.type("studio\n");
  EXPECT_TRUE(desk.shows("hello studio"));
  EXPECT_EQ(desk.result(), 0);
}

TEST(Terminal, SendsInterruptsToTheScriptAlone) {
  Desk desk([] {
    auto terminal = ControllingTerminal::find(0);
    REQUIRE(terminal);
    // Not a shell: one that is about to start the next command may take the signal and go on.
    auto child =
        spawn({.argv = {"cat"}, .environment = own_environment(), .foreground_terminal = terminal->fd_if_foreground()});
    REQUIRE(child);
    terminal->given_to(child->pid());
    ::printf("ready\n");
    ::fflush(stdout);
    const auto exit = child->wait();
    REQUIRE(exit && exit->signal == SIGINT);
    terminal->take_back();
  });
  ASSERT_TRUE(desk.shows("ready"));
  desk.type("\x03");
  EXPECT_EQ(desk.result(), 0);
}

TEST(Terminal, StopsAndGoesOnWithItsModes) {
  Desk desk([] {
    auto terminal = ControllingTerminal::find(0);
    REQUIRE(terminal);
    auto child = script("stty -echo; printf 'password? '; read word; echo got $word", &*terminal);
    REQUIRE(child);
    terminal->given_to(child->pid());
    std::optional<int> signal;
    REQUIRE(eventually([&] { return (signal = stop_signal_of(*child)).has_value(); }));
    REQUIRE(*signal == SIGTSTP);
    REQUIRE(!stop_signal_of(*child));
    terminal->take_back();
    REQUIRE(terminal->fd_if_foreground() == 0);
    stop_our_group();   // returns at once: nobody could continue a session leader
    set_echo(0, true);  // as a shell does
    REQUIRE(terminal->give_to(child->pid()));
    REQUIRE(!echoes(0));
    REQUIRE(child->signal_group(SIGCONT));
    ::printf("continued\n");
    ::fflush(stdout);
    const auto exit = child->wait();
    REQUIRE(exit && exit->exit_code == 0);
    terminal->take_back();
  });
  ASSERT_TRUE(desk.shows("password? "));
  desk.type("\x1a");
  ASSERT_TRUE(desk.shows("continued"));
  desk.type("secret\n");
  EXPECT_TRUE(desk.shows("got secret"));
  EXPECT_EQ(desk.result(), 0);
}

// What a job of a shell with job control does; returns the job's exit status, or the signal that stopped it, negative.
template <class Job>
int run_job(Job job, bool in_foreground) {
  const pid_t shell_group = ::getpgrp();
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::setpgid(0, 0);
    if (in_foreground) {
      ::signal(SIGTTOU, SIG_IGN);
      ::tcsetpgrp(0, ::getpid());
      ::signal(SIGTTOU, SIG_DFL);
    }
    job();
    ::_exit(0);
  }
  int status = 0;
  REQUIRE(::waitpid(pid, &status, WUNTRACED) == pid);
  if (WIFSTOPPED(status)) {
    const int stopped_by = WSTOPSIG(status);
    ::kill(-pid, SIGCONT);
    REQUIRE(::waitpid(pid, &status, 0) == pid);
    REQUIRE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    status = -stopped_by;
  } else {
    REQUIRE(WIFEXITED(status));
    status = WEXITSTATUS(status);
  }
  ::signal(SIGTTOU, SIG_IGN);
  ::tcsetpgrp(0, shell_group);
  ::signal(SIGTTOU, SIG_DFL);
  return status;
}

TEST(Terminal, StopsOurGroupForTheShell) {
  Desk desk([] {
    REQUIRE(run_job([] { stop_our_group(); }, true) == -SIGTSTP);
    REQUIRE(run_job(
                [] {
                  auto signals = SignalFd::make(std::array{SIGTSTP, SIGCONT});
                  REQUIRE(signals);
                  stop_our_group();
                  const auto received = signals->read();
                  REQUIRE(received && received->has_value() && (*received)->number == SIGCONT);
                  REQUIRE(!signals->read()->has_value());
                },
                true) == -SIGTSTP);
  });
  EXPECT_EQ(desk.result(), 0);
}

TEST(Terminal, IsNotTakenByABackgroundJob) {
  Desk desk([] {
    REQUIRE(run_job(
                [] {
                  auto terminal = ControllingTerminal::find(0);
                  REQUIRE(terminal);
                  REQUIRE(terminal->fd_if_foreground() == -1);
                  const pid_t holder = ::tcgetpgrp(0);
                  auto child = script("read line", &*terminal);
                  REQUIRE(child);
                  REQUIRE(!terminal->give_to(child->pid()));
                  std::optional<int> signal;
                  REQUIRE(eventually([&] { return (signal = stop_signal_of(*child)).has_value(); }));
                  REQUIRE(*signal == SIGTTIN);
                  terminal->take_back();
                  REQUIRE(::tcgetpgrp(0) == holder);
                  child->signal_group(SIGKILL);
                  REQUIRE(child->wait());
                },
                false) == 0);
  });
  EXPECT_EQ(desk.result(), 0);
}

}  // namespace
}  // namespace studio::os
