#include "cli/script.hpp"

#include <sys/stat.h>

#include <optional>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/exit_code.hpp"
#include "os/atomic_file.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

bool is_directory(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
}

bool is_there(const std::string& path) {
  struct stat info {};
  return ::stat(path.c_str(), &info) == 0;
}

std::optional<std::string> find_python(const ScriptRequest& request) {
  if (!request.python.empty()) return os::find_program(request.python, request.search, request.directory);
  auto found = os::find_program("python3", request.search, request.directory);
  return found ? found : os::find_program("python", request.search, request.directory);
}

bool is_python(const std::string& program) { return os::base_name_of(program).starts_with("python"); }

// A short option group such as "-I" or "-uE" in front of the script: Python ignores PYTHONPATH then.
bool ignores_environment(const std::vector<std::string>& argv) {
  for (std::size_t i = 1; i < argv.size() && argv[i].starts_with('-'); ++i) {
    if (argv[i] == "-c" || argv[i] == "-m" || argv[i].starts_with("--")) return false;
    if (argv[i].find_first_of("IE") != std::string::npos) return true;
    if (argv[i] == "-W" || argv[i] == "-X") ++i;
  }
  return false;
}

void warn_of_shadow(const std::string& directory, std::vector<std::string>& warnings) {
  for (const char* name : {"studio.py", "studio"}) {
    const std::string path = concat(directory, "/", name);
    const bool shadows = std::string_view(name) == "studio" ? is_there(path + "/__init__.py") : is_there(path);
    if (shadows)
      warnings.push_back(concat("'", printable(path), "' hides the package 'studio': 'from studio import fs_tracker' will not find it"));
  }
}

Error not_a_script(const ScriptRequest& request, const std::string& name) {
  const std::string path = os::absolute(name, request.directory);
  if (is_directory(path))
    return usage_error(concat("'", printable(name), "' is a directory, not a script"), "studio run [FLAGS] SCRIPT [ARGS…]");
  if (is_there(path))
    return usage_error(concat("'", printable(name), "' is not executable"),
                       concat("chmod +x ", printable(name), ", or studio run -- sh ", printable(name)));
  return usage_error(concat("there is no script '", printable(name), "'"),
                     "studio run [FLAGS] SCRIPT [ARGS…], where SCRIPT is a *.py file, an executable or a command in PATH");
}

// The file, or else the program in PATH, that a name without interpreter stands for.
std::optional<std::string> find_executable(const ScriptRequest& request, const std::string& name) {
  if (name.find('/') == std::string::npos && !request.as_it_stands) {
    const std::string here = concat("./", name);
    const auto found = os::find_program(here, request.search, request.directory);
    if (found && !is_directory(*found)) return found;
  }
  return os::find_program(name, request.search, request.directory);
}

}  // namespace

Result<Script> resolve_script(const ScriptRequest& request) {
  if (request.command.empty())
    return usage_error("the script is missing", "studio run [FLAGS] SCRIPT [ARGS…], as in studio run -c ~/out:out train.py");
  const std::string& name = request.command.front();
  const auto python = find_python(request);
  Script script{.argv = request.command, .interpreter = python.value_or("")};
  if (name.ends_with(".py") && !request.as_it_stands) {
    const std::string path = os::absolute(name, request.directory);
    if (!is_there(path) || is_directory(path)) return not_a_script(request, name);
    if (!python)
      return usage_error(request.python.empty() ? std::string("there is no python3 and no python in PATH to run the script with")
                                                : concat("there is no interpreter '", printable(request.python), "' (config key 'python')"),
                         "set the config key 'python', or activate an environment");
    script.argv.insert(script.argv.begin(), *python);
    warn_of_shadow(os::parent_of(path), script.warnings);
    return script;
  }
  const auto program = find_executable(request, name);
  if (!program) return not_a_script(request, name);
  if (name.find('/') == std::string::npos) script.argv.front() = *program;
  if (!is_python(*program)) return script;
  script.interpreter = *program;
  if (ignores_environment(script.argv))
    script.warnings.emplace_back("Python's -I and -E hide the package 'studio' from the script: it will not find fs_tracker");
  warn_of_shadow(request.directory, script.warnings);
  return script;
}

}  // namespace studio::cli
