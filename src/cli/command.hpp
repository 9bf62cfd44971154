// What a command of the program is: it declares its arguments to CLI11 when it is made, and runs.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "cli/arguments.hpp"
#include "cli/config.hpp"
#include "cli/messages.hpp"
#include "cli/output.hpp"
#include "cli/wiring.hpp"

namespace CLI {
class App;
class Option;
}  // namespace CLI

namespace studio::cli {

struct Context {
  const Config& config;  // that of a command which minds no config holds the defaults
  Wiring& wiring;
  Output& output;
  Messages& messages;
};

class Command {
 public:
  virtual ~Command() = default;

  // How it is written: "studio runs show KEY [--attempt N]". For help and hints.
  virtual std::string form() const = 0;
  virtual FlagsStand flags_stand() const { return FlagsStand::anywhere; }
  // Of a command whose flags stand before a script: the script and what follows.
  virtual void take_script(const Arguments&) {}

  virtual bool minds_config() const { return true; }
  // What flags say about the configuration; a usage error if they cannot be honoured.
  virtual Result<ConfigFlags> config_flags() const { return ConfigFlags(); }
  virtual Verbosity verbosity() const { return Verbosity::normal; }

  // Returns the exit code.
  virtual Result<int> run(Context& context) = 0;
};

// Commands and the CLI11 subcommands that their arguments are declared to.
class CommandTable {
 public:
  void add(CLI::App* app, std::unique_ptr<Command> command) { entries_.push_back({app, std::move(command)}); }
  Command* find(const CLI::App* app) const {
    for (const Entry& entry : entries_)
      if (entry.app == app) return entry.command.get();
    return nullptr;
  }

 private:
  struct Entry {
    CLI::App* app;
    std::unique_ptr<Command> command;
  };
  std::vector<Entry> entries_;
};

// One for each file of commands. The root outlives the commands.
void add_run_command(CLI::App& root, CommandTable& commands);
void add_runs_commands(CLI::App& root, CommandTable& commands);
void add_artifacts_commands(CLI::App& root, CommandTable& commands);
void add_content_commands(CLI::App& artifacts, CommandTable& commands);  // of the group `artifacts`
void add_store_commands(CLI::App& root, CommandTable& commands);
void add_ui_command(CLI::App& root, CommandTable& commands);
void add_server_commands(CLI::App& root, CommandTable& commands);
void add_account_commands(CLI::App& server, CommandTable& commands);  // of the group `server`
void add_login_commands(CLI::App& root, CommandTable& commands);
void add_config_command(CLI::App& root, CommandTable& commands);
void add_path_command(CLI::App& root, CommandTable& commands);
void add_completion_command(CLI::App& root, CommandTable& commands);

}  // namespace studio::cli
