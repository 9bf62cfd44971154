#!/usr/bin/env python3
"""Studio and other programs that keep or copy folders, on the same data in the same run.

    bench/peers/install                                    # what Debian 12 has of them
    bench/generate.py /var/tmp/studio-bench
    bench/peers/compare.py /var/tmp/studio-bench [--only one_file small_files growing_all growing_parts]
                           [--peers studio restic …] [--rounds 3] [--studio PATH]

    one_file, small_files  first capture, unchanged capture by a new process, restore. Ratios are to `cp -r` of the same round.
    growing_all, growing_parts
                           a folder that gains a checkpoint and a piece of log each step; every peer captures every step, the last
                           is shown. Ratios are to `cp` of the two new files, and to the bytes that are new (distinct regions of 1 MiB).

All timed commands end with a sync of the file system. Before each the source is read (so it lies in the page cache) and memory is
touched. Peers take turns; the first of a round is another one each time. Every restored folder is compared with its source in the
first round. Medians of the rounds are shown. CPU is that of all processes of a command, peak that of its largest process. Needs 30 GB.
"""

import dataclasses
import hashlib
import pathlib
import shlex
import shutil
import statistics
import subprocess
import sys
import tempfile

sys.path.append(str(pathlib.Path(__file__).resolve().parent.parent))

import descriptions
import measure

MIB = 1 << 20
LOG_STEP = 64 << 10
WORKLOADS = ['one_file', 'small_files', 'growing_all', 'growing_parts']


@dataclasses.dataclass
class Results:
    """Of one peer and workload."""
    samples: dict = dataclasses.field(default_factory=dict)  # operation: [Sample of each round]
    stored: int = 0

    def add(self, operation, sample):
        self.samples.setdefault(operation, []).append(sample)

    def cells(self, operation, base):
        """Seconds and the ratio to `base`, the samples of the same rounds."""
        if operation not in self.samples:
            return '–', '–'
        walls = [sample.wall for sample in self.samples[operation]]
        return ('%.2f' % statistics.median(walls),
                '%.2f' % statistics.median(wall / reference.wall for wall, reference in zip(walls, base)))

    def all_cells(self, operation, base):
        """The same with the spread of the seconds, CPU seconds and peak."""
        samples = self.samples[operation]
        seconds, ratio = self.cells(operation, base)
        median = measure.median(samples)
        return seconds, measure.spread(samples), ratio, '%.2f' % median.cpu, '%.0f' % median.peak

    def stored_megabytes(self):
        return '%.0f' % (self.stored / 1e6)


class Place:
    """What one peer has in one round."""

    def __init__(self, peer, source, scratch, arguments):
        self.peer = peer
        self.source = source
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix='peer-', dir=scratch))
        self.touch = arguments.touch
        self.number = 0
        self.values = {'source': source, 'place': self.folder, 'out': self.folder / 'out', 'studio': arguments.studio}
        self.environment = measure.neutral_environment(
            HOME=str(self.folder), XDG_CACHE_HOME=str(self.folder / 'cache'), XDG_CONFIG_HOME=str(self.folder / 'config'),
            STUDIOML_HOME=str(self.folder / 'studio'), RESTIC_PASSWORD='x', BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK='yes')
        measure.run(self.shell(peer.prepare), environment=self.environment)

    def shell(self, template):
        values = {name: shlex.quote(str(value)) for name, value in self.values.items()}
        return ['/bin/bash', '-ec', 'set -o pipefail; ' + template.format(number=self.number, **values)]

    def timed(self, template):
        measure.warm(self.source)
        measure.touch_memory(self.touch)
        return measure.run_synced(self.shell(template), self.folder, environment=self.environment)

    def capture(self, template):
        self.number += 1
        return self.timed(template)

    def capture_untimed(self, template):
        self.number += 1
        measure.run(self.shell(template), environment=self.environment)

    def stored(self):
        return measure.apparent_size(self.folder / self.peer.stored)

    def check(self):
        subprocess.run(['diff', '-r', self.source, self.values['out']], check=True)


def chosen_peers(names):
    """cp first; a line for each that is not installed."""
    peers = [descriptions.CP] + [peer for peer in descriptions.PEERS if peer.name in names and peer is not descriptions.CP]
    for peer in peers:
        if not peer.is_installed():
            print('%s: %s is not installed, skipped (bench/peers/install)' % (peer.name, peer.program), file=sys.stderr)
    return [peer for peer in peers if peer.is_installed()]


def rotated(peers, number):
    number %= len(peers)
    return peers[number:] + peers[:number]


def full_round(place, results, first):
    """First capture, unchanged capture, restore."""
    results.add('capture', place.capture(place.peer.capture))
    results.stored = place.stored()
    if place.peer.recapture:
        results.add('unchanged', place.capture(place.peer.recapture))
    results.add('restore', place.timed(place.peer.restore))
    if first:
        place.check()


