"""Signals, stop and kill: the script is asked, then ended, with all that it started; and captured once more."""

import os
import signal
import textwrap

import pytest

from harness import alive, wait_until

# Ends at SIGTERM like any program; first tells where it is.
WAIT = '''
    open(os.path.expanduser('~/out/x'), 'w').write('at the end')
    mark('started', os.getpid())
    wait_for('never')
'''

# Counts signals and ends at none.
STUBBORN = '''
    import signal
    def note(number, frame):
        mark('got %d' % number)
    for name in ('SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'):
        signal.signal(getattr(signal, name), note)
    mark('started', os.getpid())
    wait_for('never')
'''


def start(sandbox, *texts):
    """Run a script of these parts in the background; returns the run and the script's process id."""
    sandbox.write_script('train.py', '\n'.join(map(textwrap.dedent, texts)))
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    return run, int(sandbox.wait_mark('started'))


@pytest.mark.parametrize('name', ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT'])
def test_a_signal_to_studio_is_forwarded_and_ends_with_a_final_capture(sandbox, name):
    number = getattr(signal, name)
    run, script = start(sandbox, '''
        import resource, signal
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    ''', WAIT)
    run.signal(number)
    run.wait(128 + number)
    assert not alive(script)
    record = sandbox.show('exp')
    assert record['status'] in ('stopped', 'killed') and record['signal'] == name, record
    assert sandbox.cat('exp/out', 'x') == b'at the end'


def test_a_script_that_handles_the_signal_gives_its_own_code(sandbox):
    run, _ = start(sandbox, '''
        import signal
        def finish(number, frame):
            open(os.path.expanduser('~/out/x'), 'w').write('saved in the handler')
            sys.exit(7)
        signal.signal(signal.SIGTERM, finish)
    ''', WAIT)
    run.signal(signal.SIGTERM)
    run.wait(7)
    assert sandbox.cat('exp/out', 'x') == b'saved in the handler'


def test_the_signal_reaches_the_whole_process_group_of_the_script(sandbox):
    run, _ = start(sandbox, '''
        import subprocess
        code = """if 1:
            import os, signal, sys
            def note(number, frame):
                open(os.environ['TEST_MARKS'] + '/child', 'w').close()
                sys.exit()
            signal.signal(signal.SIGTERM, note)
            open(os.environ['TEST_MARKS'] + '/child ready', 'w').close()
            signal.pause()
        """
        child = subprocess.Popen([sys.executable, '-c', code])
        wait_for('child ready')
        import signal
        signal.signal(signal.SIGTERM, lambda number, frame: (child.wait(), sys.exit(0)))
    ''', WAIT)
    run.signal(signal.SIGTERM)
    run.wait(0)
    assert (sandbox.marks / 'child').exists(), 'the child of the script got the signal too'


def test_after_the_grace_period_the_script_is_killed(sandbox):
    sandbox.configure('stopGracePeriod: 300ms\n')
    run, script = start(sandbox, STUBBORN)
    run.signal(signal.SIGTERM)
    sandbox.wait_mark('got %d' % signal.SIGTERM)
    run.wait(128 + signal.SIGKILL)
    assert not alive(script)
    assert sandbox.show('exp')['signal'] == 'SIGKILL'


def test_a_second_signal_kills_at_once(sandbox):
    sandbox.configure('stopGracePeriod: 1h\n')
    run, script = start(sandbox, STUBBORN)
    run.signal(signal.SIGINT)
    sandbox.wait_mark('got %d' % signal.SIGINT)
    assert run.running, 'one signal is a request'
    run.signal(signal.SIGINT)
    run.wait(128 + signal.SIGKILL)
    assert not alive(script)
    assert sandbox.log('exp/out'), 'even then there is a final capture'


@pytest.mark.parametrize('name', ['SIGUSR1', 'SIGUSR2'])
def test_user_signals_are_only_forwarded(sandbox, name):
    sandbox.configure('stopGracePeriod: 10ms\n')
    run, _ = start(sandbox, '''
        import signal
        count = 0
        def note(number, frame):
            global count
            count += 1
            mark('got %%d' %% count)
        signal.signal(signal.%s, note)
        mark('started', os.getpid())
        wait_for('done')
        print('still here')
    ''' % name)
    for number in (1, 2):
        run.signal(getattr(signal, name))
        sandbox.wait_mark('got %d' % number)
    sandbox.mark('done')
    assert run.wait().out == 'still here\n', 'neither ends the script'
    assert sandbox.status('exp') == 'finished'


def test_stop_asks_the_script_to_end(sandbox):
    run, script = start(sandbox, WAIT)
    result = sandbox.json('runs', 'stop', 'exp')
    assert (result['key'], result['status']) == ('exp', 'stopped')
    assert not alive(script), 'stop waits until the run has ended'
    run.wait(128 + signal.SIGTERM)
    assert sandbox.status('exp') == 'stopped'
    assert sandbox.cat('exp/out', 'x') == b'at the end', 'there is a final capture'


def test_stop_of_a_script_that_saves_and_exits_well_is_still_stopped(sandbox):
    run, _ = start(sandbox, '''
        import signal
        signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    ''', WAIT)
    sandbox.run('runs', 'stop', 'exp')
    run.wait(0)
    assert sandbox.status('exp') == 'stopped', 'it did not finish by itself'


def test_stop_kills_after_the_grace_period(sandbox):
    sandbox.configure('stopGracePeriod: 300ms\n')
    run, script = start(sandbox, STUBBORN)
    sandbox.run('runs', 'stop', 'exp')
    assert not alive(script)
    assert (sandbox.marks / ('got %d' % signal.SIGTERM)).exists(), 'the script was asked first'
    run.wait(128 + signal.SIGKILL)
    assert sandbox.status('exp') == 'stopped'


def test_kill_knows_no_grace(sandbox):
    sandbox.configure('stopGracePeriod: 1h\n')
    run, script = start(sandbox, STUBBORN)
    sandbox.run('runs', 'kill', 'exp')
    assert not alive(script)
    run.wait(128 + signal.SIGKILL)
    assert not list(sandbox.marks.glob('got *')), 'the script was not asked'
    assert sandbox.status('exp') in ('killed', 'stopped')
    assert sandbox.log('exp/out'), 'there is a final capture'


FAMILY = '''
    import subprocess
    WAIT = ('import os, signal; name = "/pid-%s-" + str(os.getpid()); '
            'open(os.environ["TEST_MARKS"] + name, "w").close(); signal.pause()')
    def child(name, **options):
        subprocess.Popen([sys.executable, '-c', WAIT % name], **options)
    child('plain')
    child('own-session', start_new_session=True)
    subprocess.run(['sh', '-c', '"$0" -c "$1" & exit 0', sys.executable, WAIT % 'orphan'])
    stubborn = 'import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); ' + WAIT % 'stubborn'
    subprocess.Popen([sys.executable, '-c', stubborn], start_new_session=True)
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            for descriptor in range(3):
                os.close(descriptor)
                os.open('/dev/null', os.O_RDWR)
            child('daemon')
            os._exit(0)
        os._exit(0)
    os.wait()
'''


@pytest.mark.parametrize('command', ['stop', 'kill', 'signals'])
def test_no_child_of_the_script_outlives_it(sandbox, command):
    sandbox.configure('stopGracePeriod: 500ms\n')
    run, _ = start(sandbox, FAMILY, WAIT)

    def family():
        return {path.name.split('-')[1]: int(path.name.rsplit('-', 1)[1]) for path in sandbox.marks.glob('pid-*')}

    wait_until(lambda: len(family()) == 5, what='all children of the script')
    if command == 'signals':
        run.signal(signal.SIGTERM)
    else:
        sandbox.run('runs', command, 'exp')
    run.wait(None)
    wait_until(lambda: not any(map(alive, family().values())), timeout=10, what='the end of every child')


def test_stop_and_kill_of_a_run_that_has_ended_harm_nothing(sandbox):
    sandbox.write_script('train.py', 'print("done")')
    sandbox.run('run', '-e', 'exp', 'train.py')
    for command in ('stop', 'kill'):
        sandbox.run('runs', command, 'exp', check_code=None)
    record = sandbox.show('exp')
    assert (record['status'], record['exit_code']) == ('finished', 0), 'it stays finished'


def test_stop_takes_a_unique_prefix(sandbox):
    run, _ = start(sandbox, WAIT)
    sandbox.run('runs', 'stop', 'ex')
    run.wait(None)
    assert sandbox.status('exp') == 'stopped'


def test_a_child_that_holds_the_output_open_does_not_hold_up_the_end(sandbox):
    sandbox.write_script('train.py', '''
        import subprocess
        child = subprocess.Popen([sys.executable, '-c', 'import signal; signal.pause()'], start_new_session=True)
        mark('child', child.pid)
        print('done', flush=True)
    ''')
    result = sandbox.run('run', '-e', 'exp', 'train.py')
    assert result.out == 'done\n'
    assert os.path.exists(sandbox.marks / 'child')
