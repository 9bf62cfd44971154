// Objects of a store whose name says what is in them: packs and tables of the index.
#pragma once

#include <span>
#include <string>

#include "base/bytes.hpp"
#include "base/result.hpp"
#include "blob/store.hpp"

namespace studio::content {

// Whether the object that gave this error is damaged or locked by itself. Otherwise the store cannot be reached.
inline bool is_damage(const Error& error) { return error.code == Code::corrupt || error.code == Code::denied; }

// Puts the concatenated parts. An object that is there, put by another writer or before a crash, is as good as ours,
// unless it is damaged: then it is replaced.
Result<void> put_named(blob::Store& store, const std::string& key, std::span<const ByteView> parts);

}  // namespace studio::content
