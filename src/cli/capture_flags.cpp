#include "cli/capture_flags.hpp"

#include <map>
#include <set>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "base/name.hpp"
#include "cli/exit_code.hpp"
#include "engine/attempt.hpp"
#include "engine/selection.hpp"
#include "os/atomic_file.hpp"
#include "os/paths.hpp"

namespace studio::cli {

namespace {

constexpr std::string_view k_capture_form = "write PATH:TAG, as in --capture=~/weights:weights";
constexpr std::string_view k_reuse_form = "write EXP/TAG[@vN]:NEWTAG, as in --reuse=linear_regression/weights:w";

Error bad(const std::string& flag, const std::string& what, std::string_view form) {
  return usage_error(concat(printable(flag), ": ", what), std::string(form));
}

struct Tagged {
  std::string what;
  std::string tag;  // empty: none was given
  bool has_tag = false;
};

Tagged split_at_last_colon(const std::string& value) {
  const std::size_t colon = value.rfind(':');
  if (colon == std::string::npos) return {value, ""};
  return {value.substr(0, colon), value.substr(colon + 1), true};
}

Result<engine::CaptureSpec> parse_capture(const std::string& name, const std::string& value, model::CaptureMode mode) {
  const std::string flag = concat(name, "=", value);
  Tagged parts = split_at_last_colon(value);
  if (parts.what.empty()) return bad(flag, "the path is missing", k_capture_form);
  auto path = os::resolve(parts.what);
  if (!path) return bad(flag, path.error().message, k_capture_form);
  if (!valid_utf8(*path)) return bad(flag, "the path is not valid UTF-8", "rename it: scripts get it through JSON");
  if (!parts.has_tag) {
    parts.tag = os::base_name_of(*path);
    if (!valid_name(parts.tag)) return bad(flag, "it has no tag, and the path's last part is not a valid one", k_capture_form);
  }
  if (!valid_name(parts.tag))
    return bad(flag, concat("'", printable(parts.tag), "' is not a valid tag (letters, digits, '.', '_', '-')"), k_capture_form);
  return engine::CaptureSpec{mode, parts.tag, std::move(*path), flag};
}

Result<engine::ReuseSpec> parse_reuse(const std::string& value) {
  const std::string flag = concat("--reuse=", value);
  Tagged parts = split_at_last_colon(value);
  const auto name = engine::parse_artifact_name(parts.what);
  if (!name) return bad(flag, name.error().message, k_reuse_form);
  if (!parts.has_tag) parts.tag = name->tag;
  if (!valid_name(parts.tag))
    return bad(flag, concat("'", printable(parts.tag), "' is not a valid tag (letters, digits, '.', '_', '-')"), k_reuse_form);
  return engine::ReuseSpec{parts.what, parts.tag, flag};
}

}  // namespace

Result<ArtifactSpecs> parse_artifact_flags(const ArtifactFlags& flags) {
  ArtifactSpecs specs;
  std::map<std::string, std::string> flag_of_tag;
  const auto claim = [&](const std::string& tag, const std::string& flag) -> Result<void> {
    const auto [entry, added] = flag_of_tag.emplace(tag, flag);
    if (added) return {};
    return bad(flag, concat("the tag '", tag, "' is already taken by ", printable(entry->second)), "give each artifact a tag of its own, as in --capture=~/w:w2");
  };
  for (const std::string& value : flags.capture) {
    TRY_ASSIGN(auto capture, parse_capture("--capture", value, model::CaptureMode::capture));
    TRY(claim(capture.tag, capture.flag));
    specs.captures.push_back(std::move(capture));
  }
  for (const std::string& value : flags.capture_once) {
    TRY_ASSIGN(auto capture, parse_capture("--capture-once", value, model::CaptureMode::once));
    TRY(claim(capture.tag, capture.flag));
    specs.captures.push_back(std::move(capture));
  }
  for (const std::string& value : flags.reuse) {
    TRY_ASSIGN(auto reuse, parse_reuse(value));
    for (const std::string_view tag : engine::k_default_tags)
      if (reuse.tag == tag)
        return bad(reuse.flag, concat("'", tag, "' is the tag of a default artifact, which cannot be reused into"), k_reuse_form);
    TRY(claim(reuse.tag, reuse.flag));
    specs.reuses.push_back(std::move(reuse));
  }
  std::set<std::string> tags(engine::k_default_tags.begin(), engine::k_default_tags.end());
  for (const auto& [tag, flag] : flag_of_tag) tags.insert(tag);
  std::map<std::string, std::string> tag_of_variable;
  for (const std::string& tag : tags) {
    const auto [entry, added] = tag_of_variable.emplace(engine::variable_of(tag), tag);
    if (!added)
      specs.warnings.push_back(concat("the tags '", entry->second, "' and '", tag, "' would share the variable ", entry->first,
                                      "; neither gets it"));
  }
  return specs;
}

}  // namespace studio::cli
