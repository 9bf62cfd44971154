#!/usr/bin/env python3
"""How long it takes to find that 100,000 files are unchanged, against a bare walk that calls stat for each.

    bench/generate.py /var/tmp/studio-bench --only small_files
    bench/recapture.py /var/tmp/studio-bench/small_files [--rounds 10] [--studio PATH]

    bare walk      a C program: two threads, getdents and fstatat for every name; its own clock, without its start
    fresh process  `studio run -co DATA:data /bin/true` as a whole: start, record and the other artifacts of a run included
    in a run       inside one `studio run -c DATA:data` that captures every second: the time from the line that `--verbose` prints for the
                   artifact before to the line for this one

Walk and fresh processes alternate; the run follows, with a walk after each of its captures. Everything is cached by the kernel. "Grown" is
what the store gained in all unchanged captures together.
"""

import dataclasses
import pathlib
import statistics
import subprocess
import time

import measure

WALK = r'''
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

struct entry { unsigned long long inode; long long offset; unsigned short length; unsigned char type; char name[]; };

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static char **waiting;
static size_t count, capacity, busy;
static long long names, bytes;

static void push(char *path) {
  pthread_mutex_lock(&mutex);
  if (count == capacity) waiting = realloc(waiting, (capacity = 2 * capacity + 64) * sizeof *waiting);
  waiting[count++] = path;
  pthread_cond_signal(&changed);
  pthread_mutex_unlock(&mutex);
}

static char *pop(void) {
  pthread_mutex_lock(&mutex);
  while (count == 0 && busy > 0) pthread_cond_wait(&changed, &mutex);
  char *path = count == 0 ? NULL : waiting[--count];
  if (path) busy++; else pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  return path;
}

static void done(long long found, long long size) {
  pthread_mutex_lock(&mutex);
  names += found;
  bytes += size;
  if (--busy == 0) pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void *work(void *unused) {
  static __thread char buffer[1 << 17] __attribute__((aligned(16)));
  for (char *path; (path = pop()) != NULL; free(path)) {
    long long found = 0, size = 0;
    int directory = openat(AT_FDCWD, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    long got;
    while ((got = syscall(SYS_getdents64, directory, buffer, sizeof buffer)) > 0)
      for (long at = 0; at < got;) {
        struct entry *entry = (struct entry *)(buffer + at);
        at += entry->length;
        if (strcmp(entry->name, ".") == 0 || strcmp(entry->name, "..") == 0) continue;
        struct stat state;
        if (fstatat(directory, entry->name, &state, AT_SYMLINK_NOFOLLOW) != 0) continue;
        found++;
        size += state.st_size;
        char *below;
        if (S_ISDIR(state.st_mode) && asprintf(&below, "%s/%s", path, entry->name) > 0) push(below);
      }
    close(directory);
    done(found, size);
  }
  return unused;
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  struct timespec began, ended;
  clock_gettime(CLOCK_MONOTONIC, &began);
  push(strdup(argv[1]));
  pthread_t other;
  pthread_create(&other, NULL, work, NULL);
  work(NULL);
  pthread_join(other, NULL);
  clock_gettime(CLOCK_MONOTONIC, &ended);
  printf("%lld %lld %lld\n", (ended.tv_sec - began.tv_sec) * 1000000000LL + ended.tv_nsec - began.tv_nsec, names, bytes);
  return 0;
}
'''


@dataclasses.dataclass
class Setting:
    walk_program: pathlib.Path
    source: pathlib.Path
    studio: measure.Studio

    def walk(self):
        """(seconds, names)"""
        nanoseconds, names, _ = subprocess.run([self.walk_program, self.source], stdout=subprocess.PIPE, check=True).stdout.split()
        return int(nanoseconds) / 1e9, int(names)

    def fresh(self):
        return measure.run(self.studio.capture(self.source), **self.studio.place).wall


def in_a_run(setting, rounds):
    """(seconds of each unchanged capture of one run, seconds of the walks in between)"""
    environment = dict(setting.studio.environment, STUDIOML_SAVE_WORKSPACE_FREQUENCY='1s')
    command = [setting.studio.binary, 'run', '--verbose', '-e', 'running', '-c', '%s:data' % setting.source, 'sleep', '100000']
    process = subprocess.Popen(command, env=environment, cwd=setting.studio.workspace, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    captures, walks, before = [], [], time.monotonic()
    for line in process.stderr:
        now = time.monotonic()
        if line.startswith('studio: captured data ') and line.endswith('(unchanged)\n'):
            captures.append(now - before)
            walks.append(setting.walk()[0])
            if len(captures) == rounds:
                process.terminate()
                break
        before = time.monotonic()
    process.communicate()
    return captures, walks


def row(name, seconds, walks, grown=''):
    return (name, '%.1f' % (1e3 * statistics.median(seconds)), '%.1f–%.1f' % (1e3 * min(seconds), 1e3 * max(seconds)),
            '%.2f' % statistics.median(each / walk for each, walk in zip(seconds, walks)), grown)


def measure_all(setting, rounds):
    measure.warm(setting.source)
    setting.fresh()
    time.sleep(1)
    setting.fresh()  # what was too young at the first capture to be trusted is read again once
    stored = setting.studio.stored_size()
    walks, fresh = [], []
    for _ in range(rounds):
        walks.append(setting.walk()[0])
        fresh.append(setting.fresh())
    grown = setting.studio.stored_size() - stored
    captures, walks_between = in_a_run(setting, rounds)
    print('%d names\n' % setting.walk()[1])
    measure.print_table(('what', 'ms: median', 'least–most', '× walk of the same round', 'grown, bytes'), [
        row('bare walk', walks, walks), row('fresh process', fresh, walks, grown),
        row('bare walk between the captures of a run', walks_between, walks_between), row('in a run', captures, walks_between)])


def main():
    parser = measure.argument_parser(__doc__)
    measure.add_source(parser)
    parser.add_argument('--rounds', type=int, default=10)
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    with measure.scratch_folder(arguments.source.parent) as scratch:
        measure.compile_c(WALK, scratch / 'walk', '-pthread')
        measure_all(Setting(scratch / 'walk', arguments.source, measure.Studio(arguments.studio, scratch)), arguments.rounds)


if __name__ == '__main__':
    main()
