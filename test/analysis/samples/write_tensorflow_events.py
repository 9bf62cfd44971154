"""Event files of tf.summary, of version 1's writer, of the hyperparameters plugin, and of Keras's callback."""

import keras
import numpy
import tensorflow
from tensorboard.plugins.hparams import api as hyperparameters

import stated


def write(net, fit):
    write_summaries()
    write_version_1()
    write_hyperparameters()
    fit(net, epochs=2, batch_size=8, validation_data=(numpy.ones((8, 3)), numpy.ones((8, 2))), callbacks=[
        keras.callbacks.TensorBoard('runs/callback', histogram_freq=1, write_images=True, write_graph=True, write_steps_per_second=True, update_freq=1)])
    return stated.of_runs('runs')


def write_summaries():
    generator = numpy.random.default_rng(1)
    with tensorflow.summary.create_file_writer('runs/summaries').as_default():
        for step in range(20):
            tensorflow.summary.scalar('loss/train', 1 / (step + 1), step)
        for step, value in enumerate((float('inf'), float('-inf'), float('nan'))):
            tensorflow.summary.scalar('odd', value, step)
        tensorflow.summary.scalar('integer', tensorflow.constant(7, tensorflow.int32), 10_000_000_000)
        tensorflow.summary.scalar('half', tensorflow.constant(0.5, tensorflow.float16), 1)
        for step in range(3):
            tensorflow.summary.histogram('weights', generator.normal(size=200), step)
        tensorflow.summary.histogram('few', [1.0, 2.0, 2.0], 1, buckets=3)
        tensorflow.summary.histogram('constant', tensorflow.ones(5), 1)
        tensorflow.summary.histogram('empty', tensorflow.zeros(0), 1)
        tensorflow.summary.image('pictures', generator.random((4, 6, 5, 3)), 1, max_outputs=3)
        tensorflow.summary.image('clear', generator.random((1, 6, 5, 4)), 1)
        tensorflow.summary.text('notes', 'some *text* ü', 2)
        tensorflow.summary.text('table', [['a', 'b'], ['c', '']], 2)
        tensorflow.summary.audio('sound', tensorflow.zeros((1, 20, 1)), 8000, 1)
        with tensorflow.name_scope('scope'):
            tensorflow.summary.scalar('inner', 1.5, 1)
        tensorflow.summary.write('of no plugin', tensorflow.zeros(3), 1)
        tensorflow.summary.trace_on(graph=True)
        tensorflow.function(lambda value: value + 1)(tensorflow.ones(2))
        tensorflow.summary.trace_export('graph', 1)


def write_version_1():
    old = tensorflow.compat.v1
    with tensorflow.Graph().as_default(), old.Session() as session:
        values = tensorflow.constant(numpy.random.default_rng(2).normal(size=50))
        old.summary.scalar('loss', tensorflow.reduce_sum(values))
        old.summary.histogram('values', values)
        old.summary.image('picture', tensorflow.zeros((2, 5, 4, 3)))
        old.summary.text('notes', tensorflow.constant(['a', 'b']))
        writer = old.summary.FileWriter('runs/version 1', session.graph)
        merged = old.summary.merge_all()
        for step in range(3):
            writer.add_summary(session.run(merged), step)
        writer.close()


def write_hyperparameters():
    rate = hyperparameters.HParam('rate', hyperparameters.RealInterval(0.1, 0.9))
    metric = hyperparameters.Metric('accuracy', display_name='Accuracy')
    with tensorflow.summary.create_file_writer('runs/hyperparameters').as_default():
        hyperparameters.hparams_config([rate], [metric])
        hyperparameters.hparams({rate: 0.25, 'layers': 3, 'bias': False, 'optimizer': 'ädam'}, trial_id='trial')
        tensorflow.summary.scalar('accuracy', 0.75, 1)
