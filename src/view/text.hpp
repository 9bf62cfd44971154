// Text in documents.
#pragma once

#include <string_view>

#include <nlohmann/json.hpp>

#include "base/display.hpp"

namespace studio::view {

// As UTF-8; null if it is empty.
inline nlohmann::ordered_json text_or_null(std::string_view text) {
  return text.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(to_utf8(text));
}

}  // namespace studio::view
