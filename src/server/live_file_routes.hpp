// What runs on other machines write, as they write it.
#pragma once

#include "base/result.hpp"
#include "server/backend.hpp"
#include "server/router.hpp"

namespace studio::server {

void add_live_file_routes(Router& router, const Backend& backend);

// Removes the copies of what the store has, too, by now. What it does not have stays: of a machine that died it is all
// there is of the last lines. To be called now and then.
Result<void> remove_stored_live_files(const Backend& backend);

}  // namespace studio::server
