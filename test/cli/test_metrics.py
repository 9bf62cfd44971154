"""`studio run --metric`: scalars beside the experiment."""

import event_file
import pytest
from harness import wait_until


@pytest.fixture
def writer(sandbox):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())


def metrics_of(sandbox, key='exp'):
    return {metric['name']: (metric['value'], metric['step']) for metric in sandbox.show(key)['metrics']}


def test_the_value_that_counts_is_kept(sandbox, writer):
    sandbox.write_script('train.py', """
        import os
        from event_file import scalar
        from studio import fs_tracker
        directory = fs_tracker.get_tensorboard_dir() + '/'
        os.makedirs(directory + 'eval')
        with open(directory + 'events.out.tfevents.1', 'wb') as events:
            for step, loss in enumerate((4.0, 0.5, float('nan'), 2.0)):
                events.write(scalar(step, 'loss', loss))
        with open(directory + 'eval/events.out.tfevents.1', 'wb') as events:
            for step, loss in ((10, 8.0), (20, 0.25), (30, 1.0)):
                events.write(scalar(step, 'loss', loss))
                events.write(scalar(step, 'top 1/acc', 1 - loss / 8))
    """)
    result = sandbox.run('run', '-e', 'exp', '--metric', 'loss:min', '--metric=eval/loss:max', '--metric', 'top 1/acc',
                         '--metric', 'none:min', 'train.py')
    assert metrics_of(sandbox) == {'loss': (0.25, 20), 'eval/loss': (8.0, 10), 'top 1/acc': (0.875, 30), 'none': (None, None)}
    assert "no finite value of the metric 'none'" in result.err and 'eval/top 1/acc' in result.err
    assert [metric['goal'] for metric in sandbox.show('exp')['metrics']] == ['min', 'max', 'last', 'min']
    shown = sandbox.run('runs', 'show', 'exp').out
    assert 'loss 0.25 at step 20 (min)' in shown and 'none - (min)' in shown
    assert sandbox.json('runs', 'list')['runs'][0]['metrics'] == sandbox.show('exp')['metrics']


def test_each_attempt_has_its_own(sandbox, writer):
    sandbox.write_script('train.py', """
        import sys
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            events.write(scalar(1, 'loss', float(sys.argv[1])))
    """)
    sandbox.run('run', '-e', 'exp', '--metric', 'loss:min', 'train.py', '1')
    sandbox.run('run', '-e', 'exp', '--metric', 'loss:min', 'train.py', '2')
    sandbox.run('run', '-e', 'exp', 'train.py', '3')
    assert [[metric['value'] for metric in attempt['metrics']] for attempt in sandbox.show('exp')['history']] == [[1.0], [2.0], []]


def test_a_run_shows_them_as_it_goes(sandbox, writer):
    sandbox.configure('saveWorkspaceFrequency: 1s')
    sandbox.write_script('train.py', """
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            for step in range(2):
                record = scalar(step, 'loss', 2.0 - step)
                events.write(record[:10])
                events.flush()
                mark('half %d' % step)
                wait_for('more %d' % step)
                events.write(record[10:])
                events.flush()
            wait_for('end')
    """)
    run = sandbox.start('run', '-e', 'exp', '--metric', 'loss:min', 'train.py')
    sandbox.wait_mark('half 0')
    assert metrics_of(sandbox) == {'loss': (None, None)}
    for step in range(2):
        sandbox.wait_mark('half %d' % step)
        sandbox.mark('more %d' % step)
        wait_until(lambda: metrics_of(sandbox) == {'loss': (2.0 - step, step)}, what='the value')
    sandbox.mark('end')
    run.wait()
    assert metrics_of(sandbox) == {'loss': (1.0, 1)}


def test_what_is_no_event_file_does_no_harm(sandbox, writer):
    sandbox.write_script('train.py', """
        import os
        from event_file import scalar
        from studio import fs_tracker
        directory = fs_tracker.get_tensorboard_dir() + '/'
        os.mkfifo(directory + 'fifo.tfevents.1')
        os.makedirs(directory + 'directory.tfevents')
        os.symlink('.', directory + 'loop')
        with open(directory + 'damaged.tfevents.1', 'wb') as events:
            events.write(scalar(1, 'loss', 5.0) + b'x' * 100 + scalar(2, 'loss', 0.0))
        with open(directory + 'empty.tfevents', 'wb'):
            pass
    """)
    sandbox.run('run', '-e', 'exp', '--metric', 'loss:min', 'train.py')
    assert metrics_of(sandbox) == {'loss': (5.0, 1)}


def test_a_bad_metric_is_refused(sandbox):
    sandbox.write_script('train.py', 'mark("ran")')
    sandbox.fails(254, 'run', '--metric', '', 'train.py', tells=['--metric', 'NAME'])
    for bad in (':min', 'loss:'):
        sandbox.fails(254, 'run', '--metric', bad, 'train.py', tells=['--metric', 'val_loss:min'])
    sandbox.fails(254, 'run', '--metric', 'a:min', '--metric', 'a:max', 'train.py', tells=['--metric', 'twice'])
    assert sandbox.runs() == []
