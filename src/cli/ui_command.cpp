// studio ui
#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/command.hpp"
#include "cli/declarations.hpp"
#include "cli/exit_code.hpp"
#include "cli/serving.hpp"

namespace studio::cli {

namespace {

class Ui : public Command {
 public:
  explicit Ui(CLI::App& app) {
    add_value(app, "--port", "N", port_, "the port on 127.0.0.1; 0 for any that is free");
    add_footer(app, "Serves experiments, their artifacts and output to this machine until it is interrupted.");
  }

  std::string form() const override { return "studio ui [--port N]"; }

  Result<int> run(Context& context) override {
    const auto port = parse_port(port_);
    if (!port) return usage_error(concat("--port: '", printable(port_), "' is not a port"), "--port 5000");
    return serve(context, {.port = *port});
  }

 private:
  std::string port_ = "5000";
};

}  // namespace

void add_ui_command(CLI::App& root, CommandTable& commands) {
  CLI::App* app = add_subcommand(root, "ui", "serve what experiments left behind to a browser on this machine");
  commands.add(app, std::make_unique<Ui>(*app));
}

}  // namespace studio::cli
