#include "cli/metric_spec.hpp"

#include <algorithm>
#include <string>

#include "base/concat.hpp"
#include "base/display.hpp"
#include "cli/exit_code.hpp"

namespace studio::cli {

namespace {

constexpr std::string_view k_form = "--metric NAME:min, :max or :last, the value that counts; val_loss:min";

}  // namespace

Result<model::Metric> parse_metric(std::string_view value) {
  const std::string written = concat("--metric=", printable(value));
  const std::size_t colon = value.rfind(':');
  const auto goal = colon == value.npos ? std::nullopt : model::parse_metric_goal(value.substr(colon + 1));
  const std::string_view name = goal ? value.substr(0, colon) : value;
  if (name.empty()) return usage_error(concat(written, ": the name is empty"), std::string(k_form));
  if (!valid_utf8(name)) return usage_error(concat(written, ": the name is not UTF-8"), std::string(k_form));
  if (name.ends_with(':'))
    return usage_error(concat(written, ": there is nothing after the colon"), std::string(k_form));
  return model::Metric{.name = std::string(name), .goal = goal.value_or(model::MetricGoal::last), .value = {}};
}

Result<void> check_metrics(const std::vector<model::Metric>& metrics) {
  for (auto at = metrics.begin(); at != metrics.end(); ++at)
    if (std::find_if(metrics.begin(), at, [&](const model::Metric& other) { return other.name == at->name; }) != at)
      return usage_error(concat("--metric: '", printable(at->name), "' is given twice"), std::string(k_form));
  return {};
}

}  // namespace studio::cli
