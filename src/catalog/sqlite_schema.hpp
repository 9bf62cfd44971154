// The schema of the SQLite catalog and how an older one becomes it. Private to the SQLite catalog.
#pragma once

#include <chrono>
#include <cstdint>

#include "base/result.hpp"
#include "catalog/sqlite_connection.hpp"

namespace studio::catalog {

// `PRAGMA application_id` of the file: "STUD".
inline constexpr std::int64_t k_application_id = 0x53545544;

// The newest `PRAGMA user_version`: how many migrations there are.
std::int64_t schema_version();

// Makes a connection fit for use: brings the schema up to date, in one transaction, and writes nothing if it is.
// `unsupported` if it is newer, or the file is a database of something else. `patience` is that of the connection.
Result<void> migrate(const SqliteConnection& connection, std::chrono::milliseconds patience);

}  // namespace studio::catalog
