"""Names of experiments, and running again under the same one."""

import re

from harness import wait_until
from oracle import contents

TRAIN = '''
    import os, sys
    from studio import fs_tracker
    print('result', sys.argv[1])
    for directory in (os.path.expanduser('~/out'), fs_tracker.get_model_directory()):
        open(os.path.join(directory, 'x'), 'w').write(sys.argv[1])
'''

READ = '''
    import os
    from studio import fs_tracker
    print(open(os.path.join(fs_tracker.get_artifact('w'), 'x')).read())
'''


def train(sandbox, argument, check_code=0):
    return sandbox.run('run', '-e', 'exp', '-c', '~/out:out', 'train.py', argument, check_code=check_code)


def last_version(attempt, tag):
    return next(a for a in attempt['artifacts'] if a['tag'] == tag)['last_version']


def test_R17_without_a_name_a_unique_key_is_made(sandbox):
    sandbox.write_script('train.py', 'import os; print(os.environ["STUDIOML_EXPERIMENT"])')
    keys = [sandbox.run('run', 'train.py').out.strip() for _ in range(3)]
    assert len(set(keys)) == 3, 'each run is an experiment of its own: %r' % keys
    assert all(re.fullmatch(r'[A-Za-z0-9._-]+', key) for key in keys)
    assert [run['key'] for run in sandbox.runs()] == keys[::-1], 'the list shows them, newest first'
    assert all((run['attempt'], run['attempts']) == (0, 1) for run in sandbox.runs())


def test_R17_the_name_given_is_the_key(sandbox):
    sandbox.write_script('train.py', '')
    for flag, name in ((['-e', 'a'], 'a'), (['--experiment', 'b.b'], 'b.b'), (['--experiment=c_c'], 'c_c'),
                       (['-e=D-9'], 'D-9')):
        sandbox.run('run', *flag, 'train.py')
        assert sandbox.show(name)['key'] == name


def test_R23_running_again_under_the_same_name_loses_nothing(sandbox):
    sandbox.write_script('train.py', TRAIN)
    assert 'attempt 0' in train(sandbox, 'first').err
    assert 'attempt 1' in train(sandbox, 'second').err
    record = sandbox.show('exp')
    assert (record['attempt'], record['attempts']) == (1, 2)
    assert [attempt['number'] for attempt in record['history']] == [0, 1]
    assert all(attempt['status'] == 'finished' for attempt in record['history'])
    for tag, path, values in (('out', 'x', [b'first', b'second']), ('modeldir', 'x', [b'first', b'second']),
                              ('output', None, [b'result first\n', b'result second\n'])):
        last = [last_version(attempt, tag) for attempt in record['history']]
        assert [sandbox.cat('exp/%s@%s' % (tag, version), path) for version in last] == values, \
            'the %s of both attempts is there' % tag
    assert sandbox.cat('exp/out@latest', 'x') == b'second'
    assert [run['key'] for run in sandbox.runs()] == ['exp'], 'it is one experiment'


def test_R23_attempts_outlive_a_lost_database(sandbox):
    sandbox.write_script('train.py', TRAIN)
    for number in range(3):
        train(sandbox, str(number))
    before = sandbox.show('exp')
    for path in sandbox.studio_home.glob('studio.db*'):
        path.unlink()
    assert sandbox.show('exp')['history'] == before['history'], 'the store has each of them'
    train(sandbox, 'again')
    assert [attempt['number'] for attempt in sandbox.show('exp')['history']] == [0, 1, 2, 3]


def test_running_again_and_again_does_not_make_it_slower(sandbox):
    """What grows with the number of runs: the record must not, nor what is remembered of directories that are gone."""
    sandbox.write_script('train.py', TRAIN)
    record = sandbox.studio_home / 'store/experiments/exp/experiment.json'
    sizes = []
    for number in range(4):
        train(sandbox, str(number))
        sizes.append(record.stat().st_size)
    assert max(sizes) < 1.2 * sizes[0]
    caches = list((sandbox.studio_home / 'cache/stat').iterdir())
    assert len(caches) == 2, 'of the workspace and ~/out: those of attempts are not needed any more'


def test_R23_reuse_of_the_name_then_gets_the_new_data(sandbox):
    sandbox.write_script('train.py', TRAIN)
    sandbox.write_script('read.py', READ)
    for value in ('first', 'second', 'third'):
        train(sandbox, value)
        assert sandbox.run('run', '-r', 'exp/out:w', 'read.py').out == value + '\n', 'no cache to clean by hand'


