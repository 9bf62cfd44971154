#!/usr/bin/env python3
"""Whether a capture gets slower as the history behind it grows.

    bench/history.py [--versions 1000] [--chunks 1000000] [--window 20] [--directory /var/tmp] [--studio PATH]

The same small change, one of 100 files of 8 KiB rewritten, is captured again and again (`studio run -co` as a whole, start included):
in an empty store; when the store knows 1,000,000 chunks (as many tiny files of different content, captured once under another tag);
and after 500 and 1,000 versions. Each time a window of captures is timed, alternating with the same in a store without history, made for
that window: the ratio to those tells growth from drift of the machine. Needs 6 GB and 1,000,000 inodes.
"""

import pathlib
import random
import statistics
import tempfile

import measure

FILES = 100


class History:
    """A small folder that changes, and the store that captures it."""

    def __init__(self, binary, folder):
        self.studio = measure.Studio(binary, folder)
        self.data = folder / 'data'
        self.data.mkdir()
        self.generator = random.Random(str(folder.name))
        self.versions = 0
        for number in range(FILES):
            self.write(number)
        self.capture()

    def write(self, number):
        (self.data / ('file_%d' % number)).write_bytes(self.generator.randbytes(8192))

    def run(self, command):
        return measure.run(command, **self.studio.place).wall

    def capture(self):
        """Seconds of capturing one change."""
        self.versions += 1
        self.write(self.versions % FILES)
        return self.run(self.studio.capture(self.data))


def learn_chunks(history, folder, count):
    """Make the store know as many chunks."""
    for number in range(count):
        if number % 1000 == 0:
            directory = folder / ('d%04d' % (number // 1000))
            directory.mkdir(parents=True)
        (directory / str(number % 1000)).write_bytes(b'%d' % number)
    history.run(history.studio.capture(folder, 'known'))


def window(name, history, binary, scratch, length):
    """A row of the table."""
    control = History(binary, pathlib.Path(tempfile.mkdtemp(prefix='control-', dir=scratch)))
    grown, fresh = [], []
    for _ in range(length):
        fresh.append(control.capture())
        grown.append(history.capture())
    chunks = history.studio.json('store', 'stats')['chunks']
    return [name, history.versions, chunks, 1e3 * statistics.median(grown), '%.1f–%.1f' % (1e3 * min(grown), 1e3 * max(grown)),
            1e3 * statistics.median(fresh)]


def measure_all(scratch, arguments):
    history = History(arguments.studio, scratch / 'history')
    rows = []

    def add(name):
        rows.append(window(name, history, arguments.studio, scratch, arguments.window))
        print('%s: %d versions' % (name, history.versions), flush=True)

    add('empty store')
    learn_chunks(history, scratch / 'many', arguments.chunks)
    add('many chunks known')
    for goal in (arguments.versions // 2, arguments.versions):
        while history.versions < goal - arguments.window:
            history.capture()
        add('many versions too')
    first = rows[0][3] / rows[0][5]
    print()
    measure.print_table(('history', 'versions', 'chunks', 'ms a capture: median', 'least–most', 'without history', 'ratio', '× empty store'), [
        (name, versions, chunks, '%.1f' % grown, spread, '%.1f' % fresh, '%.2f' % (grown / fresh), '%.2f' % (grown / fresh / first))
        for name, versions, chunks, grown, spread, fresh in rows])


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--directory', type=pathlib.Path, default='/var/tmp')
    parser.add_argument('--versions', type=int, default=1000)
    parser.add_argument('--chunks', type=int, default=1_000_000)
    parser.add_argument('--window', type=int, default=20, help='captures timed at each point')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    with measure.scratch_folder(arguments.directory) as scratch:
        measure_all(scratch, arguments)


if __name__ == '__main__':
    main()
