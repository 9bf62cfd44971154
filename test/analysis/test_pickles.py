"""Pickles that stand by themselves: what torch.save() wrote before PyTorch 1.6, and what pickle.dump() writes."""

import collections
import os
import pickle
import struct

import numpy
import pytest

from checkpoint_reader import changed_bytes_never_crash, facts_of, parts_are_never_taken_for_the_whole, read, refused
from fake_torch import FakeTorch


def test_pytorch_before_1_6(tmp_path, monkeypatch):
    fake = FakeTorch(monkeypatch)
    state = collections.OrderedDict([('layer.weight', fake.tensor((3, 4), parameter=True)), ('half', fake.tensor((2, 5), 'HalfStorage', 2)),
                                     ('scalar', fake.tensor((), 'LongStorage', 8))])
    path = tmp_path / 'model.pth'
    fake.save_legacy({'state_dict': state, 'epoch': 3, 'name': 'ünïcode'}, path)
    facts = read(path)
    assert (facts['format'], facts['incomplete'], facts['dangerous']) == ('pytorch legacy', '', [])
    assert [(t['name'], t['type'], t['shape'], t['bytes']) for t in facts['tensors']] == [
        ('state_dict.half', 'float16', [2, 5], 20), ('state_dict.layer.weight', 'float32', [3, 4], 48), ('state_dict.scalar', 'int64', [], 8)]
    assert facts['metadata'] == {'epoch': '3', 'name': 'ünïcode'}
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    assert read(path)['incomplete'] == '99 of 100 bytes of data are there'
    path.write_bytes(content)
    parts_are_never_taken_for_the_whole(path)
    changed_bytes_never_crash(path)


@pytest.mark.parametrize('protocol', [2, 3, 4, 5])
def test_arrays_of_numpy(tmp_path, protocol):
    path = tmp_path / 'weights.pkl'
    generator = numpy.random.default_rng(1)
    arrays = {'weight': generator.normal(size=(200, 100)), 'bias': numpy.ones(7, '>f4'), 'mask': numpy.ones((2, 0), bool),
              'count': numpy.array(5), 'turned': numpy.asfortranarray(numpy.ones((3, 4), 'f2')), 'long': generator.normal(size=5_000_000)}
    if protocol == 2:
        del arrays['long']  # whose bytes are text there, in UTF-8
    path.write_bytes(pickle.dumps({'params': arrays, 'epoch': 3, 'note': 'x' * 100_000}, protocol))
    facts = read(path)
    assert (facts['format'], facts['incomplete'], facts['dangerous'], facts['metadata']) == ('pickle', '', [], {'epoch': '3'})
    assert facts['tensors'] == [dict(facts_of('params.' + name, arrays[name]), type=arrays[name].dtype.newbyteorder('=').name)
                                for name in sorted(arrays)]


class Model:
    def __init__(self, **attributes):
        self.__dict__.update(attributes)


class Evil:
    def __reduce__(self):
        return os.system, ('touch /tmp/studio-was-here',)


def test_objects_and_what_is_dangerous(tmp_path):
    path = tmp_path / 'model.pck'
    path.write_bytes(pickle.dumps(Model(coef_=numpy.ones((3, 4)), alpha=0.5, inner=Model(n=7))))
    facts = read(path)
    assert facts['tensors'] == [facts_of('coef_', numpy.ones((3, 4)))]
    assert (facts['metadata'], facts['dangerous']) == ({'alpha': '0.5', 'inner.n': '7'}, [])
    path.write_bytes(pickle.dumps({'a': numpy.ones(3), 'b': Evil()}))
    assert read(path)['dangerous'] == [os.system.__module__ + '.system']
    # A name with dots leads from one module to another.
    path.write_bytes(b'\x80\x04\x8c\x05torch\x8c\x0cnn.os.system\x93\x8c\x02ls\x85R.')
    assert read(path)['dangerous'] == ['os.system']
    # What comes before an error is run.
    path.write_bytes(b'\x80\x02cos\nsystem\nX\x02\0\0\0ls\x85R\xff.')
    assert refused(path).rstrip().endswith('before that, it calls os.system')


def dangerous_in(path, program):
    path.write_bytes(b'\x80\x04' + program + b'.')
    return read(path)['dangerous']


def test_members_of_enumerations(tmp_path):
    """Which Python 3.11 writes as getattr(class, name): no more than an import, and whatever else is made of getattr could do anything."""
    path = tmp_path / 'arguments.pkl'
    member = lambda module, name, attribute: b'c%s\n%s\nX%c\0\0\0%s\x86' % (module, name, len(attribute), attribute)  # noqa: E731
    getattr_ = b'cbuiltins\ngetattr\n'
    steps = member(b'transformers.trainer_utils', b'IntervalStrategy', b'STEPS')
    assert dangerous_in(path, getattr_ + steps + b'R') == []
    # Remembered, and called again.
    assert dangerous_in(path, b'(' + getattr_ + b'q\0' + steps + b'Rh\0' + steps + b'Rt') == []
    assert dangerous_in(path, getattr_ + member(b'torch', b'os', b'system') + b'R') == ['os.system']
    for program in (getattr_, getattr_ + b'q\0' + steps + b'R0h\0', getattr_ + b'2' + steps + b'R\x86', b'(' + getattr_ + b'l',
                    getattr_ + getattr_ + steps + b'RX\x01\0\0\0a\x86R',  # of what getattr gave
                    getattr_ + b'X\x01\0\0\0aX\x01\0\0\0b\x86R',  # of a value
                    getattr_ + b'cm\nC\n(X\x01\0\0\0atR\x85R', b'(cm\nC\nX\x01\0\0\0aibuiltins\ngetattr\n'):
        assert dangerous_in(path, program) == ['builtins.getattr'], program
    path.write_bytes(b'\x80\x02' + getattr_ + b'\xff')
    assert refused(path).rstrip().endswith('before that, it calls builtins.getattr')


def test_a_tensor_within_a_pickle(tmp_path):
    """pickle.dump() of a tensor has the bytes that torch.save() makes of its storage."""
    path = tmp_path / 'weights.pkl'
    storage = b'ctorch.storage\n_load_from_bytes\n' + b'B' + struct.pack('<I', 100) + bytes(100) + b'\x85R'
    path.write_bytes(b'\x80\x03}X\x01\0\0\0wctorch._utils\n_rebuild_tensor_v2\n(' + storage + b'K\0K\x03K\x04\x86K\x04K\x01\x86\x89}tRs.')
    facts = read(path)
    assert facts['tensors'] == [{'name': 'w', 'type': 'unknown', 'shape': [3, 4], 'bytes': 100}]
    assert facts['dangerous'] == ['torch.storage._load_from_bytes']


def test_parts_of_a_pickle(tmp_path):
    path = tmp_path / 'weights.pkl'
    path.write_bytes(pickle.dumps({'a': numpy.ones((3, 4)), 'b': [1, 2.5, None, 'text'], 'c': Model(x=1)}))
    parts_are_never_taken_for_the_whole(path)
    changed_bytes_never_crash(path)


def test_what_is_no_pickle(tmp_path):
    path = tmp_path / 'notes.pkl'
    path.write_bytes(b'hello')
    assert read(path) is None
