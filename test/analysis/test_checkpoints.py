"""Our readers of checkpoints against the libraries that write them: NumPy and safetensors. Runs beside test_event_files.py."""

import collections
import os
import pickle
import random
import struct
import zipfile

import numpy
import pytest
import safetensors.numpy

from checkpoint_reader import changed_bytes_never_crash, facts_of, read, refused, run
from fake_torch import FakeTorch

TYPES = ['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64', 'complex64']


def arrays():
    generator = numpy.random.default_rng(1)
    for number, name in enumerate(TYPES):
        shape = tuple(generator.integers(0, 5, number % 5))
        yield 'layer.%d ü/%s' % (number, name), numpy.ones(shape, name)


def test_safetensors(tmp_path):
    tensors = dict(arrays())
    path = tmp_path / 'model.safetensors'
    safetensors.numpy.save_file(tensors, path, metadata={'step': '12', 'ünïcode': 'ja'})
    facts = read(path)
    assert (facts['format'], facts['incomplete']) == ('safetensors', '')
    assert facts['metadata'] == {'step': '12', 'ünïcode': 'ja'}
    assert facts['tensors'] == [facts_of(name, tensors[name]) for name in sorted(tensors, key=str.encode)]


def test_npy_of_every_kind(tmp_path):
    path = tmp_path / 'weights.npy'
    odd = [numpy.asfortranarray(numpy.ones((3, 4))), numpy.ones(3, '>f4'), numpy.float64(3), numpy.ones((2, 0, 5))]
    for array in [array for _, array in arrays()] + odd:
        array = numpy.asarray(array)
        numpy.save(path, array)
        facts = read(path)
        assert facts['tensors'] == [dict(facts_of('', array), type=array.dtype.newbyteorder('=').name)]
        assert facts['incomplete'] == ''
    numpy.save(path, numpy.zeros(4, [('a', '<f4'), ('b', '<i8', (2,))]))
    assert read(path)['tensors'] == [{'name': '', 'type': 'record', 'shape': [4], 'bytes': 4 * 20}]
    for version in ((1, 0), (2, 0), (3, 0)):
        with open(path, 'wb') as stream:
            numpy.lib.format.write_array(stream, numpy.ones((2, 3), 'f4'), version)
        assert read(path)['tensors'][0]['shape'] == [2, 3]


@pytest.mark.parametrize('save', [numpy.savez, numpy.savez_compressed])
def test_npz(tmp_path, save):
    path = tmp_path / 'weights.npz'
    tensors = {name.replace('/', ' '): array for name, array in arrays()}
    tensors['large'] = numpy.random.default_rng(1).normal(size=(100, 1000))
    save(path, **tensors)
    facts = read(path)
    assert (facts['format'], facts['incomplete']) == ('npz', '')
    assert facts['tensors'] == [facts_of(name, tensors[name]) for name in sorted(tensors, key=str.encode)]
    content = path.read_bytes()
    for size in (0, 10, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:size])
        assert 'table of contents' in refused(path)


def test_a_large_zip(tmp_path):
    """With the extension for archives beyond 4 GiB, which Python writes for streams."""
    path = tmp_path / 'a.npz'
    with zipfile.ZipFile(path, 'w') as archive, archive.open('w.npy', 'w', force_zip64=True) as stream:
        numpy.lib.format.write_array(stream, numpy.ones((2, 3), 'f4'))
    assert read(path)['tensors'] == [{'name': 'w', 'type': 'float32', 'shape': [2, 3], 'bytes': 24}]
    sparse = tmp_path / 'b.npz'
    with open(sparse, 'wb') as stream:
        stream.truncate(5 << 30)
        stream.seek(5 << 30)
        with zipfile.ZipFile(stream, 'a') as archive, archive.open('w.npy', 'w', force_zip64=True) as member:
            numpy.lib.format.write_array(member, numpy.ones(4, 'i8'))
    assert read(sparse)['tensors'] == [{'name': 'w', 'type': 'int64', 'shape': [4], 'bytes': 32}]


