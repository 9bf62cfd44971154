#!/usr/bin/env python3
"""How long `studio run` takes until the child's first instruction, and in all, against running the command bare.

    bench/start.py [--rounds 30]

The child is a C program that prints the monotonic clock as the first thing in main. Bare and under Studio alternate.
"""

import os
import pathlib
import statistics
import subprocess
import tempfile
import time

import measure

CHILD = r'''
#include <stdio.h>
#include <time.h>
int main(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  printf("%lld\n", now.tv_sec * 1000000000LL + now.tv_nsec);
  return 0;
}
'''


def milliseconds(command, environment, directory):
    """(until the child's main, until the command has ended)"""
    began = time.monotonic_ns()
    output = subprocess.run(command, env=environment, cwd=directory, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=True).stdout
    ended = time.monotonic_ns()
    return (int(output) - began) / 1e6, (ended - began) / 1e6


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--rounds', type=int, default=30)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix='studio-bench-') as scratch:
        scratch = pathlib.Path(scratch)
        measure.compile_c(CHILD, scratch / 'child')
        workspace = scratch / 'workspace'
        workspace.mkdir()
        for number in range(10):
            (workspace / ('module_%d.py' % number)).write_text('value = %d\n' % number)
        environment = dict(os.environ, STUDIOML_HOME=str(scratch / 'home'))
        child = str(scratch / 'child')
        commands = {'bare': [child], 'studio run, new experiment': [measure.STUDIO, 'run', child],
                    'studio run, same name again': [measure.STUDIO, 'run', '-e', 'again', child],
                    'studio --help': None}
        times = {name: [] for name in commands}
        for _ in range(arguments.rounds):
            for name, command in commands.items():
                if command:
                    times[name].append(milliseconds(command, environment, workspace))
                else:
                    ended = measure.run([measure.STUDIO, '--help'], environment).wall * 1e3
                    times[name].append((float('nan'), ended))
        rows = []
        for name, samples in times.items():
            starts, ends = ([sample[index] for sample in samples] for index in (0, 1))
            start = '–' if name == 'studio --help' else '%.1f (%.1f–%.1f)' % (statistics.median(starts), min(starts), max(starts))
            rows.append((name, start, '%.1f (%.1f–%.1f)' % (statistics.median(ends), min(ends), max(ends))))
        measure.print_table(('command', 'ms until the first instruction: median (least–most)', 'ms in all'), rows)


if __name__ == '__main__':
    main()
