#include "server/tensorboard.hpp"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <csignal>

#include "base/concat.hpp"
#include "content/restore.hpp"
#include "os/child.hpp"
#include "os/error.hpp"
#include "os/fd.hpp"
#include "os/signals.hpp"

namespace studio::server {

namespace {

using Monotonic = std::chrono::steady_clock;
using std::chrono::milliseconds;

constexpr mode_t k_private = 0700;
constexpr std::size_t k_most_output = 4096;

int poll_timeout(Monotonic::duration left) {
  const auto count = std::chrono::ceil<milliseconds>(left).count();
  return static_cast<int>(std::clamp<decltype(count)>(count, 0, 1'000'000'000));
}

// Waits until the process has ended, or is to be waited for no longer.
void await_end(int pidfd, milliseconds patience) {
  const auto deadline = Monotonic::now() + patience;
  pollfd polled{pidfd, POLLIN, 0};
  while (::poll(&polled, 1, poll_timeout(deadline - Monotonic::now())) < 0 && errno == EINTR) {
  }
}

std::string how_it_ended(const os::ChildExit& exit) {
  if (exit.signal) return concat("TensorBoard died of ", os::signal_name(*exit.signal));
  return concat("TensorBoard ended with exit code ", exit.exit_code.value_or(0));
}

}  // namespace

std::string_view name_of(BoardState state) {
  switch (state) {
    case BoardState::starting: return "starting";
    case BoardState::running: return "running";
    case BoardState::failed: return "failed";
    case BoardState::ended: return "ended";
  }
  return "ended";
}

std::optional<std::uint16_t> port_in(std::string_view output) {
  constexpr std::string_view k_before = "http://127.0.0.1:";
  const std::size_t at = output.find(k_before);
  if (at == output.npos) return std::nullopt;
  output.remove_prefix(at + k_before.size());
  std::uint16_t port = 0;
  const auto [end, error] = std::from_chars(output.data(), output.data() + output.size(), port);
  // A number at the end of what was read may go on.
  if (error != std::errc() || end == output.data() + output.size()) return std::nullopt;
  return port;
}

struct TensorBoard::Process {
  os::Child child;
  os::Fd output;
};

TensorBoard::TensorBoard(content::ChunkSource& chunks, BoardOptions options)
    : chunks_(chunks), options_(std::move(options)), thread_([this](const std::stop_token& stop) { run(stop); }) {}

TensorBoard::~TensorBoard() = default;

BoardStatus TensorBoard::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

BoardStatus TensorBoard::wait(milliseconds patience) const {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return status_.state != BoardState::starting; });
  return status_;
}

void TensorBoard::set(BoardState state, std::string failure) {
  const std::lock_guard lock(mutex_);
  status_.state = state;
  status_.failure = std::move(failure);
  changed_.notify_all();
}

void TensorBoard::run(const std::stop_token& stop) {
  const auto served = serve(stop);
  (void)os::remove_tree(options_.directory);
  if (served || stop.stop_requested())
    set(BoardState::ended);
  else
    set(BoardState::failed, served.error().message);
}

Result<void> TensorBoard::serve(const std::stop_token& stop) {
  TRY(make_directory(stop));
  TRY_ASSIGN(Process process, start());
  watch(process, stop);
  TRY_ASSIGN(const auto by_itself, process.child.try_wait());
  if (by_itself) return Error{Code::unavailable, how_it_ended(*by_itself)};
  process.child.signal_group(SIGTERM);
  await_end(process.child.pidfd(), options_.grace);
  process.child.signal_group(SIGKILL);  // itself, or what it left behind
  TRY(process.child.wait());
  return {};
}

Result<void> TensorBoard::make_directory(const std::stop_token& stop) const {
  for (const BoardRun& run : options_.runs) {
    const std::string path = concat(options_.directory, "/", run.name);
    TRY(os::make_directories(run.root ? path : options_.directory, k_private));
    if (run.root) {
      // What could not be made as it was is no event file.
      TRY(content::restore_tree(chunks_, *run.root, path, {.stop = stop}));
    } else if (::symlink(run.live.c_str(), path.c_str()) != 0) {
      return os::system_error("create", path, errno);
    }
  }
  return {};
}

Result<TensorBoard::Process> TensorBoard::start() const {
  TRY_ASSIGN(const os::Fd null, os::open("/dev/null", O_RDONLY));
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) return os::system_error("make", "a pipe", errno);
  os::Fd read_end(ends[0]);
  const os::Fd write_end(ends[1]);
  std::vector<std::string> environment = os::own_environment();
  os::set_variable(environment, "PYTHONUNBUFFERED", "1");  // its port is waited for
  // A directory of directories, not --logdir_spec, which takes no name with a comma or a colon. Its own server, not the
  // faster one of a second process, which would have to be found and ended as well.
  TRY_ASSIGN(os::Child child,
             os::spawn({.argv = {options_.program, "--logdir", options_.directory, "--host", "127.0.0.1", "--port", "0",
                                 "--path_prefix", concat("/tb/", options_.id), "--load_fast=false"},
                        .environment = std::move(environment),
                        .directory = options_.directory,
                        .input = null.get(),
                        .output = write_end.get(),
                        .error = write_end.get(),
                        .role = os::Role::helper,
                        .parent_death_signal = SIGTERM}));
  return Process{std::move(child), std::move(read_end)};
}

// Until it has ended, is to end, or nobody uses it any more.
void TensorBoard::watch(Process& process, const std::stop_token& stop) {
  const os::Fd wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  const std::stop_callback wake_up(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  while (!stop.stop_requested()) {
    const int left = until_idle();
    if (left == 0) return;
    std::array<pollfd, 3> polled{pollfd{process.output.get(), POLLIN, 0}, pollfd{process.child.pidfd(), POLLIN, 0},
                                 pollfd{wake.get(), POLLIN, 0}};
    if (::poll(polled.data(), polled.size(), left) <= 0) continue;
    if (polled[0].revents != 0)
      take_output(process);
    else if (polled[1].revents != 0)
      return;
  }
}

void TensorBoard::take_output(Process& process) {
  std::array<std::byte, 4096> buffer;
  const auto got = os::read_some(process.output, buffer, "TensorBoard");
  if (!got || *got == 0) return process.output.reset();  // poll() passes over descriptor -1
  const std::lock_guard lock(mutex_);
  status_.output.append(as_text(std::span(buffer).first(*got)));
  if (status_.output.size() > k_most_output) status_.output.erase(0, status_.output.size() - k_most_output);
  if (status_.state != BoardState::starting) return;
  if (const auto port = port_in(status_.output)) {
    status_.port = *port;
    status_.state = BoardState::running;
    changed_.notify_all();
  }
}

int TensorBoard::until_idle() const {
  return poll_timeout(last_use() + options_.idle - Monotonic::now().time_since_epoch());
}

}  // namespace studio::server