def test_a_file_that_is_still_written(tmp_path):
    whole = tmp_path / 'whole.safetensors'
    safetensors.numpy.save_file({'w': numpy.ones(1000, 'f4')}, whole)
    content = whole.read_bytes()
    (head,) = struct.unpack('<Q', content[:8])
    path = tmp_path / 'part.safetensors'
    for size in (0, 1, 8, 8 + head - 1):
        path.write_bytes(content[:size])
        assert 'cut off' in refused(path)
    for size in (8 + head, len(content) - 1):
        path.write_bytes(content[:size])
        facts = read(path)
        assert facts['incomplete'] == '%d of 4000 bytes of data are there' % (size - 8 - head)
        assert facts['tensors'][0]['shape'] == [1000]
    numpy.save(tmp_path / 'a.npy', numpy.ones(100))
    content = (tmp_path / 'a.npy').read_bytes()
    (tmp_path / 'a.npy').write_bytes(content[:-1])
    assert read(tmp_path / 'a.npy')['incomplete'] == '799 of 800 bytes of data are there'


@pytest.mark.parametrize('head', [
    b'', b'[]', b'{', b'{"a": 1}', b'{"a": {}}', b'{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 4]}}',
    b'{"a": {"dtype": "F32", "shape": [-1], "data_offsets": [0, 4]}}', b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [4, 0]}}',
    b'{"a": {"dtype": "F32", "shape": [1], "data_offsets": [0, 1e9]}}', b'{"a": {"dtype": 5, "shape": [1], "data_offsets": [0, 4]}}',
    b'{"a": {"dtype": "F32", "shape": [4294967296, 4294967296, 4294967296], "data_offsets": [0, 4]}}', b'[' * 100_000])
def test_heads_that_are_none(tmp_path, head):
    path = tmp_path / 'x.safetensors'
    path.write_bytes(struct.pack('<Q', len(head)) + head + bytes(100))
    assert refused(path).startswith('corrupt: ')


def test_heads_that_claim_too_much(tmp_path):
    path = tmp_path / 'x.safetensors'
    for length in (1 << 63, (1 << 64) - 1, 1 << 30):
        path.write_bytes(struct.pack('<Q', length) + b'{}')
        assert refused(path).startswith('exhausted: ')
    path = tmp_path / 'x.npy'
    path.write_bytes(b'\x93NUMPY\x02\x00\xff\xff\xff\xff')
    assert refused(path).startswith('exhausted: ')
    path.write_bytes(b'\x93NUMPY\x09\x00\x01\x00 ')
    assert refused(path).startswith('unsupported: ')


def test_bytes_that_changed_never_crash_a_reader(tmp_path):
    safetensors.numpy.save_file(dict(arrays()), tmp_path / 'a.safetensors')
    numpy.save(tmp_path / 'a.npy', numpy.ones((3, 4)))
    numpy.savez_compressed(tmp_path / 'a.npz', a=numpy.ones(100), b=numpy.zeros((3, 4)))
    for name in ('a.safetensors', 'a.npy', 'a.npz'):
        changed_bytes_never_crash(tmp_path / name, among=1200)


def test_what_is_no_checkpoint(tmp_path):
    path = tmp_path / 'notes.txt'
    path.write_bytes(b'hello')
    assert read(path) is None


def test_pytorch(tmp_path, monkeypatch):
    fake = FakeTorch(monkeypatch)
    state = collections.OrderedDict([('layer.weight', fake.tensor((3, 4), parameter=True)), ('layer.bias', fake.tensor((4,))),
                                     ('half', fake.tensor((2, 2, 2), 'HalfStorage', 2)), ('scalar', fake.tensor((), 'LongStorage', 8))])
    checkpoint = {'model': state, 'epoch': 3, 'loss': 0.25, 'name': 'ünïcode', 'best': True,
                  'optimizer': {'state': {0: {'step': 17, 'exp_avg': fake.tensor((3, 4), 'BFloat16Storage', 2)}},
                                'param_groups': [{'lr': 0.001, 'params': [0, 1]}]}}
    checkpoint['itself'] = checkpoint
    path = tmp_path / 'model.pt'
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        fake.save(checkpoint, path, method)
        facts = read(path)
        assert (facts['format'], facts['incomplete'], facts['dangerous']) == ('pytorch', '', [])
        assert [(t['name'], t['type'], t['shape'], t['bytes']) for t in facts['tensors']] == [
            ('model.half', 'float16', [2, 2, 2], 16), ('model.layer.bias', 'float32', [4], 16),
            ('model.layer.weight', 'float32', [3, 4], 48), ('model.scalar', 'int64', [], 8),
            ('optimizer.state.0.exp_avg', 'bfloat16', [3, 4], 24)]
        for name, value in {'epoch': '3', 'loss': '0.25', 'name': 'ünïcode', 'best': 'true', 'optimizer.state.0.step': '17',
                            'optimizer.param_groups.0.lr': '0.001'}.items():
            assert facts['metadata'][name] == value
    fake.storages[0] -= 1
    fake.save(state, path)
    assert 'not all there' in read(path)['incomplete']


