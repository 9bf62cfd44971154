#!/usr/bin/env python3
"""Memory and time of trees that are large in one way: many files, one directory, many levels, one file.

    bench/large.py [--only many_files one_directory levels one_file] [--directory /var/tmp] [--scale 1] [--studio PATH]

    many_files     1,000,000 files of 13 bytes, no two alike, in 1,000 directories
    one_directory  200,000 such files in one directory
    levels         10,000 directories, each in the one before, with a file in each; its paths are longer than the kernel takes
    one_file       64 GiB with 1 MiB of data after each GiB, the rest holes

Each is captured, captured again unchanged, verified, restored, compared (names, sizes, bytes) and exported as tar.gz. "Peak" is the highest
resident memory of the command, which counts pages of the index that are mapped. --scale 0.01 makes a hundredth of everything.
"""

import os
import pathlib
import random
import sys

import measure

GIB = 1 << 30


def fill(directory, first, count):
    for number in range(first, first + count):
        with open('%s/file %d' % (directory, number), 'w') as stream:
            stream.write('%012d\n' % number)


def many_files(folder, scale):
    for number in range(1000):
        (folder / str(number)).mkdir()
        fill(folder / str(number), number * 1000, int(1000 * scale))


def one_directory(folder, scale):
    fill(folder, 0, int(200_000 * scale))


def levels(folder, scale):
    here = os.open(folder, os.O_RDONLY)
    for number in range(int(10_000 * scale)):
        file = os.open('file', os.O_WRONLY | os.O_CREAT, 0o644, dir_fd=here)
        os.write(file, b'%d\n' % number)
        os.close(file)
        os.mkdir('level %d' % number, dir_fd=here)
        below = os.open('level %d' % number, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)


def one_file(folder, scale):
    numbers = random.Random(6006)
    with open(folder / 'sparse', 'wb') as stream:
        for number in range(int(64 * scale) or 1):
            stream.seek(number * GIB)
            stream.write(numbers.randbytes(1 << 20))
        stream.truncate((int(64 * scale) or 1) * GIB)


KINDS = {each.__name__: each for each in (many_files, one_directory, levels, one_file)}


def walk(folder):
    """(depth, name, size, first and last bytes) of all below, by descriptors: paths may be too long for the kernel."""
    here = [(os.open(folder, os.O_RDONLY), None)]
    while here:
        descriptor, names = here.pop()
        names = iter(sorted(os.listdir(descriptor))) if names is None else names
        for name in names:
            state = os.lstat(name, dir_fd=descriptor)
            if os.path.stat.S_ISDIR(state.st_mode):
                yield len(here), name, None, None
                below = os.open(name, os.O_RDONLY, dir_fd=descriptor)
                os.close(descriptor)
                here += [(name, names), (below, None)]
                break
            file = os.open(name, os.O_RDONLY, dir_fd=descriptor)
            yield len(here), name, state.st_size, os.pread(file, 4096, 0) + os.pread(file, 4096, max(0, state.st_size - GIB))
            os.close(file)
        else:
            if here:
                _, left = here.pop()
                above = os.open('..', os.O_RDONLY, dir_fd=descriptor)
                here.append((above, left))
            os.close(descriptor)


def check_equal(a, b):
    for one, other in zip(walk(a), walk(b), strict=True):
        if one != other:
            sys.exit('large.py: restored differently: %r, %r' % (one, other))


def remove_all(folder):
    """As shutil.rmtree, however deep."""
    for each in list(folder.iterdir()):
        measure.run(['rm', '-rf', '--', each])


def measure_one(name, folder, scale, studio_binary):
    source = folder / 'source'
    source.mkdir()
    KINDS[name](source, scale)
    os.sync()
    studio = measure.Studio(studio_binary, folder / 'studio')
    restored = folder / 'restored'
    samples = [
        ('capture', measure.run_synced(studio.capture(source), folder, **studio.place)),
        ('unchanged recapture', measure.run(studio.capture(source), **studio.place)),
        ('verify', measure.run([studio.binary, 'store', 'verify'], **studio.place)),
        ('restore', measure.run_synced([studio.binary, 'artifacts', 'get', 'bench/data', restored], folder, **studio.place)),
    ]
    check_equal(source, restored)
    if name != 'one_file':  # of which tar.gz has no holes: it would compress 64 GiB
        archive = ['sh', '-c', 'exec "$0" artifacts tar bench/data > "$1"', studio.binary, folder / 'data.tar.gz']
        samples.append(('tar.gz', measure.run(archive, **studio.place)))
    stored = studio.stored_size() / 1e6
    return [(name, what, '%.1f' % sample.wall, '%.1f' % sample.cpu, '%.0f' % sample.peak, '%.0f' % stored if what == 'capture' else '')
            for what, sample in samples]


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--only', nargs='+', choices=KINDS, default=list(KINDS))
    parser.add_argument('--directory', type=measure.source_folder, default='/var/tmp', help='where all is made')
    parser.add_argument('--scale', type=float, default=1)
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    rows = []
    for name in arguments.only:
        with measure.scratch_folder(pathlib.Path(arguments.directory)) as folder:
            rows += measure_one(name, folder, arguments.scale, arguments.studio)
            remove_all(folder)
        print('%s is done' % name, file=sys.stderr, flush=True)
    measure.print_table(('tree', 'operation', 'seconds', 'CPU s', 'peak MiB', 'store MB'), rows)


if __name__ == '__main__':
    main()
