// Mends what a Studio that died left behind.
#pragma once

#include <string>

#include "base/result.hpp"
#include "engine/services.hpp"
#include "os/file_lock.hpp"

namespace studio::engine {

// Every live experiment of this machine whose `studio run` is gone becomes `lost`, with its reason, and is told of;
// versions that were published but not yet in the catalog are added; what its script wrote is captured from Studio's
// own directories if the script has ended. Cheap when there is nothing to do: one query.
Result<void> repair(const Services& services);

Error in_use(const std::string& key, const std::string& why);

// The lock that a run of this name holds to its end; Code::already_exists while another one has it. Its holder may also
// be a run that has recorded its end and is about to leave, a command that repairs the record of a lost run, or a child
// that a Studio which is dead by now was about to start (a fork has the lock until its execve): they are given a
// moment.
Result<os::FileLock> take_run_lock(const Services& services, const std::string& key);

// Fills an empty catalog from the store: every experiment and version that lies there. Returns how many experiments.
Result<std::size_t> rebuild_catalog(const Services& services);

}  // namespace studio::engine
