// What a running attempt writes, as it is written, where others can look at it: the output, the files for TensorBoard.
// The store gets all of it with the captures; this is for who looks on meanwhile.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::blob {

// What there is of an attempt: its output, the directory that it writes for TensorBoard into, and what it used.
inline constexpr const char* k_live_output = "output";
inline constexpr const char* k_live_board = "tb";
inline constexpr const char* k_live_resources = "resources.json";

// Which file of which attempt. `file` is a path below the attempt, of names that Linux takes, at most 1,024 bytes in
// all: "output", "tb/run 1/events.out…".
struct LiveFile {
  std::string experiment;
  std::uint64_t attempt = 0;
  std::string file;
};
// `invalid` if it names nothing below the attempt.
Result<void> check_live_file(const LiveFile& name);

// Thread-safe. A loss costs nothing but that nobody can look on: nothing here is durable. `conflict` where the attempt
// is known not to run any more; `exhausted` where no more of it is taken.
class LiveFiles {
 public:
  virtual ~LiveFiles() = default;

  // Adds what the bytes, which begin at `offset` of the file, have beyond its end, and returns its size. If that is
  // less than `offset` nothing was added: the caller goes on from there. So a call may be made again.
  virtual Result<std::uint64_t> append(const LiveFile& file, std::uint64_t offset, ByteView bytes) = 0;
  // The file holds these bytes from now on.
  virtual Result<void> replace(const LiveFile& file, ByteView bytes) = 0;
};

}  // namespace studio::blob
