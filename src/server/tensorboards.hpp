// The TensorBoards that run behind the server.
#pragma once

#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "content/chunk_store.hpp"
#include "os/file_lock.hpp"
#include "server/tensorboard.hpp"

namespace studio::server {

struct BoardsOptions {
  std::string directory;  // absolute, for what is restored; several servers may share it. It need not be there
  std::string search;     // colon-separated directories: where `tensorboard` is looked for
  std::size_t most = 4;   // that run at a time: one more ends the one that was used the longest time ago
};

// Thread-safe.
class TensorBoards {
 public:
  // Removes what servers that were killed left in the directory. Borrows `chunks`.
  TensorBoards(content::ChunkSource& chunks, BoardsOptions options);
  // Ends all of them, and waits for their ends.
  ~TensorBoards();
  TensorBoards(const TensorBoards&) = delete;
  TensorBoards& operator=(const TensorBoards&) = delete;

  // One that shows just these, which may run already. `unsupported` if there is no TensorBoard on this machine.
  Result<std::shared_ptr<TensorBoard>> start(std::vector<BoardRun> runs);
  // Nothing if none has that id.
  std::shared_ptr<TensorBoard> find(std::string_view id) const;
  // Ends the one of that id, if there is one.
  void end(std::string_view id);
  // No more are started; those that run are ended. Does not wait.
  void close();

 private:
  Result<void> take_place();
  void remove_leftovers() const;

  content::ChunkSource& chunks_;
  const BoardsOptions options_;
  mutable std::mutex mutex_;
  bool closed_ = false;
  std::string place_;                 // our own in the directory, once there is one
  std::optional<os::FileLock> lock_;  // on "PLACE.lock"
  std::vector<std::shared_ptr<TensorBoard>> boards_;
};

}  // namespace studio::server
