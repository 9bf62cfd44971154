"""Our reader of event files against TensorBoard's own, on files that TensorBoard's writer and tensorboardX (whose writer is PyTorch's) made.

Runs in an environment that has both: scripts/test analysis.
"""

import math
import subprocess

import numpy
import tensorboardX
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2, summary_pb2
from tensorboard.plugins.distribution import compressor
from tensorboard.plugins.hparams import api_pb2
from tensorboard.plugins.hparams import metadata as hparams_metadata
from tensorboard.plugins.hparams import plugin_data_pb2
from tensorboard.plugins.histogram import summary_v2 as histogram_summary
from tensorboard.plugins.image import metadata as image_metadata
from tensorboard.plugins.scalar import summary_v2 as scalar_summary
from tensorboard.plugins.text import summary_v2 as text_summary
from tensorboard.summary.writer.event_file_writer import EventFileWriter
from tensorboard.util import tensor_util

from event_reader import READER, check, of_studio, read_again


def only_file(folder):
    (path,) = folder.glob('*tfevents*')
    return path


def test_files_of_tensorboard(tmp_path):
    writer = EventFileWriter(str(tmp_path))

    def add(summary, step):
        if isinstance(summary, bytes):
            summary = summary_pb2.Summary.FromString(summary)
        writer.add_event(event_pb2.Event(wall_time=1.5e9 + step / 7, step=step, summary=summary))

    generator = numpy.random.default_rng(1)
    for step in range(200):
        add(scalar_summary.scalar_pb('loss/train', 1 / (step + 1)), step)
        add(scalar_summary.scalar_pb('ünïcode tag', -step * 1e30), step * 1_000_000_007)
        add(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag='simple', simple_value=step / 3)]), step)
    for step, value in enumerate((math.inf, -math.inf, math.nan, 0.0, -0.0)):
        add(scalar_summary.scalar_pb('odd', value), step)
    for step in range(5):
        add(histogram_summary.histogram_pb('new/histogram', generator.normal(size=1000), buckets=30), step)
        add(text_summary.text_pb('text', ['# head', 'böse <script>', ''][step % 3]), step)
    add(histogram_summary.histogram_pb('new/empty', numpy.array([])), 0)
    add(histogram_summary.histogram_pb('new/one value', numpy.ones(10)), 0)
    image = summary_pb2.Summary.Value(tag='image', metadata=image_metadata.create_summary_metadata(None, None))
    image.tensor.CopyFrom(tensor_util.make_tensor_proto([b'3', b'2', b'first PNG', b'second PNG']))
    add(summary_pb2.Summary(value=[image]), 4)
    session = plugin_data_pb2.SessionStartInfo(group_name='a', start_time_secs=1.5e9)
    session.hparams['lr'].number_value = 0.1
    metadata = hparams_metadata.create_summary_metadata(plugin_data_pb2.HParamsPluginData(session_start_info=session))
    add(summary_pb2.Summary(value=[summary_pb2.Summary.Value(tag='_hparams_/session_start_info', metadata=metadata)]), 0)
    writer.close()
    kinds = {line['kind'] for line in check(only_file(tmp_path), 600)}
    assert kinds == {'scalar', 'histogram', 'text', 'image', 'hparams'}


def test_files_of_pytorchs_writer(tmp_path):
    writer = tensorboardX.SummaryWriter(str(tmp_path))
    generator = numpy.random.default_rng(2)
    for step in range(100):
        writer.add_scalar('loss', math.exp(-step / 10), step)
        writer.add_histogram('weights', generator.normal(size=1000), step)
    writer.add_histogram('all zero', numpy.zeros(10), 0)
    writer.add_image('picture', generator.integers(0, 255, (3, 4, 5), dtype=numpy.uint8), 1)
    writer.add_text('notes', 'some *text*', 2)
    writer.close()
    kinds = {line['kind'] for line in check(only_file(tmp_path), 203)}
    assert kinds == {'scalar', 'histogram', 'text', 'image'}


