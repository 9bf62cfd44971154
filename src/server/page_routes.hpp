// The web page itself.
#pragma once

#include "base/result.hpp"
#include "server/router.hpp"

namespace studio::server {

// Every file of the page at its own name, and index.html at each address that the page shows something for.
Result<void> add_page_routes(Router& router);

}  // namespace studio::server
