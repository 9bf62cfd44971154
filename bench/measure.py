"""Times commands from outside, and prints what came out as rows of a Markdown table. Used by the benchmarks beside it."""

import dataclasses
import os
import pathlib
import statistics
import subprocess
import sys
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
STUDIO = REPOSITORY / 'build/release/studio'


@dataclasses.dataclass
class Sample:
    wall: float        # seconds
    cpu: float         # seconds, user and system, with all children
    peak: float        # MiB, of the largest process


def touch_memory(gibibytes):
    """Allocate, write and free memory in a process of its own.

    In a virtual machine that returns free pages to its host the first touch of each costs several times more; this pays
    for it before the clock runs.
    """
    if gibibytes:
        code = 'import sys; block = bytearray(b"\\1") * (int(sys.argv[1]) << 30)'
        subprocess.run([sys.executable, '-c', code, str(gibibytes)], check=True)


def warm(path):
    """Read every file below `path`, so that the source lies in the page cache."""
    for directory, _, names in os.walk(path):
        for name in names:
            with open(os.path.join(directory, name), 'rb', buffering=0) as stream:
                while stream.read(1 << 20):
                    pass


def run(command, environment=None, directory=None):
    """Run a command to its end; its output is shown only if it fails."""
    read, write = os.pipe()
    began = time.monotonic()
    process = subprocess.Popen(command, env=environment, cwd=directory, stdin=subprocess.DEVNULL, stdout=write, stderr=write)
    os.close(write)
    with os.fdopen(read, 'rb') as stream:
        output = stream.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.monotonic() - began
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode != 0:
        sys.stderr.buffer.write(output)
        sys.exit('%s: exit code %d' % (' '.join(map(str, command)), process.returncode))
    return Sample(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def run_synced(command, target, **options):
    """run(), with the time until what it wrote to the file system of `target` is on the disk."""
    sample = run(command, **options)
    began = time.monotonic()
    subprocess.run(['sync', '-f', str(target)], check=True)
    sample.wall += time.monotonic() - began
    return sample


def median(samples):
    return Sample(*(statistics.median(getattr(sample, field.name) for sample in samples) for field in dataclasses.fields(Sample)))


def spread(samples):
    """The fastest and the slowest, as text."""
    walls = [sample.wall for sample in samples]
    return '%.2f–%.2f' % (min(walls), max(walls))


def apparent_size(path):
    """Bytes in all files below `path`."""
    return sum(os.lstat(os.path.join(directory, name)).st_size for directory, _, names in os.walk(path) for name in names)


def print_table(header, rows):
    print('| ' + ' | '.join(header) + ' |')
    print('|' + '---|' * len(header))
    for row in rows:
        print('| ' + ' | '.join(map(str, row)) + ' |')
