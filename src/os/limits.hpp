// What the system lets a process have.
#pragma once

namespace studio::os {

// As many open descriptors as it may have; a process begins with fewer (getrlimit(2), RLIMIT_NOFILE). For a program
// that starts no others: old ones misuse select(2) with high numbers.
void allow_many_descriptors();

}  // namespace studio::os
