// open(2) of a path below a directory that nothing in the path can lead out of.
#pragma once

#include <string>

namespace studio::os {

// `relative` has no ".."; no symlink in it is followed (ELOOP). Close-on-exec. -1 and errno.
int open_beneath(int root, const std::string& relative, int flags);

// What open_beneath() does where there is no openat2(2): component by component.
int open_by_components(int root, const std::string& relative, int flags);

}  // namespace studio::os
