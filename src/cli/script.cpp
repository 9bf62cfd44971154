#include "cli/script.hpp"

#include <sys/stat.h>

#include <algorithm>
#include <span>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/exit_code.hpp"
#include "os/atomic_file.hpp"
#include "os/fd.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr const char* k_form =
    "studio run [FLAGS] SCRIPT [ARGS…], where SCRIPT is a *.py file, an executable file or a command";

std::optional<struct stat> look_at(const std::string& path) {
  struct stat info {};
  if (::stat(path.c_str(), &info) != 0) return std::nullopt;
  return info;
}

// Not normalised: a ".." after a link leads where the kernel says, since it is the kernel that runs the script.
std::string joined(const std::string& directory, const std::string& path) {
  return path.starts_with('/') ? path : concat(directory, "/", path);
}

// "python", "python3", "/opt/bin/python3.11"; not a script of the user whose name begins so.
bool is_python(std::string_view program) {
  constexpr std::string_view k_python = "python";
  const std::string_view name = program.substr(program.find_last_of('/') + 1);
  return name.starts_with(k_python) && name.find_first_not_of("0123456789.", k_python.size()) == name.npos;
}

// The words of the first line of a script that names its interpreter: {"/usr/bin/env", "python3"}.
std::vector<std::string> interpreter_line(const std::string& path) {
  constexpr std::size_t k_most = 256;  // the kernel looks at no more
  const auto file = os::open(path, O_RDONLY | O_NONBLOCK);
  Bytes bytes(k_most);
  const auto got = file ? os::read_at(*file, 0, bytes, path) : Result<std::size_t>(0);
  const std::string_view head = as_text(ByteView(bytes).first(got.value_or(0)));
  std::vector<std::string> words;
  if (!head.starts_with("#!")) return words;
  std::string_view line = head.substr(2, head.find('\n') - 2);
  while (!line.empty()) {
    const std::size_t begin = std::min(line.find_first_not_of(" \t\r"), line.size());
    line.remove_prefix(begin);
    const std::size_t end = std::min(line.find_first_of(" \t\r"), line.size());
    if (end > 0) words.emplace_back(line.substr(0, end));
    line.remove_prefix(end);
  }
  return words;
}

class Resolver {
 public:
  explicit Resolver(const ScriptSources& sources) : sources_(sources) {}

  Result<Script> resolve_script(const std::vector<std::string>& command) const {
    const std::string& name = command.front();
    if (name.ends_with(".py")) return resolve_python(command);
    const bool is_path = name.find('/') != name.npos;
    if (auto program = find(name)) return executable(command, *program);
    // A shell would want "./NAME"; the file is meant all the same where no command has its name.
    if (!is_path) {
      if (auto program = find("./" + name)) {
        std::vector<std::string> argv = command;
        argv.front() = "./" + name;
        return executable(argv, *program);
      }
    }
    return not_a_script(name, is_path);
  }

  // The command as it stands.
  Result<Script> resolve_command(const std::vector<std::string>& command) const {
    const std::string& name = command.front();
    if (auto program = find(name)) return executable(command, *program);
    if (name.ends_with(".py") && look_at(joined(sources_.directory, name)))
      return usage_error(concat("'", printable(name), "' is not a command: what follows -- is executed as it stands"),
                         concat("studio run ", printable(name), ", or studio run -- python3 ", printable(name)));
    return not_a_script(name, name.find('/') != name.npos);
  }

 private:
  std::optional<std::string> find(std::string_view name) const {
    return os::find_program(name, sources_.search, sources_.directory);
  }

  Result<Script> resolve_python(const std::vector<std::string>& command) const {
    const std::string shown = printable(command.front());
    const auto info = look_at(joined(sources_.directory, command.front()));
    if (!info) return usage_error(concat("the script '", shown, "' does not exist"), k_form);
    if (S_ISDIR(info->st_mode)) return usage_error(concat("'", shown, "' is a directory, not a script"), k_form);
    TRY_ASSIGN(const std::string interpreter, find_python());
    Script script{.argv = command, .interpreter = interpreter};
    script.argv.insert(script.argv.begin(), interpreter);
    return script;
  }

