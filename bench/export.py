#!/usr/bin/env python3
"""Export of a stored folder as tar.gz against the programs that compress a tar.

    bench/generate.py /var/tmp/studio-bench --only one_file
    bench/export.py /var/tmp/studio-bench/one_file [--rounds 3] [--studio PATH]

    tar           `studio artifacts tar --no-gzip`: what reading and checking alone take
    tar.gz        `studio artifacts tar`
    pigz -1       of the same tar, a file in the page cache, on all cores
    gzip -1       behind GNU tar of the source, which lies in the page cache

Nothing that comes out is kept. The four alternate; what Studio stored lies in the page cache. Rates are bytes of the tar a second, so that they
compare; ratios are those of the same round, their median is shown. Before, the archive is unpacked by `gzip -d` and compared with the plain tar.
"""

import statistics
import subprocess

import measure


def run(command, **options):
    """A sample of a command line of the shell whose output is thrown away."""
    return measure.run(['sh', '-c', command + ' > /dev/null'], **options)


def main():
    parser = measure.argument_parser(__doc__)
    measure.add_source(parser)
    parser.add_argument('--rounds', type=int, default=3)
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    source = arguments.source
    measure.need('pigz', 'pigz')
    with measure.scratch_folder(source.parent) as scratch:
        studio = measure.Studio(arguments.studio, scratch)
        measure.run_synced(studio.capture(source), scratch, **studio.place)
        archive = scratch / 'archive/data.tar'
        archive.parent.mkdir()
        export = "'%s' artifacts tar bench/data" % studio.binary
        subprocess.run("%s --no-gzip > '%s' && %s | gzip -d | cmp - '%s'" % (export, archive, export, archive), shell=True, check=True,
                       env=studio.environment, cwd=studio.workspace)
        size = archive.stat().st_size
        commands = {
            'tar': export + ' --no-gzip',
            'tar.gz': export,
            'pigz -1': "pigz -1 -c '%s'" % archive,
            'gzip -1': "tar -cf - -C '%s' . | gzip -1" % source,
        }
        packs = studio.home / 'store'
        sources = {'tar': packs, 'tar.gz': packs, 'pigz -1': archive.parent, 'gzip -1': source}
        rounds = []
        for _ in range(arguments.rounds):
            samples = {}
            for name, command in commands.items():
                measure.warm(sources[name])
                samples[name] = run(command, **studio.place)
            rounds.append(samples)
    rows = []
    for name in commands:
        samples = [each[name] for each in rounds]
        median = measure.median(samples)
        ratio = statistics.median(each['pigz -1'].wall / each[name].wall for each in rounds)
        rows.append((name, '%.2f' % median.wall, measure.spread(samples), '%.0f' % (size / median.wall / 1e6), '%.2f' % ratio,
                     '%.2f' % median.cpu, '%.0f' % median.peak))
    measure.print_table(('operation', 'seconds', 'least–most', 'MB/s', '× rate of pigz -1', 'CPU s', 'peak MiB'), rows)


if __name__ == '__main__':
    main()
