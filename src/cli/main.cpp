// studio: the program.
#include <fcntl.h>
#include <unistd.h>

#include <csignal>
#include <exception>
#include <new>
#include <vector>

#include "base/concat.hpp"
#include "cli/command_line.hpp"
#include "cli/config.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "cli/messages.hpp"
#include "cli/output.hpp"
#include "cli/wiring.hpp"
#include "os/child.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

// Started without one of them, the first file that we open would become our standard output.
void open_standard_descriptors() {
  for (const int fd : {STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO})
    if (::fcntl(fd, F_GETFD) < 0) (void)::open("/dev/null", O_RDWR);
}

int fail(Messages& messages, const Error& error, int exit_code) {
  messages.error(error);
  return exit_code;
}

int run(Command& command, Output& output, Messages& messages) {
  messages.set_verbosity(command.verbosity());
  const auto environment = os::own_environment();
  // Without a current directory there is no project file, and `studio run` says what is wrong.
  const std::string directory = os::current_directory().value_or("/");
  const auto home = locate_home(environment, directory);
  if (!home) return fail(messages, home.error(), k_exit_config);

  const auto flags = command.config_flags();
  if (!flags) return fail(messages, flags.error(), exit_code_of(flags.error()));
  const auto config =
      command.minds_config() ? load_config({*home, directory, environment, *flags}) : default_config(*home);
  if (!config) return fail(messages, config.error(), k_exit_config);
  for (const std::string& warning : config->warnings) messages.report(engine::Severity::warning, warning);

  Wiring wiring(*config, *home, messages);
  Context context{*config, wiring, output, messages};
  const auto exit_code = command.run(context);
  messages.erase_progress();
  const auto flushed = exit_code ? output.flush() : Result<void>();
  if (output.reader_is_gone()) return exit_code.value_or(k_exit_success);
  if (!exit_code) return fail(messages, exit_code.error(), exit_code_of(exit_code.error()));
  if (!flushed) return fail(messages, flushed.error(), exit_code_of(flushed.error()));
  return *exit_code;
}

int answer(std::span<const std::string> arguments, Output& output, Messages& messages) {
  CommandLine command_line;
  const auto request = command_line.parse(arguments);
  if (!request) return fail(messages, request.error(), exit_code_of(request.error()));
  if (request->command != nullptr) return run(*request->command, output, messages);
  auto written = output.write(request->text);
  if (written) written = output.flush();
  if (!written && !output.reader_is_gone()) return fail(messages, written.error(), exit_code_of(written.error()));
  return k_exit_success;
}

}  // namespace

}  // namespace studio::cli

int main(int argument_count, char** arguments) {
  using namespace studio;
  cli::open_standard_descriptors();
  // A reader that goes away is an error of write(2) instead: cli/output.hpp.
  std::signal(SIGPIPE, SIG_IGN);
  cli::end_when_interrupted();
  cli::Messages messages;
  cli::Output output;
  try {
    const std::vector<std::string> words(arguments + 1, arguments + argument_count);
    return cli::answer(words, output, messages);
  } catch (const std::bad_alloc&) {
    return cli::fail(messages, {Code::exhausted, "out of memory"}, cli::k_exit_failure);
  } catch (const std::exception& error) {
    return cli::fail(messages, {Code::internal, concat("unexpected: ", error.what())}, cli::k_exit_failure);
  }
}