class Evil:
    def __reduce__(self):
        return os.system, ('touch /tmp/studio-was-here',)


def test_a_pickle_is_never_run(tmp_path, monkeypatch):
    fake = FakeTorch(monkeypatch)
    path = tmp_path / 'evil.pt'
    fake.save({'weights': fake.tensor((2,)), 'x': Evil()}, path)
    facts = read(path)
    assert facts['dangerous'] == [os.system.__module__ + '.system'] and len(facts['tensors']) == 1
    assert not os.path.exists('/tmp/studio-was-here')


def test_hostile_pickles(tmp_path):
    path = tmp_path / 'x.pt'

    def save(pickled):
        with zipfile.ZipFile(path, 'w', zipfile.ZIP_DEFLATED) as archive:
            archive.writestr('a/data.pkl', pickled)

    # Each refers twice to the one before.
    save(b'\x80\x02]q\x00' + b''.join(b'h%ch%c\x86q%c' % (i, i, i + 1) for i in range(100)) + b'.')
    assert refused(path).startswith('exhausted: ')
    save(b']' * (2 << 20) + b'.')
    assert refused(path).startswith('exhausted: ')
    save(bytes(100 << 20))
    assert refused(path).startswith('exhausted: ')
    for much in (b'(', b'N2', b'N\x94', b'cos\nx\n'):
        save(much * (4 << 20))
        assert refused(path).startswith(('exhausted: ', 'corrupt: ')), much
    # Tensors that share a long shape; a sparse one that is made of itself, and one of very many parts.
    make = lambda name, arguments: b'ctorch._utils\n_rebuild_%s\n' % name + arguments + b'R'  # noqa: E731
    many = b'K\x01' * 100_000
    save(b'\x80\x02(' + many + b'tq\x01' + b']q\x02(' + make(b'meta_tensor_no_storage', b'ctorch\nfloat32\nh\x01\x86') * 1000 + b'e.')
    assert refused(path).startswith('exhausted: ')
    save(b'\x80\x02]q\x01(' + make(b'sparse_tensor', b'Nh\x01\x86') + b'e.')
    assert read(path)['tensors'] == []
    save(b'\x80\x02(' + many + b'lq\x01' + b'0](' + make(b'sparse_tensor', b'Nh\x01\x86') * 10_000 + b'e.')
    assert read(path)['tensors'] == []
    save(b'\x80\x02' + b''.join(b'cmodule\nname%d\n' % number for number in range(20_000)) + b'.')
    assert refused(path).startswith('exhausted: ')
    for bad in (b'', b'.', b'\x80', b'0.', b'R.', b'h\x05.', b't.', b'a.', b's.', b'u.', b'\x93.', b'X\xff\xff\xff\x7fa.', b'(K\x01d.', b'\xfe.'):
        save(bad)
        assert refused(path).startswith('corrupt: '), bad
    generator = random.Random(2)
    good = pickle.dumps({'a': [1, 2.5, 'text', (None, True)], 'b': collections.OrderedDict(x=1)}, 2)
    for _ in range(300):
        changed = bytearray(good)
        for _ in range(2):
            changed[generator.randrange(len(changed))] = generator.randrange(256)
        save(bytes(changed))
        assert run(path).returncode in (0, 1)
