#include "engine/python_facts.hpp"

#include <chrono>
#include <string_view>

#include "base/concat.hpp"
#include "model/json_fields.hpp"
#include "os/child.hpp"

namespace studio::engine {

namespace {

constexpr std::size_t k_most_bytes = std::size_t{8} << 20;

// Opens the line that counts: site customisations may print, too.
constexpr std::string_view k_mark = "studio-python-facts:";

// For any Python, 2.7 included. With -c the current directory comes first in the module path, but for the script it
// does not: a json.py that lies there is not to be run here. Not -I: it hides PYTHONPATH and the user's site, which the
// script sees. JSON in ASCII, and no lone surrogates (Python's form of bytes that are no text), which are no valid
// JSON.
constexpr std::string_view k_program = R"PY(
import sys
sys.path[:] = [entry for entry in sys.path if entry]
import json

def text(value):
    if isinstance(value, bytes):
        value = value.decode('utf-8', 'replace')
    return value.encode('utf-8', 'replace').decode('utf-8')

def distributions():
    try:
        try:
            from importlib import metadata
        except ImportError:
            import importlib_metadata as metadata
    except ImportError:
        import pkg_resources
        for distribution in pkg_resources.working_set:
            yield distribution.project_name, distribution.version
        return
    for distribution in metadata.distributions():
        try:
            fields = distribution.metadata
            found = fields['Name'], fields['Version']
        except Exception:
            continue
        yield found

packages = {}
try:
    for name, version in distributions():
        if name:
            packages.setdefault(text(name), text(version or ''))
except Exception:
    pass
facts = {'executable': text(sys.executable or ''), 'version': text(sys.version.split()[0]), 'packages': packages}
sys.stdout.write('\n' + sys.argv[1] + json.dumps(facts) + '\n')
)PY";

std::optional<model::PythonFacts> parse(std::string_view output) {
  const auto mark = output.rfind(k_mark);
  if (mark == std::string_view::npos) return std::nullopt;
  std::string_view line = output.substr(mark + k_mark.size());
  line = line.substr(0, line.find('\n'));
  const auto json = model::parse_json(line);
  if (!json) return std::nullopt;
  model::FieldReader in(*json, "facts about Python");
  model::PythonFacts facts{in.bytes("executable"), in.bytes("version"), {}};
  const auto packages = json->find("packages");
  in.require(packages != json->end() && packages->is_object(), "packages", "is not an object");
  if (in.failed()) return std::nullopt;
  for (const auto& [name, version] : packages->items())
    if (version.is_string()) facts.packages.emplace(name, version.get<std::string>());
  return facts;
}

}  // namespace

std::optional<model::PythonFacts> python_facts(const std::string& interpreter, const std::string& directory,
                                               std::stop_token stop) {
  if (interpreter.empty()) return std::nullopt;
  // -B: no __pycache__ is left in directories that the run is about to capture.
  const auto output = os::run_and_read({.argv = {interpreter, "-B", "-c", std::string(k_program), std::string(k_mark)},
                                        .environment = os::own_environment(),
                                        .directory = directory,
                                        .timeout = std::chrono::seconds(60),
                                        .most_bytes = k_most_bytes,
                                        .niceness = 10},
                                       std::move(stop));
  // That it was to be run is known all the same.
  const model::PythonFacts unanswered{interpreter, {}, {}};
  return output ? parse(output->text).value_or(unanswered) : unanswered;
}

}  // namespace studio::engine
