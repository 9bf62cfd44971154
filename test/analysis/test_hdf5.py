"""HDF5 against the library itself, in the layouts of Keras."""

import io
import json
import zipfile

import h5py
import numpy
import pytest

from checkpoint_reader import changed_bytes_never_crash, facts_of, parts_are_never_taken_for_the_whole, read, refused

# Both forms of everything that we read: superblocks 0 and 3, object headers 1 and 2, symbol tables and links.
VERSIONS = ['earliest', 'v108', 'latest']
TYPES = ['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64', 'complex64', 'complex128']


def save_weights(target, version='earliest', layers=3):
    arrays = {}
    with h5py.File(target, 'w', libver=version) as file:
        for layer in range(layers):
            for number, shape in enumerate([(3, 4), (4,)]):
                name = 'layers/dense_%d/vars/%d' % (layer, number)
                arrays[name] = file[name] = numpy.full(shape, layer, 'f4')
        arrays['optimizer/vars/0'] = file['optimizer/vars/0'] = numpy.int64(5)
        file.create_group('empty')
    return [facts_of(name, arrays[name]) for name in sorted(arrays)]


@pytest.mark.parametrize('version', VERSIONS)
def test_types_and_attributes(tmp_path, version):
    path = tmp_path / 'model.h5'
    arrays = {'%s ü' % name: numpy.ones((number % 4, 3) if number else (), name) for number, name in enumerate(TYPES)}
    with h5py.File(path, 'w', libver=version) as file:
        for name, array in arrays.items():
            file[name] = array
        file.attrs['keras_version'] = numpy.bytes_(b'3.15.1')
        file.attrs['backend'] = 'tensorflow'
        for name, value in {'count': -5, 'rate': 0.25, 'small': numpy.float32(1.5), 'flag': True, 'byte': numpy.uint8(200), 'list': [1, 2]}.items():
            file.attrs[name] = value
    facts = read(path)
    assert (facts['format'], facts['incomplete'], facts['dangerous']) == ('hdf5', '', [])
    assert facts['tensors'] == [facts_of(name, arrays[name]) for name in sorted(arrays)]
    attributes = {'keras_version': '3.15.1', 'backend': 'tensorflow', 'count': '-5', 'rate': '0.25', 'small': '1.5', 'flag': 'true', 'byte': '200'}
    # More than eight are kept in another way, which is not read.
    assert facts['metadata'] == attributes


@pytest.mark.parametrize('version', VERSIONS)
def test_other_types_and_layouts(tmp_path, version):
    path = tmp_path / 'model.h5'
    with h5py.File(path, 'w', libver=version) as file:
        file.create_dataset('chunked', (10, 20), chunks=(5, 5), compression='gzip', maxshape=(None, 20), dtype='i4')
        file['big-endian'] = numpy.ones(3, '>f8')
        file['names'] = numpy.array([b'abc', b'de'])
        file['record'] = numpy.zeros(2, [('a', 'f4'), ('b', 'i8')])
        file['text'] = 'hello'
        file['nothing'] = h5py.Empty('f4')
        file.create_dataset('bfloat16', data=numpy.ones(2, 'i2').view('i2'))
    assert {each['name']: (each['type'], each['shape'], each['bytes']) for each in read(path)['tensors']} == {
        'chunked': ('int32', [10, 20], 800), 'big-endian': ('float64', [3], 24), 'names': ('string', [2], 6), 'record': ('record', [2], 24),
        'text': ('string', [], 16), 'nothing': ('float32', [0], 0), 'bfloat16': ('int16', [2], 4)}


@pytest.mark.parametrize('version', VERSIONS)
def test_groups_of_every_size(tmp_path, version):
    path = tmp_path / 'model.weights.h5'
    for layers in (1, 8, 9, 40, 300):
        expected = save_weights(path, version, layers)
        facts = read(path)
        assert (facts['tensors'], facts['incomplete']) == (expected, '')


def test_groups_of_very_many_links(tmp_path):
    path = tmp_path / 'model.h5'
    for version in VERSIONS:
        with h5py.File(path, 'w', libver=version) as file:
            for number in range(3000):
                file['w%d' % number] = numpy.float32(1)
        if version == 'earliest':
            assert len(read(path)['tensors']) == 3000
        else:
            assert 'groups of very many links' in refused(path)


@pytest.mark.parametrize('version', VERSIONS)
def test_links_that_lead_in_circles_or_away(tmp_path, version):
    path = tmp_path / 'model.h5'
    with h5py.File(path, 'w', libver=version) as file:
        file['a/w'] = numpy.ones(3)
        file['a/again'] = file['a']
        file['a/root'] = file
        file['soft'] = h5py.SoftLink('/a')
        file['away'] = h5py.ExternalLink('other.h5', '/a')
    assert [each['name'] for each in read(path)['tensors']] == ['a/w']


def test_keras(tmp_path):
    path = tmp_path / 'model.keras'
    weights = io.BytesIO()
    expected = save_weights(weights)
    for method in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        with zipfile.ZipFile(path, 'w', method) as archive:
            archive.writestr('metadata.json', json.dumps({'keras_version': '3.15.1', 'date_saved': '2026-01-01@12:00:00'}))
            archive.writestr('config.json', '{}')
            archive.writestr('model.weights.h5', weights.getvalue())
        facts = read(path)
        assert (facts['format'], facts['tensors'], facts['incomplete']) == ('keras', expected, '')
        assert facts['metadata'] == {'keras_version': '3.15.1', 'date_saved': '2026-01-01@12:00:00'}
    with zipfile.ZipFile(path, 'w') as archive:
        archive.writestr('config.json', '{}')
    assert "it is not Keras's" in refused(path)


def test_a_file_that_is_still_written(tmp_path):
    path = tmp_path / 'model.h5'
    for version in VERSIONS:
        save_weights(path, version)
        size = path.stat().st_size
        parts_are_never_taken_for_the_whole(path, step=61)
        with open(path, 'ab') as stream:
            stream.truncate(size - 1)
        assert read(path)['incomplete'] == '%d of %d bytes of data are there' % (size - 1, size)


@pytest.mark.parametrize('version', VERSIONS)
def test_bytes_that_changed_never_crash_the_reader(tmp_path, version):
    path = tmp_path / 'model.h5'
    save_weights(path, version, layers=12)
    changed_bytes_never_crash(path, rounds=200)
