"""Our readers against what the real frameworks wrote, and said of it (samples/make_samples.py)."""

import json
import math
import pathlib

import pytest

from checkpoint_reader import read
from event_reader import check, of_studio, read_again

SAMPLES = pathlib.Path(__file__).parent / 'samples'
EXPECTED = {path.parent: json.loads(path.read_text()) for path in sorted(SAMPLES.glob('*/expected.json'))}
CHECKPOINTS = [pytest.param(folder / name, facts, id='%s/%s' % (folder.name, name))
               for folder, expected in EXPECTED.items() for name, facts in expected['checkpoints'].items()]
RUNS = [pytest.param(folder / name, facts, id='%s/%s' % (folder.name, name))
        for folder, expected in EXPECTED.items() for name, facts in expected['events'].items()]


def test_there_are_samples():
    assert len(CHECKPOINTS) > 50 and len(RUNS) > 15


def text(value):
    if isinstance(value, bool):
        return 'true' if value else 'false'
    return '%.9g' % value if isinstance(value, float) else str(value)


@pytest.mark.parametrize('path, expected', CHECKPOINTS)
def test_checkpoints(path, expected):
    facts = read(path)
    assert (facts['format'], facts['incomplete'], facts['dangerous']) == (expected['format'], '', [])
    assert facts['tensors'] == expected['tensors']
    for name, value in expected['metadata'].items():
        # What is longer, or does not fit into 64 bits, is left out.
        if len(str(value)) <= 200 and not (isinstance(value, int) and not -1 << 63 <= value < 1 << 63):
            assert facts['metadata'].get(name) == text(value), name


def points_of(lines, kind):
    points = {}
    for line in lines:
        if line['kind'] == kind:
            points.setdefault(line['tag'], []).append([line['step'], line['value']])
    return points


def close(ours, theirs):
    ours, theirs = float(ours), float(theirs)
    return math.isclose(ours, theirs, rel_tol=1e-6, abs_tol=1e-300) or ours == theirs or math.isnan(ours) and math.isnan(theirs)


@pytest.mark.parametrize('folder, expected', RUNS)
def test_events(folder, expected):
    lines, session = [], []
    for path in sorted(folder.glob('*tfevents*')):
        found, (offset, skipped) = of_studio(path, 1 << 20)
        assert (int(offset), int(skipped)) == (path.stat().st_size, 0)
        lines += found
        session += read_again(path)[1]['session']
    expected = dict(expected)
    expected.pop('passed over', None)
    hyperparameters = expected.pop('hparams', None)
    assert {line['kind'] for line in lines} - {'hparams'} == set(expected)

    scalars = points_of(lines, 'scalar')
    assert scalars.keys() == expected.get('scalar', {}).keys()
    for tag, points in expected.get('scalar', {}).items():
        assert [step for step, _ in scalars[tag]] == [step for step, _ in points], tag
        assert all(close(ours, theirs) for (_, ours), (_, theirs) in zip(scalars[tag], points)), tag
    histograms = points_of(lines, 'histogram')
    assert histograms.keys() == expected.get('histogram', {}).keys()
    for tag, points in expected.get('histogram', {}).items():
        assert [step for step, _ in histograms[tag]] == [step for step, _ in points], tag
        for (_, ours), (_, theirs) in zip(histograms[tag], points):
            ours = [bucket for bucket in ours if float(bucket[2]) > 0]
            theirs = [bucket for bucket in theirs if bucket[2] > 0]
            assert [float(bucket[2]) for bucket in ours] == [bucket[2] for bucket in theirs], tag
            # The outermost limits are tightened, in the old form, to what was seen.
            assert all(close(a[1], b[1]) for a, b in zip(ours[:-1], theirs[:-1])), tag
    for kind in ('image', 'text'):
        assert points_of(lines, kind) == expected.get(kind, {})
    if hyperparameters:
        (found,) = session
        for name, value in hyperparameters.items():
            assert found[name] == value, name


@pytest.mark.parametrize('path', [pytest.param(path, id=path.relative_to(SAMPLES).as_posix()) for path in sorted(SAMPLES.rglob('*tfevents*'))])
def test_events_as_tensorboard_reads_them(path):
    check(path)
