// The program: arguments to a command, the command to its configuration, the result to an exit code.
#include <csignal>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/config.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/messages.hpp"
#include "cli/output.hpp"
#include "cli/wiring.hpp"
#include "os/child.hpp"
#include "os/paths.hpp"

namespace {

using namespace studio;
using namespace studio::cli;

int fail(Messages& messages, const Error& error, int code) {
  messages.error(error);
  return code;
}

// Exit code of a command that has run, once its output is out.
int finish(const Result<int>& result, Output& output, Messages& messages) {
  messages.erase_progress();
  if (!result) {
    if (output.reader_is_gone()) return k_exit_success;
    output.discard();
    return fail(messages, result.error(), exit_code_of(result.error()));
  }
  if (const auto flushed = output.flush(); !flushed && !output.reader_is_gone())
    return fail(messages, flushed.error(), k_exit_failure);
  return *result;
}

Result<ConfigSources> find_sources(const Command& command) {
  ConfigSources sources;
  TRY_ASSIGN(sources.directory, os::current_directory());
  sources.environment = os::own_environment();
  TRY_ASSIGN(sources.home, locate_home(sources.environment, sources.directory));
  TRY_ASSIGN(sources.flags, command.config_flags());
  return sources;
}

int run_program(const std::vector<std::string>& arguments) {
  Messages messages;
  Output output;
  CommandLine command_line;
  const auto request = command_line.parse(arguments);
  if (!request) return fail(messages, request.error(), exit_code_of(request.error()));
  if (request->command == nullptr) return finish(output.write(request->text) ? Result<int>(0) : Result<int>(Error{}), output, messages);

  Command& command = *request->command;
  messages.set_verbosity(command.verbosity());
  const auto sources = find_sources(command);
  if (!sources) return fail(messages, sources.error(), exit_code_of(sources.error()));
  Config config = default_config(sources->home);
  if (command.minds_config()) {
    auto loaded = load_config(*sources);
    if (!loaded) return fail(messages, loaded.error(), k_exit_config);
    config = std::move(*loaded);
    for (const std::string& warning : config.warnings) messages.report(engine::Severity::warning, warning);
  }
  Wiring wiring(sources->home, messages);
  wiring.set_config(config);
  Context context{config, wiring, output, messages};
  return finish(command.run(context), output, messages);
}

}  // namespace

int main(int count, char** values) {
  // A reader that goes away shows as an error of write(2).
  ::signal(SIGPIPE, SIG_IGN);
  return run_program(std::vector<std::string>(values + 1, values + count));
}
