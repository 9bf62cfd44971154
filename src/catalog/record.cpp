#include "catalog/record.hpp"

#include "base/display.hpp"
#include "model/json_fields.hpp"

namespace studio::catalog {

namespace {

template <class FromJson>
Result<std::string> checked_record(const nlohmann::json& json, FromJson from_json) {
  const auto read = from_json(json);
  if (!read) return Error{Code::invalid, read.error().message};
  return json.dump();
}

// What such a line begins with, and no record: its first field.
constexpr std::string_view k_unreadable = "{\"unreadable\":";

}  // namespace

Result<std::string> to_record(const model::Experiment& experiment) {
  return checked_record(model::to_json(experiment), model::experiment_from_json);
}

Result<std::string> to_record(const model::Attempt& attempt, std::string_view experiment) {
  return checked_record(model::to_json(attempt, experiment), model::attempt_from_json);
}

Result<std::string> to_record(const model::Version& version) {
  return checked_record(model::to_json(version), model::version_from_json);
}

Result<model::Experiment> experiment_from_record(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  return model::experiment_from_json(json);
}

Result<model::Attempt> attempt_from_record(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  return model::attempt_from_json(json);
}

Result<model::Version> version_from_record(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  return model::version_from_json(json);
}

std::string to_line(const Unreadable& unreadable) {
  return nlohmann::ordered_json{{"unreadable", to_utf8(unreadable.key)},
                                {"code", name_of(unreadable.error.code)},
                                {"problem", to_utf8(unreadable.error.message)},
                                {"hint", to_utf8(unreadable.error.hint)}}
      .dump();
}

std::optional<Unreadable> unreadable_from_line(std::string_view line) {
  if (!line.starts_with(k_unreadable)) return std::nullopt;
  const auto json = model::parse_json(line);
  if (!json) return std::nullopt;
  model::FieldReader in(*json, "unreadable record");
  Unreadable unreadable{.key = in.bytes("unreadable"),
                        .error = {parse_code(in.bytes("code")), in.bytes("problem"), in.bytes("hint")}};
  return in.failed() ? std::nullopt : std::optional(std::move(unreadable));
}

}  // namespace studio::catalog
