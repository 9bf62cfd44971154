"""What frameworks say of what they wrote, in the form of expected.json."""

import hashlib
import io
import math
import pathlib

import numpy
import PIL.Image
from tensorboard.backend.event_processing import event_accumulator
from tensorboard.plugins.hparams import api_pb2, plugin_data_pb2
from tensorboard.util import tensor_util


def number(value):
    """JSON has no infinities, and no NaN."""
    return float(value) if math.isfinite(value) else str(float(value))


def image(encoded):
    with PIL.Image.open(io.BytesIO(encoded)) as opened:
        return [opened.width, opened.height, hashlib.sha256(encoded).hexdigest()]


def hyperparameters(content):
    data = plugin_data_pb2.HParamsPluginData.FromString(content)
    facts = {}
    if data.HasField('session_start_info'):
        start = data.session_start_info
        facts = {'values': {name: getattr(each, each.WhichOneof('kind')) for name, each in start.hparams.items()}, 'group': start.group_name}
    if data.HasField('session_end_info'):
        facts = {'status': api_pb2.Status.Name(data.session_end_info.status).removeprefix('STATUS_').lower()}
    return facts


def old_histogram(value):
    """Buckets that hold something, each with the limits that it has in the message."""
    limits = [-math.inf] + list(value.bucket_limit)
    return [[number(limits[i]), number(limits[i + 1]), count] for i, count in enumerate(value.bucket) if count > 0]


def of_run(folder):
    """What TensorBoard's EventAccumulator has of the event files in one directory."""
    accumulator = event_accumulator.EventAccumulator(
        str(folder), size_guidance={kind: 0 for kind in event_accumulator.DEFAULT_SIZE_GUIDANCE}, purge_orphaned_data=False)
    accumulator.Reload()
    tags = accumulator.Tags()
    facts = {'scalar': {}, 'histogram': {}, 'image': {}, 'text': {}, 'hparams': {}, 'passed over': sorted(tags['audio'])}
    for tag in tags['scalars']:
        facts['scalar'][tag] = [[each.step, number(each.value)] for each in accumulator.Scalars(tag)]
    for tag in tags['histograms']:
        facts['histogram'][tag] = [[each.step, old_histogram(each.histogram_value)] for each in accumulator.Histograms(tag)]
    for tag in tags['images']:
        facts['image'][tag] = [[each.step, [image(each.encoded_image_string)]] for each in accumulator.Images(tag)]
    for tag in tags['tensors']:
        plugin = accumulator.summary_metadata[tag].plugin_data.plugin_name if tag in accumulator.summary_metadata else ''
        points = [[each.step, tensor_util.make_ndarray(each.tensor_proto)] for each in accumulator.Tensors(tag)]
        if plugin == 'scalars':
            facts['scalar'][tag] = [[step, number(value.item())] for step, value in points]
        elif plugin == 'histograms':
            facts['histogram'][tag] = [[step, [[number(each) for each in bucket] for bucket in value.tolist()]] for step, value in points]
        elif plugin == 'images':
            facts['image'][tag] = [[step, [image(each) for each in value[2:]]] for step, value in points]
        elif plugin == 'text':
            facts['text'][tag] = [[step, [each.decode() for each in value.reshape(-1).tolist()]] for step, value in points]
        else:
            facts['passed over'].append(tag)
    for content in accumulator.PluginTagToContent('hparams').values() if 'hparams' in accumulator._plugin_to_tag_to_content else ():
        facts['hparams'].update(hyperparameters(content))
    return {kind: value for kind, value in facts.items() if value}


def of_runs(folder):
    """Of all directories below one, by their paths; files get names that tell neither when nor where they were made."""
    runs = {}
    for run in sorted({path.parent for path in pathlib.Path(folder).rglob('*tfevents*')}):
        for index, path in enumerate(sorted(run.glob('*tfevents*'))):
            path.rename(run / ('events.out.tfevents.%d.sample%s' % (index, '.v2' if path.name.endswith('.v2') else '')))
        runs[run.as_posix()] = of_run(run)
    return runs


def tensor(name, type_name, shape, size):
    return {'name': name, 'type': type_name, 'shape': [int(each) for each in shape], 'bytes': int(size)}


def array(name, value):
    value = numpy.asarray(value)
    return tensor(name, value.dtype.name, value.shape, value.nbytes)


def checkpoint(kind, tensors, metadata=()):
    return {'format': kind, 'metadata': dict(metadata), 'tensors': sorted(tensors, key=lambda each: each['name'].encode())}
