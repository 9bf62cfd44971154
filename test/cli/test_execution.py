"""How scripts end and what is then recorded: exit codes, standard input, terminals."""

import contextlib
import os
import pathlib
import pty
import re
import select
import shlex
import signal
import subprocess
import time

import pytest

from harness import TIMEOUT, wait_until


def outcome(sandbox, key='exp'):
    record = sandbox.show(key)
    return record['status'], record['failure'], record['exit_code'], record['signal']


@pytest.mark.parametrize('code', [0, 1, 2, 42, 127, 128, 143, 251, 252, 254, 255])
def test_the_exit_code_of_the_script_is_passed_on(sandbox, code):
    sandbox.write_script('train.py', 'import sys; sys.exit(%d)' % code)
    result = sandbox.run('run', '-e', 'exp', 'train.py', check_code=code)
    expected = ('finished', None, 0, None) if code == 0 else ('failed', 'script', code, None)
    assert outcome(sandbox) == expected, 'the record tells that it was the script' + result.told()
    assert 'studio: error' not in result.err, 'no failure of Studio'


@pytest.mark.parametrize('name', ['SIGKILL', 'SIGSEGV', 'SIGABRT', 'SIGTERM', 'SIGPIPE', 'SIGUSR1'])
def test_a_script_that_dies_of_a_signal_gives_128_and_its_number(sandbox, name):
    number = getattr(signal, name)
    sandbox.write_script('train.py', '''
        import os, resource, signal
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        signal.signal(signal.%s, signal.SIG_DFL) if %d not in (9,) else None
        print('until here', flush=True)
        os.kill(os.getpid(), %d)
    ''' % (name, number, number))
    sandbox.run('run', '-e', 'exp', 'train.py', check_code=128 + number)
    assert outcome(sandbox) == ('killed', 'script', None, name)
    assert sandbox.cat('exp/output') == b'until here\n'


def test_a_traceback_of_the_script_is_its_output(sandbox):
    sandbox.write_script('train.py', 'raise ValueError("learning rate")')
    result = sandbox.run('run', '-e', 'exp', 'train.py', check_code=1)
    assert b'ValueError: learning rate' in result.stdout
    assert b'ValueError: learning rate' in sandbox.cat('exp/output')


def test_sigkill_of_a_running_script_leads_to_a_final_capture(sandbox):
    sandbox.write_script('train.py', '''
        open(os.path.expanduser('~/out/x'), 'w').write('the last word')
        mark('started', os.getpid())
        wait_for('never')
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    script = int(sandbox.wait_mark('started'))
    os.kill(script, signal.SIGKILL)
    run.wait(128 + signal.SIGKILL)
    assert outcome(sandbox) == ('killed', 'script', None, 'SIGKILL')
    assert sandbox.cat('exp/out', 'x') == b'the last word'
    assert sandbox.show('exp')['reason'], 'a sentence tells what happened'


def test_a_running_experiment_is_listed_as_running(sandbox):
    sandbox.write_script('train.py', "mark('started', os.getpid())\nwait_for('done')\n")
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    script = int(sandbox.wait_mark('started'))
    wait_until(lambda: sandbox.status('exp') == 'running')
    record = sandbox.show('exp')
    assert (record['status'], record['exit_code'], record['ended']) == ('running', None, None)
    assert record['history'][0]['process']['studio_pid'] == run.pid
    assert record['history'][0]['process']['script_pid'] == script
    assert [r['key'] for r in sandbox.runs('--status', 'running')] == ['exp']
    sandbox.mark('done')
    run.wait()
    assert sandbox.status('exp') == 'finished'


COPY_INPUT = '''
    import shutil, sys
    shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer)
