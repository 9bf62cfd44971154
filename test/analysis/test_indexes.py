"""Indexes of weights that lie in other files: Hugging Face's, and TensorFlow's."""

import base64
import json
import zlib

from checkpoint_reader import changed_bytes_never_crash, parts_are_never_taken_for_the_whole, read, refused

# TensorFlow is too large to be installed for a test. This is what version 2.21.0 wrote for
# Checkpoint(step=Variable(5, int64), layers=[Variable(ones((3, 4))), Variable(ones((7,), bfloat16))], text=Variable('abc')).save(…).
TENSORFLOW_INDEX = zlib.decompress(base64.b64decode(
    'eNpjYGDjYJRi4mBkkOGLd/ZwdfYO8Pf0C3F08nGN93fycnUOiXcPcgzw4GAXYlAI09jKbHrCX2Qtg7JoTmJlalGxvoG+nmNISJCnU2iIa7B+mGOQJ1hrmKNPqCsHoxCHEB'
    'MHMxCzKEhoGJhmHMnqZZcRNMSnh0+IBaieXcFDg8/UMuD2ZwZ13uLEstT45PzSvJLUInxaOYFOFNDgMGUsvefIKMddklpAQDVQ7atNLHYM8rwlqRUl+BSDfM8BVH744ixJ'
    'BiBgBBGbuX6xwDkHPi3cwMDIXMqwmwkudkjOTfAAE8dZJn4GgiD8d0O3Sqn7bQBwUVo5'))


def test_shards_of_hugging_face(tmp_path):
    places = {'model.layers.%d.weight' % number: 'model-0000%d-of-00002.safetensors' % (number // 2 + 1) for number in range(4)}
    for name in ('model.safetensors.index.json', 'pytorch_model.bin.index.json'):
        path = tmp_path / name
        path.write_text(json.dumps({'metadata': {'total_size': 12345, 'format': 'pt', 'odd': [1]}, 'weight_map': places}, indent=2))
        facts = read(path)
        assert (facts['format'], facts['incomplete'], facts['metadata']) == ('sharded', '', {'total_size': '12345', 'format': 'pt'})
        assert facts['tensors'] == [{'name': tensor, 'type': '', 'shape': [], 'bytes': 0, 'file': file} for tensor, file in sorted(places.items())]
        parts_are_never_taken_for_the_whole(path)
        changed_bytes_never_crash(path, rounds=100)


def test_what_is_no_index(tmp_path):
    path = tmp_path / 'model.safetensors.index.json'
    for content in ('', '[]', '{', '{}', '{"weight_map": []}', '{"weight_map": {"a": 5}}', '[' * 100_000):
        path.write_text(content)
        assert refused(path).startswith('corrupt: '), content
    with open(path, 'wb') as stream:
        stream.truncate(1 << 30)
    assert refused(path).startswith('exhausted: ')
    other = tmp_path / 'package.json'
    other.write_text('{"weight_map": {}}')
    assert read(other) is None


def test_tensorflow(tmp_path):
    path = tmp_path / 'ckpt-1.index'
    path.write_bytes(TENSORFLOW_INDEX)
    facts = read(path)
    assert (facts['format'], facts['incomplete']) == ('tensorflow', '')
    found = {each['name']: (each['type'], each['shape'], each['bytes']) for each in facts['tensors']}
    graph = found.pop('_CHECKPOINTABLE_OBJECT_GRAPH')
    assert graph[:2] == ('string', [])
    assert found == {'%s/.ATTRIBUTES/VARIABLE_VALUE' % name: value for name, value in {
        'layers/0': ('float32', [3, 4], 48), 'layers/1': ('bfloat16', [7], 14), 'save_counter': ('int64', [], 8), 'step': ('int64', [], 8),
        'text': ('string', [], 8)}.items()}
    assert {each['file'] for each in facts['tensors']} == {'.data-00000-of-00001'}


def test_parts_of_an_index_of_tensorflow(tmp_path):
    path = tmp_path / 'ckpt-1.index'
    path.write_bytes(TENSORFLOW_INDEX)
    parts_are_never_taken_for_the_whole(path)
    changed_bytes_never_crash(path)
    # Blocks have sums: what changed within one is noticed.
    changed = bytearray(TENSORFLOW_INDEX)
    changed[20] ^= 1
    path.write_bytes(changed)
    assert 'damaged block' in refused(path)
    path.write_bytes(b'an index of something else' * 10)
    assert read(path) is None
