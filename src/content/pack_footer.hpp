// The footer of a pack that lies in a store.
#pragma once

#include <cstdint>
#include <vector>

#include "base/digest.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"
#include "content/pack.hpp"

namespace studio::content {

// Reads little but the footer. `size`: of the pack, in bytes. `corrupt` if it is none of that pack.
Result<std::vector<PackEntry>> read_pack_footer(blob::Store& store, const Digest& pack, std::uint64_t size);

}  // namespace studio::content
