#include "server/tensorboard_routes.hpp"

#include <algorithm>
#include <chrono>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "server/answer.hpp"
#include "server/board_proxy.hpp"
#include "server/find.hpp"
#include "server/guard.hpp"
#include "view/text.hpp"

namespace studio::server {

namespace {

using nlohmann::ordered_json;

constexpr std::size_t k_most_runs = 100;
// A request is held for so long while it starts, which takes Python some seconds.
constexpr std::chrono::seconds k_patience{10};

std::string prefix_of(const TensorBoard& board) { return concat("/tb/", board.id(), "/"); }

ordered_json board_json(const TensorBoard& board, const BoardStatus& status) {
  return {{"id", board.id()},
          {"url", prefix_of(board)},
          {"state", name_of(status.state)},
          {"failure", view::text_or_null(status.failure)},
          {"output", to_utf8(status.output)}};
}

// Of "KEY", which is its last attempt, or "KEY/N". Nothing if it has left nothing for TensorBoard.
Result<std::optional<BoardRun>> run_of(const Backend& backend, const std::string& text) {
  const std::size_t slash = text.find('/');
  const std::string key = text.substr(0, slash);
  TRY_ASSIGN(const model::Experiment experiment, find_experiment(backend, key));
  model::Attempt attempt = experiment.last();
  if (slash != text.npos) {
    TRY_ASSIGN(attempt, find_attempt(backend, key, text.substr(slash + 1)));
  }
  // No key has a '@'.
  const std::string name = attempt.number == experiment.last().number ? key : concat(key, "@", attempt.number);
  if (const auto path = find_live_board(backend, key, attempt))
    return std::optional(BoardRun{.name = name, .live = *path, .root = {}});
  TRY_ASSIGN(const auto version, find_last_version(backend, key, attempt, k_tensorboard));
  if (!version) return std::optional<BoardRun>();
  return std::optional(BoardRun{.name = name, .live = {}, .root = version->root});
}

Result<void> start_board(const Backend& backend, TensorBoards& boards, Call& call) {
  std::vector<BoardRun> runs;
  for (const auto& [name, value] : call.target.query) {
    if (name != "experiment") continue;
    TRY(Guard::check_experiment(backend.catalog, call.identity, Access::read, value.substr(0, value.find('/'))));
    TRY_ASSIGN(auto run, run_of(backend, value));
    if (run) runs.push_back(*std::move(run));
  }
  std::ranges::sort(runs, {}, &BoardRun::name);
  const auto same = std::ranges::unique(runs, {}, &BoardRun::name);
  runs.erase(same.begin(), same.end());
  if (runs.empty())
    return Error{Code::invalid, "none of the experiments has left anything for TensorBoard",
                 "the parameter 'experiment' names one; what a script writes for TensorBoard is its artifact 'tb'"};
  if (runs.size() > k_most_runs)
    return Error{Code::invalid, concat("TensorBoard is shown at most ", k_most_runs, " experiments at a time")};
  TRY_ASSIGN(const auto board, boards.start(std::move(runs)));
  answer_json(call, board_json(*board, board->status()), 202);
  return {};
}

Result<std::shared_ptr<TensorBoard>> find_board(const TensorBoards& boards, const Call& call) {
  if (auto board = boards.find(call.name("id"))) return board;
  return Error{Code::not_found, "this TensorBoard has ended", "start it again from the page of its experiments"};
}

Result<void> show_board(const TensorBoards& boards, Call& call) {
  TRY_ASSIGN(const auto board, find_board(boards, call));
  answer_json(call, board_json(*board, board->wait(k_patience)));
  return {};
}

Result<void> end_board(TensorBoards& boards, Call& call) {
  boards.end(call.name("id"));
  answer_json(call, {{"id", to_utf8(call.name("id"))}, {"state", name_of(BoardState::ended)}});
  return {};
}

Result<void> forward(const TensorBoards& boards, Call& call) {
  TRY_ASSIGN(const auto board, find_board(boards, call));
  const std::string prefix = prefix_of(*board);
  // The program gets the target as it was sent, which was understood decoded.
  if (!call.request().target.starts_with(prefix)) return Error{Code::not_found, "there is nothing at this address"};
  board->use();
  const BoardStatus status = board->wait(k_patience);
  if (status.state == BoardState::starting) return Error{Code::unavailable, "TensorBoard is starting", "try again"};
  if (status.state != BoardState::running)
    return Error{Code::unavailable, status.failure.empty() ? "this TensorBoard has ended" : status.failure,
                 "start it again from the page of its experiments"};
  auto done = forward_to_board(call, status.port, prefix);
  board->use();  // a long answer counts to its end
  return done;
}

}  // namespace

void add_tensorboard_routes(Router& router, const Backend& backend, TensorBoards& boards) {
  router.add(
      {"POST", "/api/v1/tensorboards", Access::own, [&](Call& call) { return start_board(backend, boards, call); }});
  router.add({"GET", "/api/v1/tensorboards/{id}", Access::read, [&](Call& call) { return show_board(boards, call); }});
  const auto handed_on = [&](Call& call) { return forward(boards, call); };
  for (const char* pattern : {"/tb/{id}/", "/tb/{id}/{path...}"})
    for (const char* method : {"GET", "POST"}) router.add({method, pattern, Access::board, handed_on});
  router.add({"DELETE", "/api/v1/tensorboards/{id}", Access::own, [&](Call& call) { return end_board(boards, call); }});
}

}  // namespace studio::server
