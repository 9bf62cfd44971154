#!/usr/bin/env python3
"""What capturing costs a training beside it.

    bench/training.py [--seconds 60] [--rounds 3] [--gibibytes 2] [--cache 4] [--directory /var/tmp] [--studio PATH]

The training is a network of two layers (NumPy, float32, data in memory; a step takes some milliseconds). Every 10 s it replaces its model, eight
files that hold 2 GiB and of which every float is new. It runs bare and under `studio run`, which captures the model every 10 s, with one
thread and with two; the four alternate. Steps are timed in the training; saving the model is no step, and both bare and captured runs
do it. Step times are compared round by round with the bare run of as many threads.

"Waited" is what the kernel counts of the time in which the training's threads could have run and did not, as a share of the time in which
they ran; "stolen" the share of all cores' time in which the host of a virtual machine ran something else, its disk's own work too.

A file of 4 GiB that nobody needs lies in the page cache when a run begins: what is left of it at the end tells whether capturing drives
out what the training may need. Needs 20 GB of disk and 16 GB of memory for the sizes above.
"""

import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import typing

import measure

numpy = measure.need_numpy()

SAVE_EVERY = 10
MODEL_FILES = 8
INPUTS, HIDDEN, OUTPUTS, BATCH = 512, 1024, 10, 128


class Network:
    """Least squares by plain descent: what counts is that it computes."""

    def __init__(self):
        self.generator = numpy.random.default_rng(5005)
        self.inputs = self.normal(64 * BATCH, INPUTS)
        self.targets = numpy.tanh(self.inputs @ self.normal(INPUTS, OUTPUTS) / 20)
        self.first, self.second = self.normal(INPUTS, HIDDEN) / 20, self.normal(HIDDEN, OUTPUTS) / 30
        self.at = 0

    def normal(self, *shape):
        return self.generator.standard_normal(shape, dtype=numpy.float32)

    def step(self):
        rows = slice(self.at, self.at + BATCH)
        self.at = (self.at + BATCH) % len(self.inputs)
        hidden = numpy.maximum(self.inputs[rows] @ self.first, 0)
        error = hidden @ self.second - self.targets[rows]
        back = (error @ self.second.T) * (hidden > 0)
        rate = numpy.float32(0.01 / BATCH)
        self.second -= rate * (hidden.T @ error)
        self.first -= rate * (self.inputs[rows].T @ back)


def save_model(folder, block, generator):
    """Every float of every file differs from what it was, and files appear whole."""
    bits = block.view(numpy.uint32)
    for index in range(MODEL_FILES):
        bits ^= numpy.uint32(generator.integers(1, 1 << 23))  # of the mantissa: what compresses stays the same
        part = folder.with_name('model.part')
        block.tofile(part)
        part.rename(folder / ('layer_%d.f32' % index))


