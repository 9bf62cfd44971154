// The user's own TensorBoard, run over what experiments wrote for it.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include "base/result.hpp"
#include "content/chunk_store.hpp"
#include "model/content_ref.hpp"

namespace studio::server {

// A directory of event files, under a name.
struct BoardRun {
  std::string name;                       // one component of a path
  std::string live;                       // absolute: where they are written now; empty: they are restored
  std::optional<model::ContentRef> root;  // of the version that is restored
  friend bool operator==(const BoardRun&, const BoardRun&) = default;
};

enum class BoardState {
  starting,
  running,
  failed,  // it ended by itself, or never began
  ended,   // it was asked to, or nobody used it
};
std::string_view name_of(BoardState state);

struct BoardStatus {
  BoardState state = BoardState::starting;
  std::uint16_t port = 0;  // of 127.0.0.1, when it runs
  std::string failure;     // a sentence
  std::string output;      // the last it wrote
};

struct BoardOptions {
  std::string program;    // absolute
  std::string id;         // of its address: what it serves is at "/tb/ID/"
  std::string directory;  // is made for it, and removed when it ends
  std::vector<BoardRun> runs;
  std::chrono::milliseconds idle = std::chrono::minutes(30);  // it ends when nobody has used it for so long
  std::chrono::milliseconds grace = std::chrono::seconds(3);  // from asking it to end to killing it
};

// One process, which a thread of its own starts, watches and ends; it dies with this process. Thread-safe.
class TensorBoard {
 public:
  // Borrows `chunks`, from which runs are restored before the program starts.
  TensorBoard(content::ChunkSource& chunks, BoardOptions options);
  // Ends it, and waits for the end.
  ~TensorBoard();
  TensorBoard(const TensorBoard&) = delete;
  TensorBoard& operator=(const TensorBoard&) = delete;

  const std::string& id() const { return options_.id; }
  const std::vector<BoardRun>& runs() const { return options_.runs; }
  BoardStatus status() const;
  // The same, when it starts no more or `patience` is over.
  BoardStatus wait(std::chrono::milliseconds patience) const;
  // Somebody uses it.
  void use() { used_ = now(); }
  std::chrono::steady_clock::duration last_use() const { return std::chrono::steady_clock::duration(used_); }
  // Does not wait.
  void end() { thread_.request_stop(); }

 private:
  static std::chrono::steady_clock::rep now() { return std::chrono::steady_clock::now().time_since_epoch().count(); }

  struct Process;

  void run(const std::stop_token& stop);
  Result<void> serve(const std::stop_token& stop);
  Result<void> make_directory(const std::stop_token& stop) const;
  Result<Process> start() const;
  void watch(Process& process, const std::stop_token& stop);
  void take_output(Process& process);
  int until_idle() const;
  void set(BoardState state, std::string failure = {});

  content::ChunkSource& chunks_;
  const BoardOptions options_;
  std::atomic<std::chrono::steady_clock::rep> used_{now()};
  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  BoardStatus status_;
  std::jthread thread_;
};

// Of what TensorBoard writes, "TensorBoard 2.20.0 at http://127.0.0.1:40123/tb/ID/ (Press CTRL+C to quit)", the port.
std::optional<std::uint16_t> port_in(std::string_view output);

}  // namespace studio::server