def compare_full(workload, peers, arguments):
    source = arguments.data / workload
    results = {peer.name: Results() for peer in peers}
    for number in range(arguments.rounds):
        scratch = pathlib.Path(tempfile.mkdtemp(prefix='round-', dir=arguments.data))
        for peer in rotated(peers, number):
            place = Place(peer, source, scratch, arguments)
            full_round(place, results[peer.name], number == 0)
            if workload == 'one_file':
                shutil.rmtree(place.folder)
            print('%s, round %d: %s' % (workload, number + 1, peer.name), file=sys.stderr)
        shutil.rmtree(scratch)
        if workload == 'small_files' and number + 1 < arguments.rounds:
            measure.wait_after_mass_delete()
    base = results['cp -r'].samples['capture']
    rows = [(workload, name, *result.all_cells('capture', base), *result.cells('unchanged', base), *result.cells('restore', base),
             result.stored_megabytes()) for name, result in results.items()]
    measure.print_table(('data', 'peer', 'capture s', 'least–most', '× cp', 'CPU s', 'peak MiB', 'unchanged s', '× cp', 'restore s', '× cp',
                         'stored MB'), rows)


def grow(pool, live, step):
    """The step's checkpoint and its piece of the log come into the folder."""
    shutil.copyfile(pool / ('step_%d.ckpt' % step), live / ('step_%d.ckpt' % step))
    with open(pool / 'train.log', 'rb') as log, open(live / 'train.log', 'ab') as stream:
        log.seek(step * LOG_STEP)
        stream.write(log.read(LOG_STEP))
    subprocess.run(['sync', '-f', live], check=True)


def new_bytes(folder):
    """Distinct regions of 1 MiB, and the log."""
    regions = {}
    for path in folder.glob('*.ckpt'):
        with open(path, 'rb') as stream:
            while region := stream.read(MIB):
                regions[hashlib.blake2b(region).digest()] = len(region)
    return sum(regions.values()) + (folder / 'train.log').stat().st_size


def growing_round(workload, peers, arguments, number, results):
    """All steps of one round; of the last one the samples are kept. Returns the new bytes of all steps."""
    pool = arguments.data / workload
    scratch = pathlib.Path(tempfile.mkdtemp(prefix='round-', dir=arguments.data))
    live = scratch / 'live'
    live.mkdir()
    places = [Place(peer, live, scratch, arguments) for peer in rotated(peers, number)]
    steps = len(list(pool.glob('*.ckpt')))
    for step in range(steps):
        grow(pool, live, step)
        for place in places:
            template = place.peer.again() if step else place.peer.capture
            if place.peer is descriptions.CP:
                template = 'mkdir -p {place}/copy; cp {source}/step_%d.ckpt {source}/train.log {place}/copy/' % step
            if step + 1 < steps:
                place.capture_untimed(template)
            else:
                results[place.peer.name].add('step', place.capture(template))
                results[place.peer.name].stored = place.stored()
        print('%s, round %d: step %d of %d' % (workload, number + 1, step + 1, steps), file=sys.stderr)
    new = new_bytes(live)
    shutil.rmtree(scratch)
    return new


def compare_growing(workload, peers, arguments):
    results = {peer.name: Results() for peer in peers}
    for number in range(arguments.rounds):
        new = growing_round(workload, peers, arguments, number, results)
        if number + 1 < arguments.rounds:
            measure.wait_after_mass_delete()
    base = results['cp -r'].samples['step']
    rows = [(workload, 'cp of the new files' if name == 'cp -r' else name, *result.all_cells('step', base), result.stored_megabytes(),
             '%.3f' % (result.stored / new)) for name, result in results.items()]
    measure.print_table(('data', 'peer', 'last step s', 'least–most', '× cp', 'CPU s', 'peak MiB', 'stored MB', '× new'), rows)


def main():
    names = [peer.name for peer in descriptions.PEERS]
    parser = measure.argument_parser(__doc__)
    parser.add_argument('data', type=pathlib.Path, help='where generate.py put it; also where the peers work')
    parser.add_argument('--only', nargs='+', choices=WORKLOADS, default=WORKLOADS)
    parser.add_argument('--peers', nargs='+', choices=names, default=names, metavar='NAME', help=', '.join(names))
    parser.add_argument('--rounds', type=int, default=3)
    parser.add_argument('--touch', type=int, default=6, help='GiB of memory to touch before each command')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    arguments.data = arguments.data.resolve()
    for workload in arguments.only:
        if not (arguments.data / workload).is_dir():
            sys.exit('compare.py: there is no %s: make it with bench/generate.py %s' % (arguments.data / workload, arguments.data))
    peers = chosen_peers(arguments.peers)
    for workload in arguments.only:
        (compare_growing if workload.startswith('growing') else compare_full)(workload, peers, arguments)
        print(flush=True)


if __name__ == '__main__':
    main()