def test_R23_a_failed_attempt_hides_no_earlier_result(sandbox):
    sandbox.write_script('train.py', TRAIN + '    sys.exit(int(sys.argv[1] == "bad"))\n')
    train(sandbox, 'good')
    train(sandbox, 'bad', check_code=1)
    record = sandbox.show('exp')
    assert record['status'] == 'failed'
    assert [attempt['status'] for attempt in record['history']] == ['finished', 'failed']
    assert sandbox.cat('exp/out@' + last_version(record['history'][0], 'out'), 'x') == b'good'


def test_R23_an_attempt_may_capture_other_artifacts_than_the_last(sandbox):
    sandbox.write('a/x', 'a')
    sandbox.write('b/x', 'b')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/a:a', 'train.py')
    sandbox.run('run', '-e', 'exp', '-co', '~/b:b', 'train.py')
    tags = {a['tag'] for a in sandbox.json('artifacts', 'list', 'exp')['artifacts']}
    assert {'a', 'b'} <= tags, 'what an earlier attempt captured stays listed'
    assert (sandbox.cat('exp/a', 'x'), sandbox.cat('exp/b', 'x')) == (b'a', b'b')


def test_show_tells_of_the_attempt_asked_for(sandbox):
    sandbox.write_script('train.py', TRAIN)
    train(sandbox, 'first')
    train(sandbox, 'second')
    assert sandbox.run('runs', 'show', 'exp', '--attempt', '0').code == 0
    sandbox.show('exp', '--attempt', '1')
    sandbox.fails(254, 'runs', 'show', 'exp', '--attempt', '2', tells=['2'])
    sandbox.fails(254, 'runs', 'show', 'exp', '--attempt', 'last', tells=['--attempt'])


def test_a_name_in_use_by_a_live_run_is_refused(sandbox):
    sandbox.write_script('train.py', "mark('started')\nwait_for('done')\nprint('undisturbed')\n")
    sandbox.write_script('second.py', "mark('second')\n")
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    sandbox.fails(255, 'run', '-e', 'exp', 'second.py', tells=['exp', 'running'])
    assert not (sandbox.marks / 'second').exists(), 'the second script may not start'
    record = sandbox.show('exp')
    assert (record['status'], record['attempts']) == ('running', 1)
    sandbox.mark('done')
    assert run.wait().out == 'undisturbed\n'
    sandbox.run('run', '-e', 'exp', 'second.py')
    assert sandbox.show('exp')['attempts'] == 2, 'the name is free again'


def test_of_several_runs_started_at_once_under_one_name_one_runs(sandbox):
    sandbox.write_script('train.py', "mark('started %d' % os.getpid())\nwait_for('done')\n")
    runs = [sandbox.start('run', '-e', 'exp', 'train.py') for _ in range(4)]
    wait_until(lambda: sum(run.running for run in runs) == 1, what='all but one to be refused')
    sandbox.mark('done')
    codes = sorted(run.wait(None).code for run in runs)
    assert codes == [0, 255, 255, 255], codes
    assert len(list(sandbox.marks.glob('started *'))) == 1
    assert sandbox.show('exp')['attempts'] == 1, 'a refused run is no attempt'


def test_runs_of_different_names_share_a_store_at_the_same_time(sandbox):
    sandbox.write('data/x', bytes(range(256)) * 2000)
    sandbox.write_script('train.py', '''
        import os, sys
        open(os.path.expanduser('~/out-%s/x' % sys.argv[1]), 'w').write(sys.argv[1])
    ''')
    runs = [sandbox.start('run', '-e', 'exp%d' % n, '-co', '~/data:data', '-c', '~/out-%d:out' % n, 'train.py', str(n))
            for n in range(6)]
    for run in runs:
        run.wait()
    assert sandbox.json('store', 'verify')['ok']
    for number in range(6):
        assert sandbox.cat('exp%d/out' % number, 'x') == b'%d' % number
        sandbox.run('artifacts', 'get', 'exp%d/data' % number, 'got-%d' % number)
        assert contents(sandbox.workspace / ('got-%d' % number)) == contents(sandbox.home / 'data')


def test_what_was_put_beside_the_results_of_an_earlier_attempt_stays(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    first = sandbox.studio_home / 'experiments/exp/attempts/0'
    (first / 'modeldir/notes').write_text('mine')
    sandbox.run('run', '-e', 'exp', 'train.py')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert (first / 'modeldir/notes').read_text() == 'mine'
    assert not (first.parent / '1').exists(), 'all of it is in the store'
