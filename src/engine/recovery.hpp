// Mends what a Studio that died left behind.
#pragma once

#include "base/result.hpp"
#include "engine/services.hpp"

namespace studio::engine {

// Every live experiment of this machine whose `studio run` is gone becomes `lost`, with its reason, and is told of;
// versions that were published but not yet in the catalog are added; what its script wrote is captured from Studio's
// own directories if the script has ended. Cheap when there is nothing to do: one query.
Result<void> repair(const Services& services);

// Fills an empty catalog from the store: every experiment and version that lies there. Returns how many experiments.
Result<std::size_t> rebuild_catalog(const Services& services);

}  // namespace studio::engine
