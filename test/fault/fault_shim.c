// Preloaded into the real binary: counts the calls that change a disk, and at the n-th one kills the process or makes
// the call fail.
//
//   FAULT_PROGRAM   only processes whose executable has this name are touched (their children run undisturbed)
//   FAULT_AT        the call that is struck, from 1
//   FAULT_ACTION    kill-before, kill-after, ENOSPC or EIO
//   FAULT_FOR       with ENOSPC and EIO: how many calls fail, that one included, default 1
//   FAULT_COUNT     file to which the number of calls is appended at exit
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

static atomic_long calls;
static long strike_at;
static long strike_for = 1;
static int strike_errno;  // 0: kill
static int kill_after;
static int active;
static const char* count_path;

__attribute__((constructor)) static void begin(void) {
  char path[4096];
  const ssize_t length = readlink("/proc/self/exe", path, sizeof path - 1);
  const char* program = getenv("FAULT_PROGRAM");
  if (length <= 0 || program == NULL) return;
  path[length] = '\0';
  const char* name = strrchr(path, '/') + 1;
  if (strcmp(name, program) != 0) return;
  active = 1;
  count_path = getenv("FAULT_COUNT");
  if (getenv("FAULT_AT") != NULL) strike_at = atol(getenv("FAULT_AT"));
  if (getenv("FAULT_FOR") != NULL) strike_for = atol(getenv("FAULT_FOR"));
  const char* action = getenv("FAULT_ACTION");
  if (action == NULL) return;
  if (strcmp(action, "kill-after") == 0) kill_after = 1;
  if (strcmp(action, "ENOSPC") == 0) strike_errno = ENOSPC;
  if (strcmp(action, "EIO") == 0) strike_errno = EIO;
}

__attribute__((destructor)) static void end(void) {
  if (!active || count_path == NULL) return;
  FILE* file = fopen(count_path, "a");
  if (file == NULL) return;
  fprintf(file, "%ld\n", atomic_load(&calls));
  fclose(file);
}

// Whether this call is struck. Does not return if it is to be the last one.
static int struck(long number) {
  if (strike_at == 0 || number < strike_at || number >= strike_at + strike_for) return 0;
  if (strike_errno == 0 && !kill_after) kill(getpid(), SIGKILL);
  return 1;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define FAULTY(result, name, parameters, arguments)          \
  result name parameters {                                   \
    static __typeof__(&name) real;                           \
    if (real == NULL) real = REAL(name);                     \
    if (!active) return real arguments;                      \
    const int hit = struck(atomic_fetch_add(&calls, 1) + 1); \
    if (hit && strike_errno != 0) {                          \
      errno = strike_errno;                                  \
      return -1;                                             \
    }                                                        \
    const result value = real arguments;                     \
    if (hit) kill(getpid(), SIGKILL);                        \
    return value;                                            \
  }

FAULTY(ssize_t, pwrite, (int fd, const void* data, size_t size, off_t at), (fd, data, size, at))
FAULTY(ssize_t, pwrite64, (int fd, const void* data, size_t size, off64_t at), (fd, data, size, at))
FAULTY(int, fsync, (int fd), (fd))
FAULTY(int, fdatasync, (int fd), (fd))
FAULTY(int, rename, (const char* from, const char* to), (from, to))
FAULTY(int, renameat, (int a, const char* from, int b, const char* to), (a, from, b, to))
FAULTY(int, renameat2, (int a, const char* from, int b, const char* to, unsigned flags), (a, from, b, to, flags))
FAULTY(int, link, (const char* from, const char* to), (from, to))
FAULTY(int, linkat, (int a, const char* from, int b, const char* to, int flags), (a, from, b, to, flags))
FAULTY(int, unlink, (const char* path), (path))
FAULTY(int, unlinkat, (int fd, const char* path, int flags), (fd, path, flags))
FAULTY(int, mkdir, (const char* path, mode_t mode), (path, mode))
FAULTY(int, mkdirat, (int fd, const char* path, mode_t mode), (fd, path, mode))
FAULTY(int, symlink, (const char* target, const char* path), (target, path))
FAULTY(int, ftruncate, (int fd, off_t size), (fd, size))
FAULTY(int, ftruncate64, (int fd, off64_t size), (fd, size))

// Terminals and pipes are not disks.
ssize_t write(int fd, const void* data, size_t size) {
  static __typeof__(&write) real;
  if (real == NULL) real = REAL(write);
  struct stat info;
  if (!active || fstat(fd, &info) != 0 || !S_ISREG(info.st_mode)) return real(fd, data, size);
  const int hit = struck(atomic_fetch_add(&calls, 1) + 1);
  if (hit && strike_errno != 0) {
    errno = strike_errno;
    return -1;
  }
  const ssize_t value = real(fd, data, size);
  if (hit) kill(getpid(), SIGKILL);
  return value;
}

#define FAULTY_OPEN(name, parameters, arguments)                  \
  int name parameters {                                           \
    static __typeof__(&name) real;                                \
    if (real == NULL) real = REAL(name);                          \
    mode_t mode = 0;                                              \
    if ((flags & (O_CREAT | __O_TMPFILE)) != 0) {                 \
      va_list list;                                               \
      va_start(list, flags);                                      \
      mode = va_arg(list, mode_t);                                \
      va_end(list);                                               \
    }                                                             \
    if (!active || (flags & O_CREAT) == 0) return real arguments; \
    const int hit = struck(atomic_fetch_add(&calls, 1) + 1);      \
    if (hit && strike_errno != 0) {                               \
      errno = strike_errno;                                       \
      return -1;                                                  \
    }                                                             \
    const int value = real arguments;                             \
    if (hit) kill(getpid(), SIGKILL);                             \
    return value;                                                 \
  }

FAULTY_OPEN(open, (const char* path, int flags, ...), (path, flags, mode))
FAULTY_OPEN(open64, (const char* path, int flags, ...), (path, flags, mode))
FAULTY_OPEN(openat, (int fd, const char* path, int flags, ...), (fd, path, flags, mode))
FAULTY_OPEN(openat64, (int fd, const char* path, int flags, ...), (fd, path, flags, mode))
