"""ONNX against the library that writes it."""

import numpy
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from checkpoint_reader import changed_bytes_never_crash, facts_of, parts_are_never_taken_for_the_whole, read, refused

TYPES = ['bool', 'int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32', 'int64', 'uint64', 'float16', 'float32', 'float64', 'complex64']


OPERATORS = [helper.make_opsetid('', 17), helper.make_opsetid('ai.onnx.ml', 3)]


def model_of(initializers, metadata=(), operators=OPERATORS):
    node = helper.make_node('Identity', ['x'], ['y'], name='node')
    ends = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 3]) for name in 'xy']
    graph = helper.make_graph([node] * 3, 'net', ends[:1], ends[1:], initializers, doc_string='what it is')
    model = helper.make_model(graph, producer_name='pytorch', opset_imports=operators)
    for name, value in dict(metadata).items():
        model.metadata_props.add(key=name, value=value)
    return model


def test_tensors_and_metadata(tmp_path):
    path = tmp_path / 'model.onnx'
    arrays = {'layer.%d.%s' % (number, name): numpy.ones((number % 4, 3) if number else (), name) for number, name in enumerate(TYPES)}
    model = model_of([numpy_helper.from_array(array, name) for name, array in arrays.items()], {'ünïcode': 'ja'})
    onnx.save(model, path)
    facts = read(path)
    assert (facts['format'], facts['incomplete'], facts['dangerous']) == ('onnx', '', [])
    assert facts['tensors'] == [facts_of(name, arrays[name]) for name in sorted(arrays)]
    assert facts['metadata'] == {'ir_version': str(model.ir_version), 'producer_name': 'pytorch', 'graph': 'net', 'opset': '17',
                                 'opset ai.onnx.ml': '3', 'ünïcode': 'ja'}


def test_every_type_has_its_name_and_size(tmp_path):
    path = tmp_path / 'model.onnx'
    for name, number in TensorProto.DataType.items():
        if name in ('UNDEFINED', 'STRING'):
            continue
        tensor = TensorProto(name='w', data_type=number, dims=[3, 8])
        onnx.save(model_of([tensor]), path)
        (facts,) = read(path)['tensors']
        expected = helper.tensor_dtype_to_np_dtype(number) if not name.startswith('FLOAT6') else None
        if expected is not None:
            assert facts['type'] == expected.name or name.startswith(('UINT2', 'INT2', 'UINT4', 'INT4', 'FLOAT4', 'FLOAT8')), name
            assert facts['bytes'] == {'4': 12, '2': 6}.get(name[-1] if name[-2:] in ('T4', 'T2') else '', 24 * expected.itemsize) or 'FLOAT4' in name
    texts = helper.make_tensor('s', TensorProto.STRING, [2], [b'a', b'bcd'])
    onnx.save(model_of([texts]), path)
    assert read(path)['tensors'] == [{'name': 's', 'type': 'string', 'shape': [2], 'bytes': 4}]


def test_numbers_that_are_not_raw(tmp_path):
    path = tmp_path / 'model.onnx'
    onnx.save(model_of([helper.make_tensor('f', TensorProto.FLOAT, [2, 2], [1.0] * 4), helper.make_tensor('i', TensorProto.INT64, [], [5]),
                        helper.make_tensor('h', TensorProto.FLOAT16, [3], [1.0] * 3)]), path)
    assert [(each['name'], each['bytes']) for each in read(path)['tensors']] == [('f', 16), ('h', 6), ('i', 8)]


def test_data_in_another_file(tmp_path):
    path = tmp_path / 'model.onnx'
    model = model_of([numpy_helper.from_array(numpy.ones((100, 100), 'f4'), 'w'), numpy_helper.from_array(numpy.ones(3, 'f4'), 'b')])
    onnx.save(model, path, save_as_external_data=True, location='model.onnx.data', size_threshold=1000)
    assert read(path)['tensors'] == [{'name': 'b', 'type': 'float32', 'shape': [3], 'bytes': 12},
                                     {'name': 'w', 'type': 'float32', 'shape': [100, 100], 'bytes': 40000, 'file': 'model.onnx.data'}]


def test_a_large_model(tmp_path):
    """Whose data is not read."""
    path = tmp_path / 'model.onnx'
    arrays = {'w%d' % number: numpy.ones((1000, 5000), 'f4') for number in range(5)}
    onnx.save(model_of([numpy_helper.from_array(array, name) for name, array in arrays.items()]), path)
    assert read(path)['tensors'] == [facts_of(name, array) for name, array in arrays.items()]


def test_a_file_that_is_still_written(tmp_path):
    path = tmp_path / 'model.onnx'
    arrays = {'a': numpy.ones((3, 4), 'f4'), 'b': numpy.ones(100, 'f4')}
    # Nothing tells how many sets of operators there are to be.
    onnx.save(model_of([numpy_helper.from_array(array, name) for name, array in arrays.items()], operators=OPERATORS[:1]), path)
    parts_are_never_taken_for_the_whole(path)
    content = path.read_bytes()
    path.write_bytes(content[:-200])
    facts = read(path)
    assert facts['tensors'] == [facts_of(name, array) for name, array in arrays.items()]
    assert facts['incomplete'].startswith('%d of ' % (len(content) - 200))


@pytest.mark.parametrize('content', [b'', b'hello world', b'\x08\x07', b'\x3a\x03\x2a\x08\x00\x3a\x00', b'\xff' * 20, b'\x0b' * 5,
                                     b'\x3a\x0e\x2a\x0c\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10', b'\x00' * 50])
def test_files_that_are_none(tmp_path, content):
    path = tmp_path / 'x.onnx'
    path.write_bytes(content)
    assert refused(path).startswith('corrupt: ')


def test_tensors_that_are_too_many(tmp_path):
    path = tmp_path / 'x.onnx'
    tensors = b'\x2a\x00' * ((1 << 20) + 1)
    path.write_bytes(b'\x3a' + bytes([len(tensors) & 0x7f | 0x80, len(tensors) >> 7 & 0x7f | 0x80, len(tensors) >> 14 & 0x7f | 0x80, len(tensors) >> 21]) + tensors)
    assert refused(path).startswith('exhausted: ')


def test_bytes_that_changed_never_crash_the_reader(tmp_path):
    path = tmp_path / 'model.onnx'
    onnx.save(model_of([numpy_helper.from_array(numpy.ones((3, 4), 'f4'), 'a'), numpy_helper.from_array(numpy.ones(3, 'f2'), 'b')], {'k': 'v'}), path)
    changed_bytes_never_crash(path)
