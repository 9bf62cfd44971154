// Making way for the script.
#pragma once

namespace studio::os {

// Lowers the CPU priority (nice 10) and the I/O priority (best effort, lowest) of the calling thread, for good: raising
// them again needs a privilege. Threads and children that it starts from then on inherit both. Never fails.
void lower_priority_of_this_thread();

}  // namespace studio::os
