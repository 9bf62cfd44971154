// What the store holds: the document of `store stats` and of the server.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "content/verify.hpp"

namespace studio::view {

nlohmann::ordered_json stats_json(const content::StoreStats& stats);

}  // namespace studio::view
