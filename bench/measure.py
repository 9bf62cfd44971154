"""Times commands from outside, and prints what came out as rows of a Markdown table. Used by the benchmarks beside it."""

import argparse
import contextlib
import dataclasses
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

REPOSITORY = pathlib.Path(__file__).resolve().parent.parent
STUDIO = REPOSITORY / 'build/release/studio'

# ext4 avoids inodes that were deleted in the last minute, which makes 100,000 new files several times slower.
PAUSE_AFTER_MASS_DELETE = 75


@dataclasses.dataclass
class Sample:
    wall: float        # seconds
    cpu: float         # seconds, user and system, with all children
    peak: float        # MiB, of the largest process; not below what this process has, which it was forked from


def neutral_environment(**variables):
    """This process's environment without the settings of the user's own Studio, and with the variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith('STUDIOML_')}
    return dict(environment, **variables)


class Studio:
    """A Studio binary with a home and a workspace of its own in `folder`."""

    def __init__(self, binary, folder):
        self.binary = str(binary)
        self.home = folder / 'home'
        self.workspace = folder / 'workspace'
        self.workspace.mkdir(parents=True)
        self.environment = neutral_environment(STUDIOML_HOME=str(self.home))

    @property
    def place(self):
        """Where its commands run: for run() and run_synced()."""
        return {'environment': self.environment, 'directory': self.workspace}

    def capture(self, source, tag='data'):
        """The command that captures `source` once, as the next version of bench/TAG."""
        return [self.binary, 'run', '--quiet', '-e', 'bench', '-co', '%s:%s' % (source, tag), '/bin/true']

    def json(self, *arguments):
        """What a command that shows something prints."""
        command = [self.binary, *arguments, '--json']
        return json.loads(subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, check=True).stdout)

    def stored_size(self):
        return apparent_size(self.home / 'store')


def compile_c(source, program, *flags):
    """Make `program` of the text of a C program."""
    need('cc', 'gcc libc6-dev')
    subprocess.run(['cc', '-O2', '-x', 'c', '-o', program, '-', *flags], input=source, text=True, check=True)


def argument_parser(documentation):
    return argparse.ArgumentParser(description=documentation, formatter_class=argparse.RawDescriptionHelpFormatter)


def add_source(parser):
    parser.add_argument('source', type=source_folder, help='a folder')


def source_folder(path):
    folder = pathlib.Path(path).resolve()
    if not folder.is_dir():
        raise argparse.ArgumentTypeError('%s: no such folder: make it with bench/generate.py' % folder)
    return folder


@contextlib.contextmanager
def scratch_folder(directory):
    """A new folder in `directory`, removed at the end."""
    with tempfile.TemporaryDirectory(prefix='studio-bench-', dir=directory) as folder:
        yield pathlib.Path(folder).resolve()


def add_studio_option(parser):
    parser.add_argument('--studio', type=studio_binary, default=str(STUDIO), metavar='PATH', help='the binary to measure')


def studio_binary(path):
    binary = pathlib.Path(path).resolve()
    if not os.access(binary, os.X_OK):
        sys.exit('%s: no Studio there: build it with scripts/test unit, or name it with --studio PATH' % binary)
    return binary


def need(program, package):
    """End with one clear line if `program` is not installed."""
    if not shutil.which(program):
        sys.exit('%s: needs %s: apt-get install %s' % (os.path.basename(sys.argv[0]), program, package))


def need_numpy():
    """The module, or the end with one clear line."""
    try:
        import numpy
    except ImportError:
        sys.exit('%s: needs NumPy: apt-get install python3-numpy libopenblas0-pthread, and run it with /usr/bin/python3'
                 % os.path.basename(sys.argv[0]))
    return numpy


def touch_memory(gibibytes):
    """Allocate, write and free memory in a process of its own.

    In a virtual machine that returns free pages to its host the first touch of each costs several times more; this pays
    for it before the clock runs.
    """
    if gibibytes:
        code = 'import sys; block = bytearray(b"\\1") * (int(sys.argv[1]) << 30)'
        subprocess.run([sys.executable, '-c', code, str(gibibytes)], check=True)


def wait_after_mass_delete():
    os.sync()
    time.sleep(PAUSE_AFTER_MASS_DELETE)


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
