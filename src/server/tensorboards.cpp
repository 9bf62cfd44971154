#include "server/tensorboards.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

#include "base/concat.hpp"
#include "os/atomic_file.hpp"
#include "os/directory.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"
#include "server/secret.hpp"

namespace studio::server {

namespace {

constexpr mode_t k_private = 0700;
constexpr std::string_view k_lock = ".lock";

bool is_alive(const TensorBoard& board) {
  const BoardState state = board.status().state;
  return state == BoardState::starting || state == BoardState::running;
}

}  // namespace

TensorBoards::TensorBoards(content::ChunkSource& chunks, BoardsOptions options)
    : chunks_(chunks), options_(std::move(options)) {
  remove_leftovers();
}

TensorBoards::~TensorBoards() {
  close();
  boards_.clear();
  if (!lock_) return;
  (void)os::remove_tree(place_);
  ::unlink(concat(place_, k_lock).c_str());
}

// Whose lock is free has no server any more.
void TensorBoards::remove_leftovers() const {
  const auto directory = os::open(options_.directory, O_RDONLY | O_DIRECTORY);
  if (!directory) return;
  const auto names = os::names_in(directory->get(), options_.directory);
  if (!names) return;
  for (const std::string& name : *names) {
    if (!name.ends_with(k_lock)) continue;
    const std::string path = concat(options_.directory, "/", name);
    const auto lock = os::FileLock::try_acquire(path);
    if (!lock || !*lock) continue;
    (void)os::remove_tree(path.substr(0, path.size() - k_lock.size()));
    ::unlink(path.c_str());
  }
}

Result<void> TensorBoards::take_place() {
  if (lock_) return {};
  TRY(os::make_directories(options_.directory, k_private));
  place_ = os::unique_path(options_.directory, "server");
  TRY_ASSIGN(lock_, os::FileLock::acquire(concat(place_, k_lock)));
  return os::make_directories(place_, k_private);
}

Result<std::shared_ptr<TensorBoard>> TensorBoards::start(std::vector<BoardRun> runs) {
  const auto program = os::find_program("tensorboard", options_.search, "/");
  if (!program) return Error{Code::unsupported, "TensorBoard is not installed", "pip install tensorboard"};
  TRY_ASSIGN(const std::string id, make_secret());
  std::shared_ptr<TensorBoard> superfluous;  // its end is waited for when the lock is free again
  const std::lock_guard lock(mutex_);
  if (closed_) return Error{Code::unavailable, "the server ends"};
  for (const auto& board : boards_) {
    if (board->runs() != runs || !is_alive(*board)) continue;
    board->use();
    return board;
  }
  TRY(take_place());
  if (boards_.size() >= options_.most) {
    const auto oldest = std::ranges::min_element(
        boards_, {}, [](const auto& board) { return std::pair(is_alive(*board), board->last_use()); });
    (*oldest)->end();
    superfluous = std::move(*oldest);
    boards_.erase(oldest);
  }
  boards_.push_back(std::make_shared<TensorBoard>(
      chunks_,
      BoardOptions{.program = *program, .id = id, .directory = concat(place_, "/", id), .runs = std::move(runs)}));
  return boards_.back();
}

std::shared_ptr<TensorBoard> TensorBoards::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(boards_, id, [](const auto& board) -> std::string_view { return board->id(); });
  return found == boards_.end() ? nullptr : *found;
}

void TensorBoards::end(std::string_view id) {
  std::shared_ptr<TensorBoard> board;
  const std::lock_guard lock(mutex_);
  const auto found = std::ranges::find(boards_, id, [](const auto& each) -> std::string_view { return each->id(); });
  if (found == boards_.end()) return;
  (*found)->end();  // who asks it something just now keeps it
  board = std::move(*found);
  boards_.erase(found);
}

void TensorBoards::close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  for (const auto& board : boards_) board->end();
}

}  // namespace studio::server
