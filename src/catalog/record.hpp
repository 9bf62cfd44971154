// Records as the text that a catalog keeps (doc/records.md).
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "catalog/catalog.hpp"
#include "model/experiment.hpp"
#include "model/version.hpp"

namespace studio::catalog {

// `invalid` if the record could not be read back: a catalog takes nothing that it could not give.
Result<std::string> to_record(const model::Experiment& experiment);
Result<std::string> to_record(const model::Attempt& attempt, std::string_view experiment);
Result<std::string> to_record(const model::Version& version);

// `corrupt` or `unsupported`
Result<model::Experiment> experiment_from_record(std::string_view text);
Result<model::Attempt> attempt_from_record(std::string_view text);
Result<model::Version> version_from_record(std::string_view text);

// What a server says in the place of a record that it cannot read.
std::string to_line(const Unreadable& unreadable);
std::optional<Unreadable> unreadable_from_line(std::string_view line);  // nothing if it is no such line

}  // namespace studio::catalog
