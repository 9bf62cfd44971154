#!/usr/bin/env python3
"""What the checkpoints of a real training take in the store, and what compression could make of them.

    bench/checkpoints.py [--every 50] [--width 896] [--directory /var/tmp] [--same-name] [--studio PATH]

A residual network (float32, Adam) learns a noisy classification of synthetic inputs. After a warm-up it is saved six times,
with its moments (about 160 MB each), once as uncompressed .npz and once as .safetensors:

    all     every tensor is trained
    frozen  training goes on from there with three quarters of the network frozen

Studio captures the folder after each. "New" are the bytes of the tensors that differ from the checkpoint before. What the first checkpoint
takes is shown apart; all else is the sum over the five that follow. The limits below are computed of the same new bytes:

    zstd        zstd -1 of the bytes as they are
    planes      the four bytes of all floats apart, each plane through zstd -1
    xor         with the float of the checkpoint before, then planes
    difference  the floats as ordered integers, minus those before, sign in the lowest bit (zigzag), then planes

Sizes do not depend on the load of the machine. The rates are rough: the transforms are written in NumPy.
"""

import collections
import ctypes
import json
import pathlib
import struct
import sys
import time

import measure

numpy = measure.need_numpy()

BLOCKS = 8
FROZEN_BLOCKS = 6
INPUTS, CLASSES, BATCH = 256, 10, 128
CHECKPOINTS = 6


class Task:
    """An endless stream of inputs of low rank with noise, labelled by a fixed random network, one in five at random."""

    def __init__(self, generator):
        self.generator = generator
        self.mix = self.normal(32, INPUTS) / 6
        self.hidden, self.out = self.normal(32, 128), self.normal(128, CLASSES)

    def normal(self, *shape):
        return self.generator.standard_normal(shape, dtype=numpy.float32)

    def batch(self):
        latent = self.normal(BATCH, 32)
        inputs = latent @ self.mix + 0.1 * self.normal(BATCH, INPUTS)
        labels = numpy.argmax(numpy.tanh(latent @ self.hidden) @ self.out, axis=1)
        noisy = self.generator.random(BATCH) < 0.2
        labels[noisy] = self.generator.integers(0, CLASSES, BATCH)[noisy]
        return inputs, labels


def make_weights(generator, width):
    def matrix(rows, columns, deviation):
        return generator.standard_normal((rows, columns), dtype=numpy.float32) * numpy.float32(deviation)

    weights = {'input.weight': matrix(INPUTS, width, INPUTS ** -0.5), 'input.bias': numpy.zeros(width, numpy.float32)}
    for block in range(BLOCKS):
        weights['block%d.up.weight' % block] = matrix(width, width, (2 / width) ** 0.5)
        weights['block%d.up.bias' % block] = numpy.zeros(width, numpy.float32)
        weights['block%d.down.weight' % block] = matrix(width, width, (width * BLOCKS) ** -0.5)
        weights['block%d.down.bias' % block] = numpy.zeros(width, numpy.float32)
    weights['output.weight'] = matrix(width, CLASSES, width ** -0.5)
    weights['output.bias'] = numpy.zeros(CLASSES, numpy.float32)
    return weights


def gradients(weights, inputs, labels):
    """(loss, {name: gradient}): forward and back through input, residual blocks and output."""
    hidden = [inputs @ weights['input.weight'] + weights['input.bias']]
    active = []
    for block in range(BLOCKS):
        up = numpy.maximum(hidden[-1] @ weights['block%d.up.weight' % block] + weights['block%d.up.bias' % block], 0)
        active.append(up)
        hidden.append(hidden[-1] + up @ weights['block%d.down.weight' % block] + weights['block%d.down.bias' % block])
    scores = hidden[-1] @ weights['output.weight'] + weights['output.bias']
    scores -= scores.max(axis=1, keepdims=True)
    likely = numpy.exp(scores)
    likely /= likely.sum(axis=1, keepdims=True)
    rows = numpy.arange(len(labels))
    loss = -numpy.log(likely[rows, labels] + 1e-12).mean()

    found = {}
    likely[rows, labels] -= 1
    back = likely / numpy.float32(len(labels))
    found['output.weight'], found['output.bias'] = hidden[-1].T @ back, back.sum(axis=0)
    back = back @ weights['output.weight'].T
    for block in reversed(range(BLOCKS)):
        name = 'block%d.' % block
        found[name + 'down.weight'], found[name + 'down.bias'] = active[block].T @ back, back.sum(axis=0)
        inner = (back @ weights[name + 'down.weight'].T) * (active[block] > 0)
        found[name + 'up.weight'], found[name + 'up.bias'] = hidden[block].T @ inner, inner.sum(axis=0)
        back = back + inner @ weights[name + 'up.weight'].T
    found['input.weight'], found['input.bias'] = inputs.T @ back, back.sum(axis=0)
    return loss, found


