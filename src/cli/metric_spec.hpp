// The value of --metric: NAME[:min|max|last].
#pragma once

#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "model/experiment.hpp"

namespace studio::cli {

// What follows the last colon is the goal if it is one; otherwise the last value counts, and the colon is part of the
// name. The errors name the flag and show the form.
Result<model::Metric> parse_metric(std::string_view value);

// A usage error if one name is given twice.
Result<void> check_metrics(const std::vector<model::Metric>& metrics);

}  // namespace studio::cli
