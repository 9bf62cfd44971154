#!/usr/bin/env python3
"""`studio store verify` against what the disk reads and what the cores hash.

    bench/generate.py /var/tmp/studio-bench --only one_file
    bench/verify.py /var/tmp/studio-bench/one_file [--rounds 5] [--hash-rate GB/s] [--studio PATH]

The folder is captured once. A verification reads packs past the page cache, so the disk is the limit, or the hash if that is slower. The disk is
read before and after each verification (O_DIRECT, 4 MiB at a time, as many files at once as are fastest here); its rate of the round is the mean of the
two, for a disk that slows down under load slows both. The hash is SHA-256 of OpenSSL in two processes, or what --hash-rate says all cores reach.
"""

import concurrent.futures
import mmap
import os
import statistics
import subprocess
import sys
import time

import measure

BLOCK = 4 << 20


def read_directly(path):
    """Bytes read past the page cache."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECT)
    try:
        buffer, size = mmap.mmap(-1, BLOCK), 0
        while got := os.preadv(descriptor, [buffer], size):
            size += got
            if got % mmap.PAGESIZE:
                break  # the end; the next offset would not be aligned
        return size
    finally:
        os.close(descriptor)


def disk_rate(packs, threads):
    """GB/s"""
    began = time.monotonic()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        size = sum(pool.map(read_directly, packs))
    return size / (time.monotonic() - began) / 1e9


def hash_rate():
    """GB/s of OpenSSL's SHA-256 in two processes."""
    measure.need('openssl', 'openssl')
    command = ['openssl', 'speed', '-mr', '-evp', 'sha256', '-multi', '2', '-bytes', '65536', '-seconds', '3']
    output = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, check=True).stdout
    rates = [line.split(':') for line in output.splitlines() if line.startswith('+F')]
    if not rates:
        sys.exit('verify.py: openssl speed printed no rate; give one with --hash-rate')
    return float(rates[-1][3]) / 1e9


def forget(packs):
    """Drop their pages from the page cache."""
    for pack in packs:
        descriptor = os.open(pack, os.O_RDONLY)
        os.posix_fadvise(descriptor, 0, 0, os.POSIX_FADV_DONTNEED)
        os.close(descriptor)


def verify(studio, size):
    """GB/s"""
    return size / measure.run([studio.binary, 'store', 'verify'], environment=studio.environment).wall / 1e9


def measure_all(studio, rounds, given_hash_rate):
    packs = sorted(path for path in (studio.home / 'store/packs').rglob('*') if path.is_file())
    size = sum(pack.stat().st_size for pack in packs)
    threads = max((1, 2, 4), key=lambda each: statistics.median(disk_rate(packs, each) for _ in range(3)))
    disk, verified = [disk_rate(packs, threads)], []
    for _ in range(rounds):
        forget(packs)
        verified.append(verify(studio, size))
        disk.append(disk_rate(packs, threads))
    hashed = given_hash_rate or hash_rate()
    limits = [min((before + after) / 2, hashed) for before, after in zip(disk, disk[1:])]
    print('%d packs, %.0f MB; SHA-256 on two cores %.2f GB/s; %d files are read from the disk at once\n' % (len(packs), size / 1e6, hashed, threads))
    measure.print_table(('what', 'GB/s: median', 'least–most', '× limit of the same round'), [
        ('disk, direct', '%.2f' % statistics.median(disk), '%.2f–%.2f' % (min(disk), max(disk)), ''),
        ('verify', '%.2f' % statistics.median(verified), '%.2f–%.2f' % (min(verified), max(verified)),
         '%.2f' % statistics.median(rate / limit for rate, limit in zip(verified, limits)))])


def main():
    parser = measure.argument_parser(__doc__)
    measure.add_source(parser)
    parser.add_argument('--rounds', type=int, default=5)
    parser.add_argument('--hash-rate', type=float, metavar='GB/s', help='of all cores, in place of what OpenSSL reaches')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    with measure.scratch_folder(arguments.source.parent) as scratch:
        studio = measure.Studio(arguments.studio, scratch)
        measure.run_synced(studio.capture(arguments.source), scratch, **studio.place)
        measure_all(studio, arguments.rounds, arguments.hash_rate)


if __name__ == '__main__':
    main()