  Result<std::string> find_python() const {
    if (!sources_.python.empty()) {
      if (auto program = find(sources_.python)) return *program;
      return usage_error(concat("the Python interpreter '", printable(sources_.python), "' is not an executable file"),
                         "correct the key 'python'; 'studio config list --show-origin' shows where it comes from");
    }
    for (const char* name : {"python3", "python"})
      if (auto program = find(name)) return *program;
    return usage_error("there is no python3 and no python in PATH to run the script with",
                       "install Python, or name an interpreter: STUDIOML_PYTHON=/path/to/python3 studio run …");
  }

  Script executable(const std::vector<std::string>& command, const std::string& program) const {
    Script script{.argv = command, .interpreter = {}};
    if (is_python(command.front())) {
      script.interpreter = program;
      return script;
    }
    for (const std::string& word : interpreter_line(program))
      if (is_python(word)) script.interpreter = find(word).value_or("");
    return script;
  }

  Error not_a_script(const std::string& name, bool is_path) const {
    const std::string shown = printable(name);
    const auto info = name.empty() ? std::nullopt : look_at(joined(sources_.directory, name));
    if (!info)
      return usage_error(is_path ? concat("the script '", shown, "' does not exist")
                                 : concat("'", shown, "' is neither a script here nor a command in PATH"),
                         k_form);
    if (S_ISDIR(info->st_mode)) return usage_error(concat("'", shown, "' is a directory, not a script"), k_form);
    return usage_error(concat("'", shown, "' is not executable"),
                       concat("chmod +x ", shown, ", or studio run -- sh ", shown));
  }

  const ScriptSources& sources_;
};

// Options of a Python interpreter, and what it is to run.
struct PythonArguments {
  bool ignores_pythonpath = false;
  std::optional<std::string> file;  // nothing with -c, -m or standard input
};

PythonArguments parse_python_arguments(std::span<const std::string> arguments) {
  PythonArguments parsed;
  while (!arguments.empty()) {
    const std::string& argument = arguments.front();
    arguments = arguments.subspan(1);
    if (argument.empty() || argument[0] != '-' || argument == "-") {
      if (argument != "-") parsed.file = argument;
      return parsed;
    }
    if (argument.starts_with("--")) continue;
    for (std::size_t i = 1; i < argument.size(); ++i) {
      const char letter = argument[i];
      if (letter == 'I' || letter == 'E') parsed.ignores_pythonpath = true;
      if (letter == 'c' || letter == 'm') return parsed;
      if (letter == 'W' || letter == 'X') {  // they take a value: the rest of the argument, or the next one
        if (i + 1 == argument.size() && !arguments.empty()) arguments = arguments.subspan(1);
        break;
      }
    }
  }
  return parsed;
}

}  // namespace

Result<Script> resolve_script(const Arguments& arguments, const ScriptSources& sources) {
  if (arguments.rest.empty())
    return usage_error(arguments.after_dashes ? "there is no command after --" : "there is no script to run", k_form);
  const Resolver resolver(sources);
  return arguments.after_dashes ? resolver.resolve_command(arguments.rest) : resolver.resolve_script(arguments.rest);
}

std::optional<std::string> why_package_is_hidden(const Script& script, const ScriptSources& sources) {
  if (script.interpreter.empty()) return std::nullopt;
  PythonArguments python;
  if (is_python(script.argv.front()) || script.argv.front() == script.interpreter) {
    python = parse_python_arguments(std::span(script.argv).subspan(1));
  } else {
    python.file = script.argv.front();  // its #! line names the interpreter
  }
  if (python.ignores_pythonpath)
    return "Python is started with -I or -E, which ignore PYTHONPATH: the script will not find the package 'studio'";
  // Python looks for modules beside the script first; without a script file, in the current directory. A directory is a
  // package, and hides others, if it has an __init__.py.
  const std::string directory =
      python.file ? os::parent_of(joined(sources.directory, *python.file)) : sources.directory;
  for (const char* name : {"/studio.py", "/studio/__init__.py"}) {
    if (look_at(directory + name))
      return concat("'", printable(os::normalised(directory + name)),
                    "' hides the package 'studio' from the script: 'from studio import ", "fs_tracker' will not work");
  }
  return std::nullopt;
}

}  // namespace studio::cli
