// What may be added to a store, and taken out of its index, by those who are not trusted (a server's users): a chunk
// that is not what it says, or lies nowhere, would keep others from storing it.
#pragma once

#include <string_view>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"

namespace studio::content {

// `invalid` unless `object` is a pack of that name ("packs/ab/abcd…") whose chunks match their digests.
Result<void> admit_pack(std::string_view key, ByteView object);

// `invalid` unless `object` is an index table of that name ("index/abcd…"), whose chunks lie in packs of the store
// where it says. Reads the footers of those packs.
Result<void> admit_table(blob::Store& store, std::string_view key, ByteView object);

// `denied` if no other table names one of the chunks that this table does. What is damaged, or is no table, may go.
Result<void> admit_removal(blob::Store& store, std::string_view key);

}  // namespace studio::content
