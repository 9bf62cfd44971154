"""Capturing once and continuously: what is captured, and when."""

import contextlib
import json
import os
import signal
import subprocess

import pytest

from harness import login_name, wait_until
from oracle import assert_same, snapshot

PRINT_DATA = '''
    import os
    from studio import fs_tracker
    print(open(os.path.join(fs_tracker.get_artifact('data'), 'x')).read())
'''


@pytest.mark.parametrize('flag', [
    ['--capture-once=~/data:data'], ['--capture-once', '~/data:data'], ['-co', '~/data:data'], ['-co=~/data:data'],
    ['--capture=~/data:data'], ['--capture', '~/data:data'], ['-c', '~/data:data'], ['-c=~/data:data'],
], ids=lambda flag: '_'.join(flag).replace('~/data:data', 'V'))
def test_R02_every_form_of_the_capture_flags(sandbox, flag):
    sandbox.write('data/x', 'content')
    sandbox.write_script('train.py', PRINT_DATA)
    assert sandbox.run('run', '-e', 'exp', *flag, 'train.py').out == 'content\n'
    assert sandbox.cat('exp/data', 'x') == b'content', 'the flag captures ~/data under the tag data'
    artifact = next(a for a in sandbox.json('artifacts', 'list', 'exp')['artifacts'] if a['tag'] == 'data')
    once = flag[0].startswith(('-co', '--capture-once'))
    assert artifact['mode'] == ('once' if once else 'capture')


def test_R02_flags_repeat_and_mix(sandbox):
    for name in 'abcd':
        sandbox.write(name + '/x', name)
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/a:a', '--capture-once=~/b:b', '-c', '~/c:c', '--capture=~/d:d',
                'train.py')
    assert [sandbox.cat('exp/' + name, 'x') for name in 'abcd'] == [b'a', b'b', b'c', b'd']


@pytest.mark.parametrize('value', ['~/data:data', '$HOME/data:data', '${HOME}/data:data', '$DEEP/data:data',
                                   '${DEEP}data:data', '../data:data', '~/./data/:data'])
def test_R02_studio_expands_tilde_and_variables(sandbox, value):
    sandbox.write('data/x', 'content')
    sandbox.write_script('train.py', PRINT_DATA)
    result = sandbox.run('run', '-e', 'exp', '--capture-once=' + value, 'train.py',
                         env={'DEEP': '%s/' % sandbox.home})
    assert result.out == 'content\n', result.told()


def test_R02_studio_expands_the_home_of_a_named_user(sandbox):
    sandbox.write_script('train.py', '')
    home = os.path.expanduser('~' + login_name())
    sandbox.fails(254, 'run', '-co', '~%s/no/such/place:data' % login_name(), 'train.py',
                  tells=['%s/no/such/place' % home])


def test_R02_a_dollar_that_begins_no_variable_is_itself(sandbox):
    sandbox.write("odd $(touch pwned) 'q' $/x", 'content')
    sandbox.write_script('train.py', PRINT_DATA)
    assert sandbox.run('run', '-co', "~/odd $(touch pwned) 'q' $:data", 'train.py').out == 'content\n'
    assert not (sandbox.workspace / 'pwned').exists(), 'no shell may see the value'


