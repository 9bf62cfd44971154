#include "catalog/record.hpp"

#include "model/json_fields.hpp"

namespace studio::catalog {

namespace {

template <class FromJson>
Result<std::string> checked_record(const nlohmann::json& json, FromJson from_json) {
  const auto read = from_json(json);
  if (!read) return Error{Code::invalid, read.error().message};
  return json.dump();
}

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

}  // namespace studio::catalog
