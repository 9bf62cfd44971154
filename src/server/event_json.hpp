// What documents about event files share.
#pragma once

#include <cmath>
#include <string>

#include <nlohmann/json.hpp>

#include "base/display.hpp"
#include "model/version.hpp"
#include "server/attempt_events.hpp"

namespace studio::server {

// JSON has no NaN and no infinity.
inline nlohmann::ordered_json number_json(double value) {
  return std::isfinite(value) ? nlohmann::ordered_json(value) : nlohmann::ordered_json();
}

inline nlohmann::ordered_json version_json(const AttemptEvents::Files& files) {
  return files.version ? nlohmann::ordered_json(model::version_name(*files.version)) : nlohmann::ordered_json();
}

inline nlohmann::ordered_json problems_json(const AttemptEvents::Files& files) {
  nlohmann::ordered_json problems = nlohmann::ordered_json::array();
  for (const std::string& problem : files.problems) problems.push_back(to_utf8(problem));
  return problems;
}

}  // namespace studio::server
