// The whole command line: from arguments to the command that is to run.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/command.hpp"

namespace studio::cli {

// Either `command` or `text` is set.
struct Request {
  Command* command = nullptr;
  std::string text;  // to be printed instead: help or the version
};

class CommandLine {
 public:
  CommandLine();
  ~CommandLine();
  CommandLine(const CommandLine&) = delete;
  CommandLine& operator=(const CommandLine&) = delete;

  // To be called once. Every error is a usage error with a hint.
  Result<Request> parse(std::span<const std::string> arguments);

 private:
  Result<Request> parse_group(CLI::App& group, std::span<const std::string> arguments);
  Result<Request> parse_command(CLI::App& app, Command& command, std::span<const std::string> arguments);

  std::unique_ptr<CLI::App> root_;
  CommandTable commands_;
};

}  // namespace studio::cli
