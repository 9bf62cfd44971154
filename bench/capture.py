#!/usr/bin/env python3
"""Capture, unchanged recapture and restore against `cp -r`, with the data of generate.py.

    bench/generate.py /var/tmp/studio-bench
    bench/capture.py /var/tmp/studio-bench [--only one_file small_files] [--rounds 3]

A capture is timed as a whole: `studio run -co DATA:data /bin/true`, the process start and the record included. All
writes end with a sync of the file system, what is read (for a restore that is the store) lies in the page cache, the
commands alternate, medians are shown. Every restored tree is compared with its source in the first round.
"""

import os
import pathlib
import shutil
import subprocess
import tempfile

import measure


def round_of(source, scratch, first):
    """One round: {operation: Sample}, and the bytes stored."""
    studio = measure.Studio(measure.STUDIO, scratch)
    capture = studio.capture(source)
    commands = {
        'cp -r': ['cp', '-r', source, scratch / 'copy'],
        'capture': capture,
        'unchanged recapture': capture,
        'restore': [studio.binary, 'artifacts', 'get', 'bench/data', scratch / 'restored'],
    }
    samples = {}
    for name, command in commands.items():
        measure.warm(studio.home / 'store' if name == 'restore' else source)
        measure.touch_memory(6)
        samples[name] = measure.run_synced(command, scratch, **studio.place)
    if first:
        subprocess.run(['diff', '-r', source, scratch / 'restored'], check=True)
    return samples, studio.stored_size()


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('data', type=pathlib.Path, help='where generate.py put it; also where copies are made')
    parser.add_argument('--only', nargs='+', default=['one_file', 'small_files'])
    parser.add_argument('--rounds', type=int, default=3)
    arguments = parser.parse_args()
    rows = []
    for workload in arguments.only:
        source = arguments.data.resolve() / workload
        rounds = []
        for number in range(arguments.rounds):
            scratch = pathlib.Path(tempfile.mkdtemp(prefix='round-', dir=arguments.data))
            samples, stored = round_of(source, scratch.resolve(), first=number == 0)
            rounds.append(samples)
            shutil.rmtree(scratch)
            os.sync()
            if workload == 'small_files' and number + 1 < arguments.rounds:
                measure.wait_after_mass_delete()
        base = measure.median([samples['cp -r'] for samples in rounds]).wall
        for name in rounds[0]:
            samples = [each[name] for each in rounds]
            median = measure.median(samples)
            rows.append((workload, name, '%.2f' % median.wall, measure.spread(samples), '%.2f' % (median.wall / base),
                         '%.2f' % median.cpu, '%.0f' % median.peak, '%.0f' % (stored / 1e6) if name == 'capture' else ''))
    measure.print_table(('data', 'operation', 'seconds', 'least–most', '× cp -r', 'CPU s', 'peak MiB', 'store MB'), rows)


if __name__ == '__main__':
    main()