def test_R03_captured_once_before_the_script_can_touch_it(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    source = sandbox.write('data/x', 'original').parent
    before = snapshot(source)
    sandbox.write_script('train.py', '''
        data = os.path.expanduser('~/data/')
        with open(data + 'x', 'r+') as stream:
            stream.write('ALTERED!')
        open(data + 'new', 'w').close()
        wait_for('captured')
        os.remove(data + 'x')
    ''')
    run = sandbox.start('run', '-e', 'exp', '--capture-once=~/data:data', '-c', '~/beacon:beacon', 'train.py')
    wait_until(lambda: sandbox.log('exp/workspace'), what='the first capture of a continuous artifact')
    sandbox.mark('captured')
    run.wait()
    versions = sandbox.log('exp/data')
    assert [version['reason'] for version in versions] == ['once'], 'captured exactly once'
    sandbox.run('artifacts', 'get', 'exp/data', 'restored')
    assert_same(before, snapshot(sandbox.workspace / 'restored'))


def test_R04_the_tag_gives_the_path_and_labels_the_artifact(sandbox):
    sandbox.write('somewhere/odd/x', 'content')
    sandbox.write_script('train.py', PRINT_DATA)
    assert sandbox.run('run', '-e', 'exp', '-co', '~/somewhere/odd:data', 'train.py').out == 'content\n'
    listing = {a['tag']: a for a in sandbox.json('artifacts', 'list', 'exp')['artifacts']}
    assert listing['data']['path'] == str(sandbox.home / 'somewhere/odd')
    assert b'data' in sandbox.run('artifacts', 'list', 'exp').stdout


def test_R06_captures_every_interval_and_at_the_end(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 200ms\n')
    sandbox.write_script('train.py', '''
        out = os.path.expanduser('~/out/step')
        for step in '123':
            open(out, 'w').write(step)
            wait_for('seen ' + step)
        open(out, 'w').write('last')
    ''')
    run = sandbox.start('run', '-e', 'exp', '--capture=~/out:out', 'train.py')
    for step in '123':
        wait_until(lambda: sandbox.cat('exp/out', 'step') == step.encode(), what='a capture of step ' + step)
        assert run.running, 'captured while the script runs'
        sandbox.mark('seen ' + step)
    run.wait()
    assert sandbox.cat('exp/out', 'step') == b'last', 'captured at the end too'
    versions = sandbox.log('exp/out')
    assert [version['number'] for version in versions] == list(range(len(versions))), 'numbered without gaps'
    states = [sandbox.cat('exp/out@v%d' % n, 'step') for n in range(len(versions))]
    assert [s for s in states if s] == [b'1', b'2', b'3', b'last'], 'each state is a version of its own: %r' % states
    assert 'interval' in [version['reason'] for version in versions]


ENDINGS = {
    'returns': ('', 0),
    'exits with a code': ('sys.exit(3)', 3),
    'raises': ('raise RuntimeError("bad luck")', 1),
    'is killed': ('os.kill(os.getpid(), 9)', 128 + signal.SIGKILL),
    'crashes': ('import resource; resource.setrlimit(resource.RLIMIT_CORE, (0, 0)); os.kill(os.getpid(), 11)',
                128 + signal.SIGSEGV),
}


@pytest.mark.parametrize('ending', ENDINGS)
def test_R06_captures_at_the_end_however_it_ended(sandbox, ending):
    statement, code = ENDINGS[ending]
    sandbox.write_script('train.py', '''
        import os, sys
        open(os.path.expanduser('~/out/result'), 'w').write('done')
        print('the last line', flush=True)
        %s
    ''' % statement)
    sandbox.run('run', '-e', 'exp', '-c', '~/out:out', 'train.py', check_code=code)
    assert sandbox.cat('exp/out', 'result') == b'done'
    assert sandbox.cat('exp/output').startswith(b'the last line\n')


def test_R06_the_default_interval_is_a_minute(sandbox):
    config = {item['key']: item for item in sandbox.json('config', 'list')['config']}
    assert (config['saveWorkspaceFrequency']['value'], config['saveWorkspaceFrequency']['origin']) == ('1m', 'default')


@pytest.mark.parametrize('line, value', [
    ('saveWorkspaceFrequency: 30s', '30s'), ('saveWorkspaceFrequency: 1m', '1m'),
    ('saveWorkspaceFrequency: 1h30m', '1h30m'), ('saveWorkspaceFrequency: 500ms', '500ms'),
    ('saveWorkspaceFrequencyMinutes: 1', '1m'), ('saveWorkspaceFrequencyMinutes: 5', '5m')])
def test_R07_the_interval_is_set_in_the_config_file(sandbox, line, value):
    sandbox.configure(line + '\n')
    config = {item['key']: item['value'] for item in sandbox.json('config', 'list')['config']}
    assert config['saveWorkspaceFrequency'] == value


def test_R08_a_script_shorter_than_the_interval_is_captured_all_the_same(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 1h\n')
    sandbox.write_script('train.py', '''
        import os
        open(os.path.expanduser('~/out/result'), 'w').write('quick')
    ''')
    sandbox.run('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    assert sandbox.cat('exp/out', 'result') == b'quick'
    assert sandbox.log('exp/out')[-1]['reason'] == 'final'
    artifact = next(a for a in sandbox.show('exp')['history'][0]['artifacts'] if a['tag'] == 'out')
    assert artifact['last_version'] == sandbox.log('exp/out')[-1]['version'], 'the record links the version'


def thread_priorities(pid):
    """(nice value, scheduling policy) of each thread of a process."""
    result = []
    for task in os.listdir('/proc/%d/task' % pid):
        with contextlib.suppress(OSError), open('/proc/%d/task/%s/stat' % (pid, task)) as stream:
            values = stream.read().rpartition(')')[2].split()
            result.append((int(values[16]), int(values[38])))
    return result


def test_R09_captures_beside_the_script_at_low_priority(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    sandbox.write_script('train.py', '''
        out = os.path.expanduser('~/out/count')
        mark('started', os.getpid())
        count = 0
        while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
            count += 1
            open(out, 'w').write(str(count))
        print(os.nice(0))
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    script = int(sandbox.wait_mark('started'))
    own = os.nice(0)
    wait_until(lambda: len(sandbox.log('exp/out')) >= 3, what='captures while the script works')
    idle = (3, 5)  # SCHED_BATCH, SCHED_IDLE
    wait_until(lambda: any(nice > own or policy in idle for nice, policy in thread_priorities(run.pid)),
               what='a thread of studio that captures at low priority')
    sandbox.mark('enough')
    assert run.wait().out == '%d\n' % own, 'the script keeps its priority'
    assert script != run.pid, 'the script is a process of its own'


def test_R10_results_are_visible_with_no_effort(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        print('loss 0.25')
        open(os.path.join(fs_tracker.get_model_directory(), 'ckpt-1'), 'w').write('weights')
        open('notes.txt', 'w').write('notes')
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert sandbox.cat('exp/output') == b'loss 0.25\n'
    assert sandbox.cat('exp/modeldir', 'ckpt-1') == b'weights'
    assert sandbox.cat('exp/workspace', 'notes.txt') == b'notes'
    for command in (['runs', 'list'], ['runs', 'show', 'exp'], ['artifacts', 'list', 'exp']):
        assert sandbox.run(*command).stdout, '%r prints something' % command


def test_R29_default_artifacts_are_captured_continuously(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 200ms\n')
    sandbox.write_script('train.py', '''
        from studio import fs_tracker
        open('notes.txt', 'w').write('one')
        open(os.path.join(fs_tracker.get_model_directory(), 'model'), 'w').write('one')
        open(os.path.join(fs_tracker.get_tensorboard_dir(), 'events'), 'w').write('one')
        print('one', flush=True)
        wait_for('captured')
        open('notes.txt', 'w').write('two')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    for reference, path, content in (('exp/workspace', 'notes.txt', b'one'), ('exp/modeldir', 'model', b'one'),
                                     ('exp/tb', 'events', b'one'), ('exp/output', None, b'one\n')):
        wait_until(lambda: sandbox.cat(reference, path) == content, what='a capture of ' + reference)
    assert run.running
    sandbox.mark('captured')
    run.wait()
    assert sandbox.cat('exp/workspace', 'notes.txt') == b'two'
    modes = {a['tag']: (a['mode'], a['default']) for a in sandbox.show('exp')['history'][0]['artifacts']}
    assert modes == {tag: ('capture', True) for tag in ('workspace', 'output', 'modeldir', 'tb')}


def test_an_unchanged_artifact_makes_no_new_version_while_it_is_captured(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    sandbox.write('still/x', 'never changes')
    sandbox.write_script('train.py', '''
        count = 0
        while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
            count += 1
            open(os.path.expanduser('~/out/count'), 'w').write(str(count))
            time.sleep(0.02)
        wait_for('enough')
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', '-c', '~/still:still', 'train.py')
    wait_until(lambda: len(sandbox.log('exp/out')) >= 5, what='five captures')
    sandbox.mark('enough')
    run.wait()
    assert len(sandbox.log('exp/still')) == 1, 'every capture that changed something is a version, and no other'


def test_log_tells_what_changed(sandbox):
    data = sandbox.write('data/stays', 's').parent
    (data / 'goes').write_text('g')
    (data / 'alters').write_text('a')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    (data / 'goes').unlink()
    (data / 'alters').write_text('other')
    (data / 'comes').write_text('c')
    (data / 'comes too').write_text('c')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    first, second = sandbox.log('exp/data')
    assert (first['files'], first['bytes'], first['attempt']) == (3, 3, 0)
    assert (second['files'], second['bytes'], second['attempt']) == (4, 8, 1)
    assert second['changes'] == {'added': 2, 'modified': 1, 'removed': 1}
    assert first['digest'] != second['digest']


def test_files_written_by_numpy_come_back_whole(sandbox):
    sandbox.write_script('train.py', '''
        import numpy, os
        numpy.save(os.path.expanduser('~/out/w.npy'), numpy.arange(100_000, dtype='float32'))
    ''')
    sandbox.run('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    sandbox.run('artifacts', 'get', 'exp/out', 'restored')
    check = 'import json, numpy; print(json.dumps(float(numpy.load("restored/w.npy").sum())))'
    shown = subprocess.run(['/usr/bin/python3', '-c', check], cwd=sandbox.workspace, capture_output=True, check=True)
    assert json.loads(shown.stdout) == pytest.approx(sum(range(100_000)), rel=1e-6)
