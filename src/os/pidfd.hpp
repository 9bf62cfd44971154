// pidfd_open(2) and pidfd_send_signal(2). Not through <sys/pidfd.h>: in glibc 2.36 it declares them to C++ without
// extern "C".
#pragma once

#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#include "os/fd.hpp"

namespace studio::os {

// An empty Fd, with errno set, on failure. Close-on-exec.
inline Fd open_pidfd(pid_t pid) { return Fd(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))); }

// 0, or -1 with errno set.
inline int send_to_pidfd(const Fd& pidfd, int signal) {
  return static_cast<int>(::syscall(SYS_pidfd_send_signal, pidfd.get(), signal, nullptr, 0));
}

}  // namespace studio::os
