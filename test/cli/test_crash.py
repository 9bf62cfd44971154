"""kill -9 of studio: nothing acknowledged is lost, and the next command tells the truth."""

import contextlib
import os
import signal

import pytest

from harness import alive, wait_until
from oracle import random_bytes

TRAIN = '''
    from studio import fs_tracker
    print('step one', flush=True)
    open(os.path.expanduser('~/out/x'), 'w').write('one')
    mark('started', os.getpid())
    wait_for('go on')
    print('step two', flush=True)
    open(os.path.expanduser('~/out/x'), 'w').write('two')
    mark('finished')
'''


@pytest.fixture
def crashed(sandbox):
    """A run whose studio was killed while its script waits, after a version was shown."""
    sandbox.configure('saveWorkspaceFrequency: 200ms\n')
    sandbox.write('data/x', random_bytes(500_000))
    sandbox.write_script('train.py', TRAIN)
    run = sandbox.start('run', '-e', 'exp', '-co', '~/data:data', '-c', '~/out:out', 'train.py')
    sandbox.script = int(sandbox.wait_mark('started'))
    wait_until(lambda: sandbox.cat('exp/out', 'x') == b'one', what='a capture of the first step')
    sandbox.acknowledged = {tag: sandbox.log('exp/' + tag) for tag in ('data', 'out', 'workspace', 'output')}
    run.signal(signal.SIGKILL)
    run.wait(-signal.SIGKILL)
    return sandbox


@pytest.mark.parametrize('command', [['runs', 'list'], ['runs', 'show', 'exp'], ['artifacts', 'list', 'exp'],
                                     ['store', 'verify']], ids=' '.join)
def test_the_next_command_reports_the_run_as_lost(crashed, command):
    crashed.run(*command)
    record = crashed.show('exp')
    assert (record['status'], record['exit_code']) == ('lost', None)
    assert record['reason'] and record['failure'] != 'script', 'and says why: %r' % record
    assert [run['key'] for run in crashed.runs('--status', 'lost')] == ['exp']
    assert crashed.runs('--status', 'running') == []


def test_the_store_verifies_and_acknowledged_versions_are_there(crashed):
    verdict = crashed.json('store', 'verify')
    assert verdict['ok'] and verdict['errors'] == []
    for tag, versions in crashed.acknowledged.items():
        now = {version['version']: version['digest'] for version in crashed.log('exp/' + tag)}
        for version in versions:
            assert now.get(version['version']) == version['digest'], 'exp/%s@%s is lost' % (tag, version['version'])
    assert crashed.cat('exp/data', 'x') == random_bytes(500_000)
    assert b'one' in [crashed.cat('exp/out@' + v['version'], 'x') for v in crashed.log('exp/out')]


def test_the_script_survives_and_runs_kill_ends_it(crashed):
    assert alive(crashed.script), 'the child does not depend on studio'
    crashed.run('runs', 'kill', 'exp')
    assert not alive(crashed.script), 'kill waits until the script has ended'
    assert crashed.status('exp') in ('lost', 'killed', 'stopped')


def test_runs_stop_ends_the_script_of_a_lost_run(crashed):
    crashed.run('runs', 'stop', 'exp')
    assert not alive(crashed.script)


def test_the_script_can_finish_without_studio(crashed):
    crashed.mark('go on')
    crashed.wait_mark('finished')
    wait_until(lambda: not alive(crashed.script), what='the end of the script')
    assert (crashed.home / 'out/x').read_text() == 'two'
    assert crashed.status('exp') == 'lost', 'nobody saw how it ended'


def test_what_a_script_wrote_after_its_studio_died_is_captured_when_it_has_ended(crashed):
    crashed.run('runs', 'list')  # takes the run for lost, while its script goes on
    crashed.mark('go on')
    crashed.wait_mark('finished')
    wait_until(lambda: not alive(crashed.script), what='the end of the script')
    crashed.run('runs', 'list')
    assert crashed.cat('exp/output') == b'step one\nstep two\n'
    assert 'recovered' in {version['reason'] for version in crashed.log('exp/output')}
    assert crashed.run('runs', 'list').err == '', 'told once'


def test_the_name_is_refused_while_the_script_of_the_lost_run_lives(crashed):
    refused = crashed.fails(255, 'run', '-e', 'exp', 'train.py', tells=["'exp'", 'its script still runs', 'studio runs stop exp'])
    assert refused.code == 255
    assert crashed.show('exp')['attempts'] == 1


def test_the_name_can_be_used_again(crashed):
    crashed.run('runs', 'kill', 'exp')
    crashed.mark('go on')
    crashed.run('run', '-e', 'exp', '-co', '~/data:data', '-c', '~/out:out', 'train.py')
    record = crashed.show('exp')
    assert (record['status'], record['attempts']) == ('finished', 2)
    assert [attempt['status'] for attempt in record['history']][1] == 'finished'
    assert crashed.cat('exp/out', 'x') == b'two'
    assert crashed.cat('exp/output') == b'step one\nstep two\n'
    for version in crashed.acknowledged['out']:
        assert version['digest'] in {v['digest'] for v in crashed.log('exp/out')}, 'earlier versions stay'
    assert crashed.json('store', 'verify')['ok']


def test_results_of_a_lost_run_can_be_reused(crashed):
    crashed.write_script('read.py', '''
        import os
        from studio import fs_tracker
        print(len(open(os.path.join(fs_tracker.get_artifact('w'), 'x'), 'rb').read()))
    ''')
    assert crashed.run('run', '-r', 'exp/data:w', 'read.py').out == '500000\n'


def test_other_runs_are_not_taken_for_lost(sandbox):
    sandbox.write_script('train.py', "mark('started')\nwait_for('done')\n")
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    for _ in range(3):
        assert sandbox.status('exp') == 'running'
    sandbox.mark('done')
    run.wait()


@pytest.mark.parametrize('number', range(5))
def test_killed_anywhere_in_a_run_full_of_captures(sandbox, number):
    """The moment is given by how many versions there are: each lies in the midst of capturing the next."""
    sandbox.configure('saveWorkspaceFrequency: 10ms\n')
    sandbox.write_script('train.py', '''
        mark('started', os.getpid())
        count = 0
        while True:
            count += 1
            with open(os.path.expanduser('~/out/new'), 'wb') as stream:
                stream.write(os.urandom(200_000))
            os.rename(os.path.expanduser('~/out/new'), os.path.expanduser('~/out/%d' % (count % 7)))
            if os.path.exists(os.environ['TEST_MARKS'] + '/done'):
                break
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    script = int(sandbox.wait_mark('started'))
    wait_until(lambda: len(sandbox.log('exp/out')) > number, what='version %d' % number)
    shown = sandbox.log('exp/out')
    run.signal(signal.SIGKILL)
    run.wait(-signal.SIGKILL)
    with contextlib.suppress(ProcessLookupError):
        os.kill(script, signal.SIGKILL)
    assert sandbox.json('store', 'verify')['ok']
    assert sandbox.status('exp') == 'lost'
    now = {version['version']: version['digest'] for version in sandbox.log('exp/out')}
    assert {v['version']: v['digest'] for v in shown}.items() <= now.items(), 'a version that was shown is lost'
    for version in now:
        sandbox.run('artifacts', 'get', 'exp/out@' + version, 'got-' + version)