class Training:
    """The network and the moments of Adam."""

    def __init__(self, width):
        generator = numpy.random.default_rng(4004)
        self.task = Task(generator)
        self.weights = make_weights(generator, width)
        self.first = {name: numpy.zeros_like(weight) for name, weight in self.weights.items()}
        self.second = {name: numpy.zeros_like(weight) for name, weight in self.weights.items()}
        self.steps = 0
        self.frozen = ()  # beginnings of names

    def train(self, steps):
        """The loss of the last step."""
        for _ in range(steps):
            loss, found = gradients(self.weights, *self.task.batch())
            self.steps += 1
            rate = numpy.float32(1e-3 * (1 - 0.999 ** self.steps) ** 0.5 / (1 - 0.9 ** self.steps))
            for name, gradient in found.items():
                if not name.startswith(self.frozen):
                    self.update(name, gradient, rate)
        return loss

    def update(self, name, gradient, rate):
        first, second = self.first[name], self.second[name]
        first *= numpy.float32(0.9)
        first += numpy.float32(0.1) * gradient
        second *= numpy.float32(0.999)
        second += numpy.float32(0.001) * gradient * gradient
        self.weights[name] -= rate * first / (numpy.sqrt(second) + numpy.float32(1e-8))

    def freeze(self):
        self.frozen = ('input.', *('block%d.' % block for block in range(FROZEN_BLOCKS)))

    def checkpoint(self):
        """{name: copy of the tensor}"""
        kinds = {'weights': self.weights, 'first moments': self.first, 'second moments': self.second}
        return {(kind, name): tensor.copy() for kind, tensors in kinds.items() for name, tensor in tensors.items()}


def save_npz(path, tensors):
    numpy.savez(path, **tensors)


def save_safetensors(path, tensors):
    """Length of the header, the header in JSON (padded to 8 bytes), the tensors one after the other."""
    header, offset = {}, 0
    for name, tensor in tensors.items():
        header[name] = {'dtype': 'F32', 'shape': tensor.shape, 'data_offsets': [offset, offset + tensor.nbytes]}
        offset += tensor.nbytes
    text = json.dumps(header, separators=(',', ':')).encode()
    text += b' ' * (-len(text) % 8)
    with open(path, 'wb') as stream:
        stream.write(struct.pack('<Q', len(text)) + text)
        for tensor in tensors.values():
            tensor.tofile(stream)


FORMATS = {'npz': save_npz, 'safetensors': save_safetensors}


class StudioSeries:
    """The checkpoints of one series in one format, and what Studio makes of them."""

    def __init__(self, binary, scratch, suffix, same_name):
        self.studio = measure.Studio(binary, scratch / suffix)
        self.folder = scratch / suffix / 'checkpoints'
        self.folder.mkdir()
        self.suffix = suffix
        self.same_name = same_name
        self.sizes = []
        self.samples = []

    def save(self, number, checkpoint):
        path = self.folder / ('%s.%s' % ('last' if self.same_name else 'step_%d' % number, self.suffix))
        FORMATS[self.suffix](path, {'%s.%s' % (kind.replace(' ', '_'), name): tensor for (kind, name), tensor in checkpoint.items()})
        self.sizes.append(path.stat().st_size)
        self.samples.append(measure.run_synced(self.studio.capture(self.folder), self.folder, **self.studio.place))

    def row(self, series, new):
        """Of the table of Studio; `new` are the new bytes of the checkpoints after the first."""
        log = self.studio.json('artifacts', 'log', 'bench/data')['versions']
        stored = [version['stored_bytes'] for version in sorted(log, key=lambda version: version['number'])]
        cpu = sum(sample.cpu for sample in self.samples[1:])
        return (series, self.suffix, mega(self.sizes[0]), mega(stored[0]), '%.3f' % (stored[0] / self.sizes[0]), mega(sum(self.sizes[1:])),
                mega(new), mega(sum(stored[1:])), '%.3f' % (sum(stored[1:]) / new), '%.1f' % (new / cpu / 1e9))


def mega(size):
    return '%.1f' % (size / 1e6)


def ordered(floats):
    """The bits of floats as integers in the order of the floats."""
    bits = floats.view(numpy.int32)
    return numpy.where(bits < 0, numpy.int32(-0x80000000) - bits, bits)


def difference(now, before):
    change = ordered(now) - ordered(before)  # wraps, and so it can be undone
    return (change << 1) ^ (change >> 31)


def planes(words):
    """The most significant bytes first."""
    return numpy.ascontiguousarray(words.view(numpy.uint8).reshape(-1, 4)[:, ::-1].T)


TRANSFORMS = {
    'zstd': lambda now, before: [now],
    'planes': lambda now, before: planes(now),
    'xor': lambda now, before: planes(now.view(numpy.uint32) ^ before.view(numpy.uint32)),
    'difference': lambda now, before: planes(difference(now, before)),
}


