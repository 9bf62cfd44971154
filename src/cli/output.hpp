// Standard output: the data that a command gives.
#pragma once

#include <unistd.h>

#include <string>
#include <string_view>

#include <nlohmann/json_fwd.hpp>

#include "base/bytes.hpp"
#include "base/result.hpp"

namespace studio::cli {

// Collects small writes. A command that fails early has written nothing: what is still held then is discarded. Not
// thread-safe.
class Output {
 public:
  explicit Output(int fd = STDOUT_FILENO);

  Result<void> write(ByteView bytes);
  Result<void> write(std::string_view text) { return write(as_bytes(text)); }
  // To be called at the end; also makes errors known that a file system tells only now.
  Result<void> flush();

  // The reader closed the pipe (`studio artifacts cat … | head`): write() failed with `cancelled`, and there is nothing
  // to tell anyone. The program ends with 0, as if the reader had taken all: it took all it wanted.
  bool reader_is_gone() const { return reader_is_gone_; }

  bool is_terminal() const { return is_terminal_; }
  // Columns that a table should fit in; 0 where nobody looks: no limit.
  int width() const { return width_; }
  // Only on a terminal, and not with NO_COLOR (no-color.org) or TERM=dumb.
  bool uses_colours() const { return uses_colours_; }

 private:
  Result<void> write_through(ByteView bytes);

  const int fd_;
  const bool is_terminal_;
  int width_ = 0;
  bool uses_colours_ = false;
  bool reader_is_gone_ = false;
  std::string held_;
};

// A document, indented by two, with a newline at its end.
Result<void> write_json(Output& output, const nlohmann::ordered_json& document);

// A document whose last field is an array that may be too long to hold: {…header fields, "name": [item, …]}. finish()
// must be called at the end.
class JsonListWriter {
 public:
  // `header` is an object.
  JsonListWriter(Output& output, const nlohmann::ordered_json& header, std::string_view name);
  Result<void> add(const nlohmann::ordered_json& item);
  Result<void> finish();

 private:
  Output& output_;
  std::string opening_;  // written with the first item
  bool is_empty_ = true;
};

}  // namespace studio::cli
