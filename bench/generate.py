#!/usr/bin/env python3
"""Makes the data of the benchmarks: the same bytes on every machine, from the standard library alone.

    bench/generate.py DIRECTORY [--only NAME…] [--scale 1.0]

    one_file     weights.f32, 2 GiB of float32 drawn from a normal distribution: what trained weights look like
    small_files  100,000 files in 500 directories, log-normal sizes of 8 KiB on average; half words, half random bytes,
                 2 % of them copies of an earlier one
    growing_all, growing_parts
                 six checkpoints of 256 MiB of float32 and 64 KiB of log for each: what a folder gains step by step. From one to the
                 next every float changes a little, or 5 % of the 1 MiB regions are new
"""

import argparse
import array
import math
import operator
import pathlib
import random
import statistics
import sys

MIB = 1 << 20
STEPS = 6


def upper_halves():
    """The upper 16 bits (sign, exponent, 7 bits of mantissa) of 65536 quantiles of a normal distribution."""
    distribution = statistics.NormalDist(0.0, 0.02)
    quantiles = array.array('f', (distribution.inv_cdf((i + 0.5) / 65536) for i in range(65536)))
    return array.array('H', quantiles.tobytes())[1::2].tolist()


def weights(generator, count, halves):
    """`count` float32 as array of 16-bit halves: the low ones uniform, the high ones drawn from the table."""
    block = array.array('H', bytes(4 * count))
    block[0::2] = array.array('H', generator.randbytes(2 * count))
    block[1::2] = array.array('H', map(halves.__getitem__, array.array('H', generator.randbytes(2 * count))))
    return block


def vocabulary():
    """65536 words, each as often as Zipf's law wants it."""
    generator = random.Random(7)
    syllables = ['ba', 'cor', 'del', 'ent', 'fi', 'gra', 'ho', 'il', 'ja', 'kel', 'lo', 'men', 'ni', 'or', 'pe', 'qua', 'ras', 'st']
    words = [''.join(generator.choices(syllables, k=1 + int(generator.expovariate(0.7)))) for _ in range(20000)]
    return generator.choices(words, weights=[1.0 / (rank + 2) for rank in range(len(words))], k=65536)


def prose(generator, size, words):
    text = ''
    while len(text) < size:
        text += ' '.join(map(words.__getitem__, array.array('H', generator.randbytes(2 * (size // 4 + 8))))) + '.\n'
    return text[:size].encode()


def make_one_file(directory, scale):
    generator, halves = random.Random(1001), upper_halves()
    with open(directory / 'weights.f32', 'wb') as stream:
        for _ in range(int(2048 * scale)):
            weights(generator, MIB // 4, halves).tofile(stream)


def make_small_files(directory, scale):
    generator, words = random.Random(2002), vocabulary()
    earlier = []
    for number in range(int(100_000 * scale)):
        size = max(16, min(int(generator.lognormvariate(math.log(8192) - 0.72, 1.2)), MIB))
        if earlier and generator.random() < 0.02:
            suffix, content = generator.choice(earlier)
        else:
            suffix = 'txt' if number % 2 else 'bin'
            content = prose(generator, size, words) if suffix == 'txt' else generator.randbytes(size)
            if len(earlier) < 500:
                earlier.append((suffix, content))
        path = directory / ('d%03d' % (number // 200)) / ('f%05d.%s' % (number, suffix))
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(content)


def floats(generator, regions, halves):
    """`regions` times 1 MiB of float32."""
    values = array.array('f')
    for _ in range(regions):
        values.frombytes(weights(generator, MIB // 4, halves).tobytes())
    return values


def make_growing(directory, scale, change):
    """`change(generator, halves, values)` gives the next checkpoint."""
    generator, halves = random.Random(3003), upper_halves()
    values = floats(generator, max(20, int(256 * scale)), halves)
    for step in range(STEPS):
        if step:
            values = change(generator, halves, values)
        with open(directory / ('step_%d.ckpt' % step), 'wb') as stream:
            values.tofile(stream)
    (directory / 'train.log').write_bytes(prose(generator, STEPS * (64 << 10), vocabulary()))


def change_all(generator, halves, values):
    delta = array.array('f', map((0.01).__mul__, floats(generator, 20, halves)))
    repeated = delta * (len(values) // len(delta) + 1)
    return array.array('f', map(operator.add, values, repeated))


def change_parts(generator, halves, values):
    each = MIB // 4
    regions = len(values) // each
    for region in generator.sample(range(regions), round(0.05 * regions)):
        values[region * each:(region + 1) * each] = floats(generator, 1, halves)
    return values


MAKERS = {
    'one_file': make_one_file,
    'small_files': make_small_files,
    'growing_all': lambda directory, scale: make_growing(directory, scale, change_all),
    'growing_parts': lambda directory, scale: make_growing(directory, scale, change_parts),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('directory', type=pathlib.Path)
    parser.add_argument('--only', nargs='+', choices=MAKERS, default=list(MAKERS))
    parser.add_argument('--scale', type=float, default=1.0)
    arguments = parser.parse_args()
    if sys.byteorder != 'little':
        sys.exit('generate.py: needs a little-endian machine')
    for name in arguments.only:
        directory = arguments.directory / name
        if directory.exists():
            print('%s is there already' % directory)
            continue
        part = directory.with_name(name + '.part')  # so that an interrupted run leaves nothing that looks complete
        part.mkdir(parents=True)
        MAKERS[name](part, arguments.scale)
        part.rename(directory)
        print('made %s' % directory)


if __name__ == '__main__':
    main()