def train(folder, seconds, gibibytes, report):
    """The program that is measured: writes its step times, in seconds, to `report`."""
    network = Network()
    block = network.generator.random(int(gibibytes * (1 << 28)) // MODEL_FILES, dtype=numpy.float32)
    while network.at < 32 * BATCH:
        network.step()
    steps, saves = [], 0
    began = now = time.monotonic()
    while now < began + seconds:
        if now >= began + saves * SAVE_EVERY:
            save_model(folder, block, network.generator)
            saves += 1
            now = time.monotonic()
        network.step()
        ended = time.monotonic()
        steps.append(ended - now)
        now = ended
    report.write_text(json.dumps({'steps': steps, 'waited': waited_share()}))


def waited_share():
    """Of this process: time in the run queue by time on a core (Documentation/scheduler/sched-stats.rst)."""
    tasks = [path.read_text().split() for path in pathlib.Path('/proc/self/task').glob('*/schedstat')]
    return sum(int(task[1]) for task in tasks) / sum(int(task[0]) for task in tasks)


def processor_times():
    """(time stolen by the host, all time) of all cores since the start."""
    with open('/proc/stat') as stream:
        times = [int(field) for field in stream.readline().split()[1:9]]
    return times[7], sum(times)


def check_threads():
    """NumPy must be able to train on two cores."""
    numpy.ones((64, 64), numpy.float32) @ numpy.ones((64, 64), numpy.float32)
    if 'openblas' not in pathlib.Path('/proc/self/maps').read_text():
        sys.exit('training.py: NumPy computes on one core only: apt-get install libopenblas0-pthread')


def cached_share(path):
    """What part of a file lies in the page cache."""
    output = subprocess.run(['fincore', '--bytes', '--noheadings', '--output', 'RES,SIZE', path], stdout=subprocess.PIPE, check=True).stdout
    resident, size = map(int, output.split())
    return resident / size


class Run(typing.NamedTuple):
    steps: list    # their times in seconds
    waited: float  # shares
    stolen: float
    left: float    # of the cached file
    versions: int  # of the model


def one_run(captured, threads, cache, arguments):
    """What came of one run."""
    scratch = pathlib.Path(tempfile.mkdtemp(prefix='run-', dir=cache.parent.parent))
    model, report = scratch / 'model', scratch / 'steps.json'
    model.mkdir()
    studio = measure.Studio(arguments.studio, scratch)
    environment = dict(studio.environment, OMP_NUM_THREADS=str(threads), OPENBLAS_NUM_THREADS=str(threads),
                       STUDIOML_SAVE_WORKSPACE_FREQUENCY='10s')
    command = [sys.executable, pathlib.Path(__file__).resolve(), '--train', model, str(arguments.seconds), str(arguments.gibibytes), report]
    if captured:
        command = [studio.binary, 'run', '--quiet', '-e', 'bench', '-c', '%s:model' % model, '--', *command]
    measure.touch_memory(arguments.touch)
    measure.warm(cache.parent)
    stolen, total = processor_times()
    measure.run(command, environment=environment, directory=studio.workspace)
    stolen, total = (after - before for after, before in zip(processor_times(), (stolen, total)))
    left = cached_share(cache)
    versions = len(studio.json('artifacts', 'log', 'bench/model')['versions']) if captured else 0
    told = json.loads(report.read_text())
    shutil.rmtree(scratch)
    os.sync()
    return Run(told['steps'], told['waited'], stolen / total, left, versions)


def percentile(steps, share):
    return sorted(steps)[int(share * (len(steps) - 1))]


FIGURES = {'mean': statistics.mean, 'median': statistics.median, '99 %': lambda steps: percentile(steps, 0.99)}


def measure_all(scratch, arguments):
    cache = scratch / 'cache' / 'file'
    cache.parent.mkdir()
    with open(cache, 'wb') as stream:
        for _ in range(arguments.cache * 1024):
            stream.write(b'\1' * (1 << 20))
    subprocess.run(['sync', '-f', cache], check=True)
    runs = {(threads, captured): [] for threads in (1, 2) for captured in (False, True)}
    for number in range(arguments.rounds):
        for (threads, captured), each in runs.items():
            each.append(one_run(captured, threads, cache, arguments))
            print('round %d: %d threads, %s' % (number + 1, threads, 'captured' if captured else 'bare'), file=sys.stderr)
    rows = []
    for (threads, captured), each in runs.items():
        cells = []
        for figure in FIGURES.values():
            values = [figure(run.steps) for run in each]
            bare = [figure(run.steps) for run in runs[threads, False]]
            cells.append('%.2f' % (1e3 * statistics.median(values)))
            cells.append('%.3f' % statistics.median(value / reference for value, reference in zip(values, bare)))
        for share in ('waited', 'stolen'):
            cells.append('%.1f %%' % (100 * statistics.median(getattr(run, share) for run in each)))
        rows.append((threads, 'captured' if captured else 'bare', *cells, '%.0f %%' % (100 * min(run.left for run in each)),
                     ', '.join(str(run.versions) for run in each) if captured else ''))
    measure.print_table(('threads', 'run', *(title for name in FIGURES for title in ('step ms, ' + name, '× bare')),
                         'waited', 'stolen', 'file still cached', 'versions of the model'), rows)


def main():
    if sys.argv[1:2] == ['--train']:
        folder, seconds, gibibytes, report = sys.argv[2:]
        train(pathlib.Path(folder), float(seconds), float(gibibytes), pathlib.Path(report))
        return
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--directory', type=pathlib.Path, default='/var/tmp')
    parser.add_argument('--seconds', type=float, default=60, help='of each run')
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--gibibytes', type=float, default=2, help='of the model')
    parser.add_argument('--cache', type=int, default=4, help='GiB of the file in the page cache')
    parser.add_argument('--touch', type=int, default=6, help='GiB of memory to touch before each run')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    measure.need('fincore', 'util-linux-extra')
    check_threads()
    with measure.scratch_folder(arguments.directory) as scratch:
        measure_all(scratch, arguments)


if __name__ == '__main__':
    main()
