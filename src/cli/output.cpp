#include "cli/output.hpp"

#include <cerrno>
#include <cstdlib>

#include <nlohmann/json.hpp>

#include "base/concat.hpp"
#include "os/error.hpp"
#include "os/terminal.hpp"

namespace studio::cli {

namespace {

constexpr std::size_t k_most_held = 1 << 20;
constexpr int k_indent = 2;

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

bool is_dumb_terminal() {
  const char* term = std::getenv("TERM");
  return term == nullptr || std::string_view(term) == "dumb";
}

std::string dump(const nlohmann::ordered_json& json) {
  return json.dump(k_indent, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

// The document as a part of another one. There is no newline in a JSON text but those between its tokens.
std::string indented(const std::string& document, std::size_t spaces) {
  std::string text(spaces, ' ');
  for (const char c : document) {
    text += c;
    if (c == '\n') text.append(spaces, ' ');
  }
  return text;
}

}  // namespace

Output::Output(int fd) : fd_(fd), is_terminal_(os::is_terminal(fd)) {
  if (!is_terminal_) return;
  width_ = os::terminal_width(fd);
  uses_colours_ = !is_set("NO_COLOR") && !is_dumb_terminal();
}

Result<void> Output::write(ByteView bytes) {
  if (held_.size() + bytes.size() <= k_most_held) {
    held_.append(as_text(bytes));
    return {};
  }
  TRY(flush());
  return write_through(bytes);
}

Result<void> Output::flush() {
  const std::string bytes = std::move(held_);
  held_.clear();
  return write_through(as_bytes(bytes));
}

Result<void> Output::write_through(ByteView bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd_, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0 && errno == EPIPE) {
      reader_is_gone_ = true;
      return Error{Code::cancelled, "nobody reads standard output any more"};
    }
    if (written < 0) {
      Error error = os::system_error("write to", "standard output", errno);
      error.code = Code::internal;  // whatever it is, the command line is not to blame
      return error;
    }
    bytes = bytes.subspan(static_cast<std::size_t>(written));
  }
  return {};
}

Result<void> write_json(Output& output, const nlohmann::ordered_json& document) {
  return output.write(dump(document) + "\n");
}

JsonListWriter::JsonListWriter(Output& output, const nlohmann::ordered_json& header, std::string_view name)
    : output_(output), opening_("{\n") {
  for (const auto& [field, value] : header.items()) opening_ += concat("  ", dump(field), ": ", dump(value), ",\n");
  opening_ += concat("  ", dump(name), ": [");
}

Result<void> JsonListWriter::add(const nlohmann::ordered_json& item) {
  TRY(output_.write(concat(is_empty_ ? opening_ : ",", "\n", indented(dump(item), 2 * k_indent))));
  is_empty_ = false;
  return {};
}

Result<void> JsonListWriter::finish() { return output_.write(is_empty_ ? opening_ + "]\n}\n" : "\n  ]\n}\n"); }

}  // namespace studio::cli
