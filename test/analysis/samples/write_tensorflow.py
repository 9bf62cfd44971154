"""What TensorFlow and its Keras write: models and weights, checkpoints, and event files of tf.summary and the callback."""

import json
import math
import os
import pathlib
import platform

os.environ.update(CUDA_VISIBLE_DEVICES='', TF_CPP_MIN_LOG_LEVEL='3')
# ruff: noqa: E402
import h5py
import keras
import numpy
import tensorflow

import stated
import write_tensorflow_events


def dense_net():
    net = keras.Sequential([keras.Input((3,)), keras.layers.Dense(4, name='first'), keras.layers.BatchNormalization(name='norm'),
                            keras.layers.Dense(2, use_bias=False, name='last')])
    net.compile('adam', 'mse')
    return net


def large_net():
    """Of layers of many kinds, nested models, and weights of several types."""
    image = keras.Input((8, 8, 1))
    inner = keras.Sequential([keras.layers.Conv2D(2, 3), keras.layers.Flatten()], name='inner')
    words = keras.Input((5,), dtype='int32')
    read = keras.layers.Bidirectional(keras.layers.LSTM(2))(keras.layers.Embedding(7, 3)(words))
    halved = keras.layers.Dense(2, dtype='float16')(keras.layers.Concatenate()([inner(image), read]))
    return keras.Model([image, words], keras.layers.Dense(1, dtype='bfloat16', name='bfloat')(halved))


def fit(net, **arguments):
    generator = numpy.random.default_rng(1)
    net.fit(generator.random((16, 3)), generator.random((16, 2)), verbose=0, **arguments)


def of_hdf5(opened):
    """What h5py has."""
    tensors, metadata = [], {}

    def visit(name, each):
        if not isinstance(each, h5py.Dataset):
            return
        # Keras keeps bfloat16 as what it is called in an attribute.
        kept_as = each.attrs.get('dtype', each.dtype.name)
        tensors.append(stated.tensor(name, kept_as, each.shape, each.size * each.dtype.itemsize))

    opened.visititems(visit)
    for name, value in opened.attrs.items():
        if isinstance(value, (bytes, str, int, float, numpy.number)) and not name.endswith('_config'):
            metadata[name] = value.decode() if isinstance(value, bytes) else value
    return tensors, metadata


def save_keras():
    facts = {}
    net = dense_net()
    callbacks = [keras.callbacks.ModelCheckpoint(name, save_weights_only='weights' in name, verbose=0)
                 for name in ('epoch-{epoch:02d}.keras', 'weights.{epoch:02d}-{loss:.2f}.weights.h5')]
    fit(net, epochs=1, callbacks=callbacks)
    net.save('whole.h5')
    large = large_net()
    large.save('large.keras')
    for path in sorted(pathlib.Path('.').glob('*.h5')):
        with h5py.File(path) as opened:
            facts[path.name] = stated.checkpoint('hdf5', *of_hdf5(opened))
    for path in sorted(pathlib.Path('.').glob('*.keras')):
        keras.models.load_model(path).save_weights('temporary.weights.h5')
        with h5py.File('temporary.weights.h5') as opened:
            facts[path.name] = stated.checkpoint('keras', of_hdf5(opened)[0], {'keras_version': keras.__version__})
        os.remove('temporary.weights.h5')
    large.save_weights('shards.weights.json', max_shard_size=500e-9)
    places = json.loads(pathlib.Path('shards.weights.json').read_text())['weight_map']
    facts['shards.weights.json'] = stated.checkpoint('sharded', [
        dict(stated.tensor(name, '', (), 0), file=file) for name, files in places.items() for file in numpy.atleast_1d(files).tolist()])
    for path in pathlib.Path('.').glob('shards_*.weights.h5'):
        os.remove(path)
    return facts


def size_of_text(text):
    """Its length (seven bits a byte), a sum of that, and the text."""
    return math.ceil(len(text).bit_length() / 7) + 4 + len(text)


def of_index(prefix, data):
    reader = tensorflow.train.load_checkpoint(prefix)
    types, tensors = reader.get_variable_to_dtype_map(), []
    for name, shape in reader.get_variable_to_shape_map().items():
        kind = types[name]
        value = reader.get_tensor(name)
        tensors.append(stated.tensor(name, kind.name, shape, size_of_text(value) if kind == tensorflow.string else value.nbytes))
        tensors[-1]['file'] = data
    return stated.checkpoint('tensorflow', tensors)


def save_tensorflow():
    net = dense_net()
    fit(net)
    variables = [tensorflow.Variable(tensorflow.zeros((2, 3), kind)) for kind in
                 (tensorflow.float32, tensorflow.float64, tensorflow.float16, tensorflow.bfloat16, tensorflow.int8, tensorflow.uint8, tensorflow.int16,
                  tensorflow.uint16, tensorflow.int32, tensorflow.uint32, tensorflow.int64, tensorflow.uint64, tensorflow.bool, tensorflow.complex64,
                  tensorflow.complex128)]
    checkpoint = tensorflow.train.Checkpoint(net=net, step=tensorflow.Variable(5, dtype=tensorflow.int64), variables=variables,
                                             text=tensorflow.Variable('abc'))
    manager = tensorflow.train.CheckpointManager(checkpoint, 'checkpoints', max_to_keep=1)
    manager.save(checkpoint_number=12)
    tensorflow.saved_model.save(net, 'saved_model')
    with tensorflow.Graph().as_default(), tensorflow.compat.v1.Session() as session:
        partitioner = tensorflow.compat.v1.fixed_size_partitioner(2)
        tensorflow.compat.v1.get_variable('parts', (4, 3), partitioner=partitioner)
        tensorflow.compat.v1.get_variable('whole', (2,))
        session.run(tensorflow.compat.v1.global_variables_initializer())
        tensorflow.compat.v1.train.Saver().save(session, 'version1/model.ckpt', global_step=500)
    facts = {}
    for path in ['saved_model/saved_model.pb', *pathlib.Path('.').rglob('*.meta')]:
        os.remove(path)  # large, and read by nobody here
    for path in sorted(pathlib.Path('.').rglob('*.index')):
        facts[path.as_posix()] = of_index(str(path.with_suffix('')), '.data-00000-of-00001')
    return facts


def write():
    keras.utils.set_random_seed(1)
    versions = {'python': platform.python_version(), 'tensorflow': tensorflow.__version__, 'keras': keras.__version__, 'h5py': h5py.__version__}
    return {'versions': versions, 'checkpoints': {**save_keras(), **save_tensorflow()}, 'events': write_tensorflow_events.write(dense_net(), fit)}
