#include "cli/config_file.hpp"

#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"

namespace studio::cli {

namespace {

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

Error error_at(const std::string& name, int line, std::string_view key, std::string_view complaint,
               std::string hint = {}) {
  return Error{Code::invalid, concat(place(name, line), ": ", key, key.empty() ? "" : ": ", complaint),
               std::move(hint)};
}

class Reader {
 public:
  explicit Reader(const std::string& name) : name_(name) {}

  // `section` is "" or "storage."
  Result<void> read_map(const YAML::Node& map, const std::string& section) {
    for (const auto& entry : map) {
      const int line = line_of(entry.first.Mark());
      if (!entry.first.IsScalar()) return error_at(name_, line, "", "a key must be a plain word");
      const std::string key = section + entry.first.Scalar();
      if (!seen_.insert(key).second) return error_at(name_, line, printable(key), "the key is given twice");
      if (is_section(key)) {
        TRY(read_section(entry.second, key, line));
      } else if (const ConfigKey* known = find_config_key(key)) {
        TRY(read_value(entry.second, *known, line));
      } else {
        warn_of_unknown(key, section, line);
      }
    }
    return {};
  }

  ConfigFile take() {
    // The keys lie in one array.
    std::sort(file_.values.begin(), file_.values.end(),
              [](const FileValue& a, const FileValue& b) { return a.key < b.key; });
    return std::move(file_);
  }

 private:
  static bool is_section(std::string_view key) {
    const auto keys = config_keys();
    return std::any_of(keys.begin(), keys.end(),
                       [&](const ConfigKey& known) { return known.name.starts_with(concat(key, ".")); });
  }

  Result<void> read_section(const YAML::Node& node, const std::string& key, int line) {
    if (node.IsNull()) return {};  // all of its keys are commented out
    if (!node.IsMap()) return error_at(name_, line, key, "it holds keys of its own", concat(key, ":\n  type: …"));
    return read_map(node, key + ".");
  }

  Result<void> read_value(const YAML::Node& node, const ConfigKey& key, int line) {
    if (node.IsNull()) return error_at(name_, line, key.name, "the value is missing");
    if (!node.IsScalar()) return error_at(name_, line, key.name, "it must be a single value");
    file_.values.push_back({&key, node.Scalar(), line});
    return {};
  }

  void warn_of_unknown(const std::string& key, const std::string& section, int line) {
    std::set<std::string> candidates;
    for (const ConfigKey& known : config_keys()) {
      if (!known.name.starts_with(section)) continue;
      const std::string_view rest = known.name.substr(section.size());
      candidates.insert(concat(section, rest.substr(0, rest.find('.'))));
    }
    const std::string_view nearest = nearest_name(key, candidates);
    file_.warnings.push_back(concat(place(name_, line), ": unknown key '", printable(key), "'",
                                    nearest.empty() ? "" : concat("; did you mean '", nearest, "'?")));
  }

  const std::string& name_;
  ConfigFile file_;
  std::set<std::string> seen_;
};

}  // namespace

Result<ConfigFile> parse_config_file(std::string_view text, const std::string& name) {
  try {
    const YAML::Node root = YAML::Load(std::string(text));
    Reader reader(name);
    if (!root.IsNull()) {
      if (!root.IsMap()) return error_at(name, line_of(root.Mark()), "", "a config file holds lines of 'key: value'");
      TRY(reader.read_map(root, ""));
    }
    return reader.take();
  } catch (const YAML::Exception& error) {
    return error_at(name, error.mark.is_null() ? 1 : line_of(error.mark), "", concat("not YAML: ", error.msg));
  }
}

std::string place(const std::string& name, int line) { return concat(printable(name), ":", line); }

}  // namespace studio::cli
