#include "os/priority.hpp"

#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

namespace studio::os {

namespace {

// The last before SCHED_IDLE, which gets nothing at all beside a script that keeps all cores busy.
constexpr int k_background_nice = 19;
// Not the idle class: beside a script that keeps the disk busy it would never get a turn, and a capture that never ends
// protects nothing.
constexpr int k_best_effort_lowest = IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, IOPRIO_NR_LEVELS - 1);

}  // namespace

// The results are ignored on purpose: a sandbox may refuse these calls, and work done at the wrong priority is better
// than none. To Linux, "process 0" means the calling thread in all of them.
void lower_priority_of_this_thread() {
  if (::getpriority(PRIO_PROCESS, 0) < k_background_nice) (void)::setpriority(PRIO_PROCESS, 0, k_background_nice);
  const long present = ::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  const bool lower_already = present >= 0 && IOPRIO_PRIO_CLASS(present) == IOPRIO_CLASS_IDLE;
  if (!lower_already) (void)::syscall(SYS_ioprio_set, IOPRIO_WHO_PROCESS, 0, k_best_effort_lowest);
}

}  // namespace studio::os
