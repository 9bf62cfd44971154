"""GGUF against the library that writes it for llama.cpp."""

import struct

import gguf
import numpy

from checkpoint_reader import changed_bytes_never_crash, parts_are_never_taken_for_the_whole, read, refused

QUANTIZED = [gguf.GGMLQuantizationType[name] for name in ('Q4_0', 'Q5_1', 'Q8_0', 'BF16', 'TQ1_0', 'MXFP4')]
PLAIN = ['int8', 'int16', 'int32', 'int64', 'float16', 'float32', 'float64']


def save(path, tensors, alignment=None, tokens=0):
    writer = gguf.GGUFWriter(path, 'llama')
    if alignment:
        writer.add_custom_alignment(alignment)
    writer.add_name('ünïcode')
    writer.add_block_count(32)
    writer.add_rope_freq_base(10000.5)
    writer.add_bool('flag', True)
    writer.add_int64('below', -5)
    writer.add_array('sizes', [1, 2, 3])
    if tokens:
        writer.add_token_list(['token %d' % number for number in range(tokens)])
        writer.add_token_scores([0.5] * tokens)
    for name, array in tensors.items():
        writer.add_tensor(name, *array) if isinstance(array, tuple) else writer.add_tensor(name, array)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def test_tensors_and_metadata(tmp_path):
    path = tmp_path / 'model.gguf'
    tensors = {'blk.%d.%s' % (number, name): numpy.ones((number + 1, 3), name) for number, name in enumerate(PLAIN)}
    for alignment in (None, 64):
        save(path, tensors, alignment)
        facts = read(path)
        assert (facts['format'], facts['incomplete'], facts['dangerous']) == ('gguf', '', [])
        assert facts['tensors'] == [{'name': name, 'type': array.dtype.name, 'shape': list(array.shape), 'bytes': array.nbytes}
                                    for name, array in sorted(tensors.items())]
        expected = {'general.architecture': 'llama', 'general.name': 'ünïcode', 'llama.block_count': '32', 'llama.rope.freq_base': '10000.5',
                    'flag': 'true', 'below': '-5', 'sizes': '3 values'}
        assert facts['metadata'] == dict(expected, **({'general.alignment': '64'} if alignment else {}))


def test_every_type_has_its_name_and_size(tmp_path):
    path = tmp_path / 'model.gguf'
    for kind, (elements, size) in gguf.GGML_QUANT_SIZES.items():
        save(path, {'w': (numpy.zeros((3, 2 * size), 'u1'), None, kind)})
        (tensor,) = read(path)['tensors']
        assert (tensor['shape'], tensor['bytes']) == ([3, 2 * elements], 6 * size), kind
        plain = {'F': 'float', 'I': 'int', 'BF': 'bfloat'}.get(kind.name.rstrip('0123456789'))
        assert tensor['type'] == (plain + kind.name.lstrip('BFI') if plain else kind.name)
    numbers = numpy.random.default_rng(1).normal(size=(4, 256)).astype('f4')
    save(path, {kind.name: (gguf.quantize(numbers, kind), None, kind) for kind in QUANTIZED})
    assert {tensor['name']: tensor['shape'] for tensor in read(path)['tensors']} == {kind.name: [4, 256] for kind in QUANTIZED}


def test_a_large_vocabulary(tmp_path):
    path = tmp_path / 'model.gguf'
    save(path, {'w': numpy.ones(4, 'f4')}, tokens=300_000)
    facts = read(path)
    assert facts['metadata']['tokenizer.ggml.tokens'] == '300000 values' and len(facts['tensors']) == 1


def test_a_file_that_is_still_written(tmp_path):
    path = tmp_path / 'model.gguf'
    save(path, {'w': numpy.ones(100, 'f4')})
    content = path.read_bytes()
    path.write_bytes(content[:-33])  # the last bytes pad it
    facts = read(path)
    assert 'of 400 bytes of data are there' in facts['incomplete'] and facts['tensors'][0]['shape'] == [100]
    save(path, {'w': numpy.ones(8, 'f4')})
    parts_are_never_taken_for_the_whole(path)


def test_files_that_are_none(tmp_path):
    path = tmp_path / 'x.gguf'
    for version, code in ((1, 'unsupported'), (9, 'unsupported'), (3 << 24, 'unsupported: big-endian')):
        path.write_bytes(b'GGUF' + struct.pack('<IQQ', version, 0, 0))
        assert refused(path).startswith(code)
    for tensors, entries in ((1 << 63, 0), (0, 1 << 63), (1 << 21, 0)):
        path.write_bytes(b'GGUF' + struct.pack('<IQQ', 3, tensors, entries))
        assert refused(path).startswith('exhausted: ')
    name = struct.pack('<Q', 1) + b'k'
    for entry in (struct.pack('<Q', 1 << 62), name + struct.pack('<I', 99), name + struct.pack('<IIQ', 9, 4, 1 << 62),
                  name + struct.pack('<IIQ', 9, 8, 1 << 62), name + struct.pack('<IIQ', 9, 99, 1), name + struct.pack('<IIQ', 9, 9, 1) * 9,
                  struct.pack('<Q', 17) + b'general.alignment' + struct.pack('<II', 4, 0)):
        path.write_bytes(b'GGUF' + struct.pack('<IQQ', 3, 0, 1) + entry)
        assert refused(path).startswith(('corrupt: ', 'exhausted: ')), entry
    for shape in ((1 << 40, 1 << 40), (1, 1, 1, 1, 1), (3,)):
        tensor = name + struct.pack('<I%dQIQ' % len(shape), len(shape), *shape, 2, 0)
        path.write_bytes(b'GGUF' + struct.pack('<IQQ', 3, 1, 0) + tensor)
        assert refused(path).startswith('corrupt: '), shape


def test_bytes_that_changed_never_crash_the_reader(tmp_path):
    path = tmp_path / 'model.gguf'
    save(path, {'w': numpy.ones((3, 4), 'f4'), 'v': numpy.ones(4, 'f2')}, tokens=3)
    changed_bytes_never_crash(path)
