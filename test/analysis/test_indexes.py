"""Indexes of weights that lie in other files: Hugging Face's, and TensorFlow's."""

import json
import pathlib

from checkpoint_reader import changed_bytes_never_crash, parts_are_never_taken_for_the_whole, read, refused

# Which TensorFlow wrote; what is in it is held against it in test_samples.py.
TENSORFLOW_INDEX = (pathlib.Path(__file__).parent / 'samples/tensorflow-2.21/checkpoints/ckpt-12.index').read_bytes()


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


def test_shards_of_keras(tmp_path):
    path = tmp_path / 'model.weights.json'
    path.write_text(json.dumps({'metadata': {'total_size': 1.5}, 'weight_map': {'/a/vars': ['m_0.weights.h5', 'm_1.weights.h5'], '/b/vars': 'm_1.weights.h5'}}))
    facts = read(path)
    assert [(each['name'], each['file']) for each in facts['tensors']] == [
        ('/a/vars', 'm_0.weights.h5'), ('/a/vars', 'm_1.weights.h5'), ('/b/vars', 'm_1.weights.h5')]
    path.write_text(json.dumps({'weight_map': {'a' * 10_000: ['b'] * 10_000}}))
    assert refused(path).startswith('exhausted: ')
    path.write_text('{"weight_map": {"a": ["b", 5]}}')
    assert refused(path).startswith('corrupt: ')


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