'''


@pytest.mark.parametrize('data', [b'', b'a line\n', b'\x00\xff no newline', bytes(range(256)) * 8192],
                         ids=['empty', 'line', 'binary', '2MiB'])
def test_standard_input_is_passed_through(sandbox, data):
    sandbox.write_script('train.py', COPY_INPUT)
    assert sandbox.run('run', 'train.py', input=data).stdout == data


def test_standard_input_is_interactive(sandbox):
    """What is typed arrives while the script runs, not at the end of the input."""
    sandbox.write_script('train.py', '''
        import sys
        for line in sys.stdin:
            print('got', line.strip(), flush=True)
    ''')
    run = sandbox.start('run', 'train.py', stdin=subprocess.PIPE)
    for word in (b'one', b'two'):
        run.popen.stdin.write(word + b'\n')
        run.popen.stdin.flush()
        run.wait_output(b'got ' + word + b'\n')
    run.popen.stdin.close()
    assert run.wait().stdout == b'got one\ngot two\n'


def test_studio_ends_when_the_script_does_though_input_stays_open(sandbox):
    sandbox.write_script('train.py', 'print("done")')
    run = sandbox.start('run', 'train.py', stdin=subprocess.PIPE)
    assert run.wait().stdout == b'done\n'


class Terminal:
    """studio, or another program, with a terminal of its own, as if a user had typed the command."""

    def __init__(self, sandbox, *args, program=None):
        self.screen = b''
        self.pid, self.descriptor = pty.fork()
        if self.pid == 0:
            try:
                os.chdir(sandbox.workspace)
                os.execve(program or sandbox.binary, [program or sandbox.binary, *args], sandbox.environment())
            finally:
                os._exit(99)

    def read_until(self, text):
        deadline = time.monotonic() + TIMEOUT
        while text not in self.screen:
            assert time.monotonic() < deadline, '%r is not on the screen: %r' % (text, self.screen)
            if select.select([self.descriptor], [], [], 0.1)[0]:
                try:
                    block = os.read(self.descriptor, 65536)
                except OSError:
                    block = b''
                assert block, 'ended without %r: %r' % (text, self.screen)
                self.screen += block

    def type(self, data):
        os.write(self.descriptor, data)

    def close(self):
        """Wait for studio to end, reading on; returns the exit code."""
        deadline = time.monotonic() + TIMEOUT
        pid = 0
        while not pid and time.monotonic() < deadline:
            if select.select([self.descriptor], [], [], 0.01)[0]:
                with contextlib.suppress(OSError):
                    self.screen += os.read(self.descriptor, 65536)
            pid, status = os.waitpid(self.pid, os.WNOHANG)
        if not pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        with contextlib.suppress(OSError):  # what was left when it ended
            while select.select([self.descriptor], [], [], 0)[0]:
                self.screen += os.read(self.descriptor, 65536)
        os.close(self.descriptor)
        assert pid, 'studio did not end; on the screen: %r' % self.screen
        return os.waitstatus_to_exitcode(status)


def test_a_script_may_read_from_the_terminal(sandbox):
    sandbox.write_script('train.py', '''
        import sys
        print('really?', sys.stdin.isatty(), flush=True)
        print('answer', input())
    ''')
    terminal = Terminal(sandbox, 'run', 'train.py')
    terminal.read_until(b'really? True')
    terminal.type(b'yes\n')
    terminal.read_until(b'answer yes')
    assert terminal.close() == 0, terminal.screen


def test_control_c_on_the_terminal_interrupts_the_script_once(sandbox):
    sandbox.write_script('train.py', '''
        count = 0
        try:
            print('waiting', flush=True)
            wait_for('never')
        except KeyboardInterrupt:
            count += 1
            open(os.path.expanduser('~/out/x'), 'w').write('saved on the way out')
            mark('interrupted')
            wait_for('checked')
        print('interrupts', count)
        sys.exit(9)
    ''')
    terminal = Terminal(sandbox, 'run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    terminal.read_until(b'waiting')
    terminal.type(b'\x03')
    sandbox.wait_mark('interrupted')
    sandbox.mark('checked')
    terminal.read_until(b'interrupts 1')
    assert terminal.close() == 9, 'the script\'s own code: %r' % terminal.screen
    assert sandbox.cat('exp/out', 'x') == b'saved on the way out'


def test_control_z_stops_studio_with_its_script_and_fg_goes_on(sandbox):
    sandbox.write_script('train.py', '''
        print('process', os.getpid(), 'waits', flush=True)
        wait_for('checked')
        print('the script went on')
    ''')
    shell = Terminal(sandbox, '--norc', '--noprofile', '-i', program='/bin/bash')
    shell.type(b'%s run -e exp train.py\n' % os.fsencode(shlex.quote(str(sandbox.binary))))
    shell.read_until(b' waits')
    process = re.search(rb'process (\d+) waits', shell.screen).group(1).decode()
    shell.type(b'\x1a')
    shell.read_until(b'Stopped')
    assert pathlib.Path('/proc', process, 'stat').read_text().split()[2] == 'T'
    shell.type(b'fg\n')
    sandbox.mark('checked')
    shell.read_until(b'the script went on')
    shell.read_until(b'exp finished')
    shell.type(b'exit $?\n')
    assert shell.close() == 0, shell.screen


def test_tar_is_refused_on_a_terminal(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    terminal = Terminal(sandbox, 'artifacts', 'tar', 'exp/workspace')
    assert terminal.close() in (254, 255)
    assert b'studio: error: ' in terminal.screen and b'\x1f\x8b' not in terminal.screen


def test_times_and_use_of_resources_are_recorded(sandbox):
    sandbox.write_script('train.py', '''
        import time
        block = bytearray(64 << 20)
        end = time.process_time() + 0.2
        while time.process_time() < end:
            pass
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    record = sandbox.show('exp')
    attempt = record['history'][0]
    assert attempt['usage']['user_seconds'] + attempt['usage']['system_seconds'] >= 0.2
    assert attempt['usage']['peak_memory_bytes'] >= 64 << 20
    assert record['created'] <= record['started'] <= record['ended']
    assert record['duration_seconds'] >= 0.2


