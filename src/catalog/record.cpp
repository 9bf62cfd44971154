#include "catalog/record.hpp"

#include "model/json_fields.hpp"

namespace studio::catalog {

namespace {

template <class Value, class FromJson>
Result<std::string> checked_record(const Value& value, FromJson from_json) {
  const nlohmann::json json = model::to_json(value);
  const auto read = from_json(json);
  if (!read) return Error{Code::invalid, read.error().message};
  return json.dump();
}

}  // namespace

Result<std::string> to_record(const model::Experiment& experiment) {
  return checked_record(experiment, model::experiment_from_json);
}

Result<std::string> to_record(const model::Version& version) {
  return checked_record(version, model::version_from_json);
}

Result<model::Experiment> experiment_from_record(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  return model::experiment_from_json(json);
}

Result<model::Version> version_from_record(std::string_view text) {
  TRY_ASSIGN(const auto json, model::parse_json(text));
  return model::version_from_json(json);
}

}  // namespace studio::catalog
