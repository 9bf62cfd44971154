#include "os/priority.hpp"

#include <gtest/gtest.h>
#include <linux/ioprio.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <thread>

namespace studio::os {
namespace {

TEST(Priority, IsLoweredForOneThreadOnly) {
  const int before = ::getpriority(PRIO_PROCESS, 0);
  int cpu = -1;
  long io = -1;
  std::thread([&] {
    lower_priority_of_this_thread();
    cpu = ::getpriority(PRIO_PROCESS, 0);
    io = ::syscall(SYS_ioprio_get, IOPRIO_WHO_PROCESS, 0);
  }).join();
  EXPECT_GE(cpu, 10);
  EXPECT_EQ(::getpriority(PRIO_PROCESS, 0), before);
  if (io >= 0) {
    EXPECT_EQ(io, IOPRIO_PRIO_VALUE(IOPRIO_CLASS_BE, 7));
  }
}

}  // namespace
}  // namespace studio::os