def test_a_studio_killed_while_it_reads_answers_with_252(sandbox):
    """Interrupted before it could finish: a pipe that nobody empties holds it up."""
    sandbox.write('data/big', os.urandom(1 << 20))
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    run = sandbox.start('artifacts', 'cat', 'exp/data', 'big', drain=False)
    wait_until(lambda: select.select([run.popen.stdout], [], [], 0)[0], what='the first bytes')
    run.signal(signal.SIGINT)
    assert run.popen.wait(TIMEOUT) == 252


def test_a_reader_that_goes_away_is_no_crash(sandbox):
    sandbox.write('data/big', os.urandom(1 << 20))
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    run = sandbox.start('artifacts', 'tar', 'exp/data', drain=False)
    os.read(run.popen.stdout.fileno(), 100)
    run.popen.stdout.close()
    assert run.popen.wait(TIMEOUT) not in (-signal.SIGSEGV, -signal.SIGABRT)
    assert b'terminate' not in run.popen.stderr.read()


def test_a_program_whose_name_begins_with_python_is_run_once(sandbox):
    sandbox.write_script('python_train.sh', '#!/bin/sh\necho once >> ~/ran\n')
    sandbox.run('run', '-e', 'exp', './python_train.sh')
    assert (sandbox.home / 'ran').read_text() == 'once\n', 'not a second time to ask it for its packages'
    assert sandbox.show('exp')['environment']['python'] is None


def test_the_end_is_recorded_though_nobody_reads_the_output(sandbox):
    sandbox.write_script('train.py', "print('x' * 1_000_000)\nmark('printed')\n")
    run = sandbox.start('run', '-e', 'exp', 'train.py', drain=False)
    sandbox.wait_mark('printed')
    wait_until(lambda: sandbox.status('exp') == 'finished', what='the end of the run')
    assert len(sandbox.cat('exp/output')) == 1_000_001
    run.signal(signal.SIGINT)
    run.wait(0)


def test_a_directory_that_is_not_utf_8_is_refused_in_one_line(sandbox):
    directory = os.path.join(os.fsencode(sandbox.home), b'caf\xe9')
    os.mkdir(directory)
    sandbox.own(sandbox.home)
    sandbox.fails(254, 'run', '-e', 'exp', '--', 'true', cwd=directory, tells=['caf\\xe9', 'UTF-8'])
    assert sandbox.runs() == []
