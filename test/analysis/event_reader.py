"""What the tests of event files share: our reader, and TensorBoard's own in the same form."""

import hashlib
import json
import os
import pathlib
import subprocess

import numpy
from tensorboard import data_compat
from tensorboard.backend.event_processing import event_file_loader
from tensorboard.compat.proto import event_pb2
from tensorboard.util import tensor_util

READER = pathlib.Path(os.environ.get('PRINT_EVENTS') or
                      pathlib.Path(__file__).resolve().parents[2] / 'build/release/test/print_events')
KINDS = {'scalars': 'scalar', 'histograms': 'histogram', 'images': 'image', 'text': 'text'}


def number(value):
    return '%.17g' % value


def value_of(kind, tensor):
    if kind == 'scalar':
        return number(tensor.item())
    if kind == 'histogram':
        return [[number(each) for each in row] for row in tensor.tolist()]
    strings = [each if isinstance(each, bytes) else each.encode() for each in tensor.reshape(-1).tolist()]
    if kind == 'image':
        return [[int(strings[0]), int(strings[1]), hashlib.sha256(each).hexdigest()] for each in strings[2:]]
    return [each.decode() for each in strings]


def of_tensorboard(path):
    """What TensorBoard reads, in the form that the reader under test prints."""
    lines, plugins = [], {}
    for event in event_file_loader.RawEventFileLoader(str(path)).Load():
        event = event_pb2.Event.FromString(event)
        for value in event.summary.value:
            if value.HasField('metadata') and value.tag not in plugins and value.metadata.plugin_data.plugin_name == 'hparams':
                lines.append({'kind': 'hparams', 'tag': value.tag, 'step': 0, 'wall_time': 0.0,
                              'value': value.metadata.plugin_data.content.hex()})
            old_histogram = value.WhichOneof('value') == 'histo'
            value = data_compat.migrate_value(value)
            plugins.setdefault(value.tag, value.metadata.plugin_data.plugin_name)
            kind = KINDS.get(plugins[value.tag])
            if kind is None:
                continue
            lines.append({'kind': kind, 'tag': value.tag, 'step': event.step, 'wall_time': event.wall_time,
                          'value': value_of(kind, tensor_util.make_ndarray(value.tensor)), 'is_rounded': old_histogram})
    return lines


def of_studio(path, piece):
    result = subprocess.run([READER, path, str(piece)], capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    return [json.loads(line) for line in result.stdout.splitlines()], result.stderr.split()


def read_again(path):
    """The summaries, each read from where it stands, and the rest by kind."""
    lines, problems = of_studio(path, 'again')
    assert problems == []
    others = {kind: [line for line in lines if line['kind'] == kind] for kind in ('session', 'distribution')}
    return [line for line in lines if line['kind'] not in others], others


def check(path, least=0):
    """Read in whatever pieces, and again from where the summaries stand, it is what TensorBoard reads."""
    expected = of_tensorboard(path)
    assert len(expected) >= least
    for piece in (1, 7, 4096, 1 << 30):
        found, (offset, skipped) = of_studio(path, piece)
        assert (int(offset), int(skipped)) == (path.stat().st_size, 0)
        assert len(found) == len(expected)
        for ours, theirs in zip(found, expected):
            theirs = dict(theirs)
            # TensorBoard keeps migrated histograms as float32; we keep what the file has.
            if theirs.pop('is_rounded', False):
                ours = dict(ours, value=[[number(numpy.float32(each)) for each in row] for row in ours['value']])
            assert ours == theirs
    again, _ = read_again(path)
    text = lambda line: json.dumps(line, sort_keys=True)  # noqa: E731
    assert sorted(map(text, again)) == sorted(text(line) for line in found if line['kind'] in ('image', 'histogram', 'text'))
    return expected
