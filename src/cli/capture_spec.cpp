#include "cli/capture_spec.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "cli/exit_code.hpp"
#include "engine/attempt.hpp"
#include "engine/selection.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr std::string_view k_tag_rule = "a TAG is 1 to 100 letters, digits, '.', '_' or '-'";

std::string_view flag_of(model::CaptureMode mode) {
  return mode == model::CaptureMode::once      ? "--capture-once"
         : mode == model::CaptureMode::capture ? "--capture"
                                               : "--reuse";
}

struct TagAndFlag {
  std::string tag;
  std::string flag;  // as the user wrote it
  bool is_reused;
};

std::vector<TagAndFlag> tags_of(const std::vector<engine::CaptureSpec>& captures,
                                const std::vector<engine::ReuseSpec>& reuses) {
  std::vector<TagAndFlag> tags;
  tags.reserve(captures.size() + reuses.size());
  for (const engine::CaptureSpec& capture : captures) tags.push_back({capture.tag, capture.flag, false});
  for (const engine::ReuseSpec& reuse : reuses) tags.push_back({reuse.tag, reuse.flag, true});
  return tags;
}

bool is_default(std::string_view tag) {
  return std::find(engine::k_default_tags.begin(), engine::k_default_tags.end(), tag) != engine::k_default_tags.end();
}

// What follows the last slash of a path, however many there are at its end.
std::string_view last_component(std::string_view path) {
  while (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  return path.substr(path.find_last_of('/') + 1);
}

}  // namespace

Result<engine::CaptureSpec> parse_capture(model::CaptureMode mode, std::string_view value) {
  const std::string_view flag = flag_of(mode);
  const std::string written = concat(flag, "=", printable(value));
  const std::string form = concat(flag, " PATH:TAG; ", k_tag_rule);
  const std::size_t colon = value.find_last_of(':');
  const bool has_tag = colon != value.npos;
  const std::string_view path = value.substr(0, colon);
  if (path.empty()) return usage_error(concat(written, ": the path is empty"), form);

  auto expanded = os::expand(path);
  if (!expanded) return usage_error(concat(flag, ": ", expanded.error().message), form);
  if (!valid_utf8(*expanded))
    return usage_error(concat(written, ": the path is not UTF-8"),
                       "rename it: paths are kept as text for every language");
  const std::string_view tag = has_tag ? value.substr(colon + 1) : last_component(*expanded);
  if (!valid_name(tag)) {
    const std::string shown = printable(tag);
    if (has_tag) return usage_error(concat(written, ": '", shown, "' is not a tag"), form);
    return usage_error(concat(written, ": it has no tag, and '", shown, "' cannot be one"), form);
  }
  auto absolute = os::resolve(path);
  if (!absolute) return no_usage_error(within(flag, absolute.error()));
  return engine::CaptureSpec{mode, std::string(tag), *std::move(absolute), concat(flag, "=", value)};
}

Result<engine::ReuseSpec> parse_reuse(std::string_view value) {
  const std::string_view flag = flag_of(model::CaptureMode::reuse);
  const std::string written = concat(flag, "=", printable(value));
  const std::string form = concat(flag, " EXP/TAG:NEWTAG or ", flag, " EXP/TAG@v3:NEWTAG; ", k_tag_rule);
  const std::size_t colon = value.find_last_of(':');
  const std::string_view artifact = value.substr(0, colon);
  const auto name = engine::parse_artifact_name(artifact);
  if (!name) return usage_error(concat(written, ": ", name.error().message), form);
  const std::string tag = colon == value.npos ? name->tag : std::string(value.substr(colon + 1));
  if (!valid_name(tag)) return usage_error(concat(written, ": '", printable(tag), "' is not a tag"), form);
  return engine::ReuseSpec{std::string(artifact), tag, concat(flag, "=", value)};
}

Result<void> check_tags(const std::vector<engine::CaptureSpec>& captures,
                        const std::vector<engine::ReuseSpec>& reuses) {
  std::map<std::string, std::string> seen;  // tag -> flag
  for (const TagAndFlag& given : tags_of(captures, reuses)) {
    const auto [first, is_new] = seen.emplace(given.tag, given.flag);
    if (!is_new)
      return usage_error(concat("the tag '", given.tag, "' is given twice: ", printable(first->second), " and ",
                                printable(given.flag)),
                         "give each artifact a tag of its own: PATH:TAG");
    if (given.is_reused && is_default(given.tag))
      return usage_error(concat(printable(given.flag), ": '", given.tag, "' is the tag of a default artifact"),
                         "give it another tag: --reuse EXP/TAG:NEWTAG");
  }
  return {};
}

std::vector<std::string> shared_variables(const std::vector<engine::CaptureSpec>& captures,
                                          const std::vector<engine::ReuseSpec>& reuses) {
  std::set<std::string> tags(engine::k_default_tags.begin(), engine::k_default_tags.end());
  for (const TagAndFlag& given : tags_of(captures, reuses)) tags.insert(given.tag);
  std::map<std::string, std::vector<std::string>> by_variable;
  for (const std::string& tag : tags) by_variable[engine::variable_of(tag)].push_back(tag);
  std::vector<std::string> warnings;
  for (const auto& [variable, sharing] : by_variable) {
    if (sharing.size() < 2) continue;
    std::string names;
    for (const std::string& tag : sharing) names += concat(names.empty() ? "" : ", ", tag);
    warnings.push_back(concat("the tags ", names, " would share the variable ", variable,
                              ": it is not set; the script finds them by fs_tracker"));
  }
  return warnings;
}

}  // namespace studio::cli