class Zstd:
    """zstd -1 on one thread, from the library that every Debian has."""

    def __init__(self):
        try:
            self.library = ctypes.CDLL('libzstd.so.1')
        except OSError:
            sys.exit('checkpoints.py: needs libzstd.so.1: apt-get install libzstd1')
        self.library.ZSTD_compressBound.restype = self.library.ZSTD_compress.restype = ctypes.c_size_t
        self.output = numpy.zeros(0, numpy.uint8)

    def compressed(self, data):
        """(bytes, seconds of CPU)"""
        bound = self.library.ZSTD_compressBound(ctypes.c_size_t(data.nbytes))
        if self.output.nbytes < bound:
            self.output = numpy.full(bound, 1, numpy.uint8)  # written, so that its pages are there before the clock runs
        began = time.process_time()
        size = self.library.ZSTD_compress(self.output.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(bound),
                                          data.ctypes.data_as(ctypes.c_void_p), ctypes.c_size_t(data.nbytes), 1)
        ended = time.process_time()
        if size > bound:
            sys.exit('checkpoints.py: libzstd failed')
        return size, ended - began


class Limit:
    """Sums over the checkpoints of a series, for one kind of tensor and one transform."""

    def __init__(self):
        self.size, self.parts, self.transform_seconds, self.zstd_seconds = 0, [], 0.0, 0.0

    def add(self, zstd, transform, now, before):
        began = time.process_time()
        parts = transform(now, before)
        self.transform_seconds += time.process_time() - began
        packed = [zstd.compressed(part) for part in parts]
        self.size += now.nbytes
        self.parts = [sum(sizes) for sizes in zip(self.parts or [0] * len(packed), (size for size, _ in packed))]
        self.zstd_seconds += sum(seconds for _, seconds in packed)

    def merge(self, other):
        self.size += other.size
        self.parts = [sum(sizes) for sizes in zip(self.parts or [0] * len(other.parts), other.parts)]
        self.transform_seconds += other.transform_seconds
        self.zstd_seconds += other.zstd_seconds

    def row(self, series, kind, name):
        each = [part / (self.size / len(self.parts)) for part in self.parts]
        return (series, kind, name, mega(self.size), '%.3f' % (sum(self.parts) / self.size),
                ' '.join('%.3f' % ratio for ratio in each) if len(each) > 1 else '',
                '%.1f' % (self.size / self.transform_seconds / 1e9) if name != 'zstd' else '', '%.1f' % (self.size / self.zstd_seconds / 1e9))


def changed(now, before):
    """{kind: (new floats, the same ones before)} of the tensors that differ."""
    kinds = collections.defaultdict(list)
    for key, tensor in now.items():
        if not numpy.array_equal(tensor, before[key]):
            kinds[key[0]].append((tensor.ravel(), before[key].ravel()))
    return {kind: tuple(map(numpy.concatenate, zip(*pairs))) for kind, pairs in kinds.items()}


def run_series(name, training, scratch, arguments):
    """Rows of the two tables, for one series."""
    formats = [StudioSeries(arguments.studio, scratch / name, suffix, arguments.same_name) for suffix in FORMATS]
    limits = collections.defaultdict(Limit)
    zstd = Zstd()
    new, before = 0, None
    for number in range(CHECKPOINTS):
        loss = training.train(arguments.every)
        print('%s, step %d: loss %.2f' % (name, training.steps, loss), flush=True)
        now = training.checkpoint()
        for each in formats:
            each.save(number, now)
        for kind, (floats, floats_before) in changed(now, before).items() if before else ():
            new += floats.nbytes
            for transform, function in TRANSFORMS.items():
                limits[kind, transform].add(zstd, function, floats, floats_before)
        before = now
    for (_, transform), limit in list(limits.items()):
        limits['all', transform].merge(limit)
    return [each.row(name, new) for each in formats], [limit.row(name, *key) for key, limit in limits.items()]


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--directory', type=pathlib.Path, default='/var/tmp', help='where 8 GB are free')
    parser.add_argument('--every', type=int, default=50, help='steps between checkpoints')
    parser.add_argument('--warmup', type=int, default=100, help='steps before')
    parser.add_argument('--width', type=int, default=896, help='of the network: checkpoints take 12 × 16 × width² bytes')
    parser.add_argument('--same-name', action='store_true', help='a checkpoint replaces the one before')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    training = Training(arguments.width)
    training.train(arguments.warmup)
    stored, limits = [], []
    for name in ('all', 'frozen'):
        if name == 'frozen':
            training.freeze()
        with measure.scratch_folder(arguments.directory) as scratch:
            rows = run_series(name, training, scratch, arguments)
        stored += rows[0]
        limits += rows[1]
    print()
    measure.print_table(('series', 'format', 'first MB', 'stored MB', 'ratio', 'then MB', 'new MB', 'stored MB', 'stored / new',
                         'new GB per CPU second'), stored)
    print()
    measure.print_table(('series', 'tensors', 'limit', 'new MB', 'ratio', 'of each plane', 'transform GB/s', 'zstd GB/s'), limits)


if __name__ == '__main__':
    main()
