#include "cli/serving.hpp"

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/concat.hpp"
#include "base/number.hpp"
#include "cli/exit_code.hpp"
#include "cli/interruption.hpp"
#include "engine/attempt.hpp"
#include "engine/deletion.hpp"
#include "engine/recovery.hpp"
#include "os/child.hpp"
#include "os/limits.hpp"
#include "os/paths.hpp"
#include "server/live_file_routes.hpp"

namespace studio::cli {

namespace {

constexpr std::uint64_t k_most_port = 65535;
constexpr std::chrono::seconds k_repair_every{10};

// What other commands do when they begin, a program that goes on for days does again and again: runs whose Studio died
// are marked as lost. And copies are removed that are not needed any more.
class Caretaker {
 public:
  Caretaker(const engine::Services& services, const server::Backend& backend)
      : thread_([services, backend](std::stop_token stop) {
          std::mutex mutex;
          std::condition_variable_any never;
          std::unique_lock lock(mutex);
          while (!never.wait_for(lock, stop, k_repair_every, [] { return false; }) && !stop.stop_requested())
            for (const auto& done : {engine::repair(services), server::remove_stored_live_files(backend)})
              if (!done) services.report(engine::Severity::warning, done.error().message);
        }) {}

 private:
  std::jthread thread_;
};

// What belongs to the configured Python goes before what is in PATH.
std::string program_search(const Config& config) {
  const auto environment = os::own_environment();
  std::string search(os::find_variable(environment, "PATH").value_or(os::k_default_search));
  const auto python = config.python.empty() ? std::nullopt : os::find_program(config.python, search, "/");
  return python ? concat(os::parent_of(*python), ":", search) : search;
}

}  // namespace

std::optional<std::uint16_t> parse_port(const std::string& text) {
  const auto number = parse_number(text);
  if (!number || *number > k_most_port) return std::nullopt;
  return static_cast<std::uint16_t>(*number);
}

Result<int> serve(Context& context, const server::ServerOptions& options) {
  TRY_ASSIGN(const Interruption interruption, Interruption::watch());
  TRY_ASSIGN(const engine::Services services, context.wiring.for_running());
  const engine::Home& home = context.wiring.home();
  const auto file_of_attempt = [&home](const char* file) {
    return [&home, file](const std::string& experiment, std::uint64_t attempt) {
      return home.attempt(experiment, attempt) + file;
    };
  };
  const bool is_for_a_team = options.accounts != nullptr;
  blob::LiveDirectory live_files(home.live_files());
  const server::Backend backend{
      .catalog = services.catalog,
      .repository = services.repository,
      .clock = services.clock,
      .output_path = file_of_attempt(engine::k_output_file),
      .resources_path = file_of_attempt(engine::k_resources_file),
      .runs_are_here = !is_for_a_team,
      .live_files = is_for_a_team ? &live_files : nullptr,
      .delete_experiment = [&](const std::string& key) { return engine::delete_experiment(services, key); },
      .restore_experiment = [&](const std::string& key) { return engine::restore_experiment(services, key); },
      .board_directory = home.boards(),
      .program_search = program_search(context.config)};
  auto server = server::Server::listen(options, backend);
  if (!server) {
    Error error = std::move(server).error();
    if (error.code == Code::already_exists) error.hint = "another program listens there; choose one with --port N";
    return no_usage_error(std::move(error));
  }
  os::allow_many_descriptors();  // one for each viewer
  const Caretaker caretaker(services, backend);
  TRY(context.output.write(concat((*server)->url(), "\n")));
  TRY(context.output.flush());
  (*server)->run(interruption.token());
  return k_exit_success;
}

}  // namespace studio::cli