def test_distributions_are_those_of_tensorboard(tmp_path):
    writer = tensorboardX.SummaryWriter(str(tmp_path))
    generator = numpy.random.default_rng(3)
    for step in range(50):
        writer.add_histogram('weights', generator.normal(step, 1 + step, size=1009), step)
    writer.close()
    path = only_file(tmp_path)
    histograms, others = read_again(path)
    assert len(histograms) == len(others['distribution']) == 50
    for histogram, distribution in zip(histograms, others['distribution']):
        buckets = [[float(each) for each in bucket] for bucket in histogram['value']]
        expected = [value for _, value in compressor.compress_histogram(buckets)]
        numpy.testing.assert_allclose(distribution['value'], expected, rtol=1e-9, atol=1e-9)


def session_of_tensorboard(path):
    """The hyperparameters as TensorBoard's own messages have them."""
    session = {'kind': 'session', 'values': {}, 'group': '', 'started': 0, 'ended': 0, 'status': ''}
    for event in event_file_loader.RawEventFileLoader(str(path)).Load():
        for value in event_pb2.Event.FromString(event).summary.value:
            if value.metadata.plugin_data.plugin_name != 'hparams':
                continue
            data = plugin_data_pb2.HParamsPluginData.FromString(value.metadata.plugin_data.content)
            if data.HasField('session_start_info'):
                start = data.session_start_info
                session['values'].update({name: getattr(each, each.WhichOneof('kind')) for name, each in start.hparams.items()})
                session.update(group=start.group_name, started=start.start_time_secs)
            if data.HasField('session_end_info'):
                session.update(ended=data.session_end_info.end_time_secs,
                               status=api_pb2.Status.Name(data.session_end_info.status).removeprefix('STATUS_').lower())
    return session


def test_hyperparameters_of_pytorchs_writer(tmp_path):
    writer = tensorboardX.SummaryWriter(str(tmp_path))
    values = {'lr': 0.1, 'layers': 3, 'bias': True, 'optimizer': 'ädam', 'negative': -1e-30}
    writer.add_hparams(values, {'metric/accuracy': 0.5}, name='run')
    writer.close()
    path = only_file(tmp_path / 'run')
    _, others = read_again(path)
    (session,) = others['session']
    assert session['values'] == values
    assert session == session_of_tensorboard(path)
    assert session['status'] == 'success'


def test_hyperparameters_of_tensorboards_own_messages(tmp_path):
    writer = EventFileWriter(str(tmp_path))
    start = plugin_data_pb2.SessionStartInfo(group_name='gröup', start_time_secs=1.5e9, model_uri='x', monitor_url='y')
    start.hparams['lr'].number_value = 0.1
    start.hparams['name'].string_value = 'net'
    start.hparams['bias'].bool_value = False
    end = plugin_data_pb2.SessionEndInfo(status=api_pb2.STATUS_FAILURE, end_time_secs=1.5e9 + 60)
    for tag, data in ((hparams_metadata.SESSION_START_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_start_info=start)),
                      (hparams_metadata.SESSION_END_INFO_TAG, plugin_data_pb2.HParamsPluginData(session_end_info=end))):
        value = summary_pb2.Summary.Value(tag=tag, metadata=hparams_metadata.create_summary_metadata(data))
        writer.add_event(event_pb2.Event(wall_time=1.5e9, summary=summary_pb2.Summary(value=[value])))
    writer.close()
    path = only_file(tmp_path)
    _, others = read_again(path)
    (session,) = others['session']
    assert session == session_of_tensorboard(path)
    assert (session['group'], session['status'], session['ended']) == ('gröup', 'failure', 1.5e9 + 60)


def ten_scalars(folder):
    writer = tensorboardX.SummaryWriter(str(folder))
    for step in range(10):
        writer.add_scalar('loss', step, step)
    writer.close()
    return only_file(folder)


def test_a_file_that_is_still_written_is_read_as_far_as_it_is(tmp_path):
    path = ten_scalars(tmp_path)
    content = path.read_bytes()
    counts = []
    for size in range(len(content) + 1):
        path.write_bytes(content[:size])
        found, (offset, _) = of_studio(path, 1 << 20)
        assert int(offset) <= size
        counts.append(len(found))
    assert counts == sorted(counts) and counts[0] == 0 and counts[-1] == 10


def test_damage_is_told_and_what_came_before_stands(tmp_path):
    path = ten_scalars(tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)
    result = subprocess.run([READER, path, '4096'], capture_output=True, text=True)
    assert result.returncode == 1 and 'damaged' in result.stderr
    assert 0 < len(result.stdout.splitlines()) < 10
