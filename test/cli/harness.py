"""Drives the real studio binary in a home of its own.

A Sandbox is a home directory, a workspace (the current directory of every command) and a
directory of marks. Script and test wait for each other through marks, which are files that
appear whole: the script has mark() and wait_for(), the test Sandbox.mark() and wait_mark().
"""

import contextlib
import dataclasses
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import textwrap
import threading
import time

import pytest

TIMEOUT = 60  # seconds; only a hang ever meets it

# What a script that calls mark() or wait_for() begins with.
PRELUDE = '''\
import os, sys, time

def mark(name, text=''):
    path = os.path.join(os.environ['TEST_MARKS'], name)
    with open(path + '.part', 'w') as stream:
        stream.write(str(text))
    os.rename(path + '.part', path)

def wait_for(name):
    path = os.path.join(os.environ['TEST_MARKS'], name)
    deadline = time.monotonic() + 120
    while not os.path.exists(path):
        if time.monotonic() > deadline:
            raise SystemExit('nobody made the mark ' + name)
        time.sleep(0.01)

'''

# Kept from the environment of pytest, so that instrumented builds can report.
PASSED_ON = ('ASAN_OPTIONS', 'UBSAN_OPTIONS', 'TSAN_OPTIONS', 'LSAN_OPTIONS', 'LLVM_PROFILE_FILE')


def skip_loudly(reason):
    """Skip, unless STUDIO_NO_SKIP asks that everything be checked: then fail."""
    if os.environ.get('STUDIO_NO_SKIP'):
        pytest.fail('cannot be checked here: ' + reason)
    pytest.skip(reason)


def wait_until(condition, timeout=TIMEOUT, what=None):
    """Poll until condition() is true and return what it gave; fail at the deadline."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            pytest.fail('waited %s s in vain for %s' % (timeout, what or condition.__name__))
        time.sleep(0.01)


def alive(pid):
    """Whether a process runs; a zombie does not."""
    try:
        with open('/proc/%d/stat' % pid) as stream:
            return stream.read().rpartition(')')[2].split()[0] not in ('Z', 'X')
    except (FileNotFoundError, ProcessLookupError):
        return False


@dataclasses.dataclass
class Result:
    command: list
    code: int
    stdout: bytes
    stderr: bytes

    @property
    def out(self):
        return self.stdout.decode('utf-8', 'surrogateescape')

    @property
    def err(self):
        return self.stderr.decode('utf-8', 'surrogateescape')

    def told(self):
        return '\n$ studio %s\nexit code %s\nstdout: %r\nstderr: %s' % (
            ' '.join(map(repr, self.command)), self.code, self.stdout[-2000:], self.err[-4000:])


class Process:
    """A studio command in the background; its output is collected all the time."""

    def __init__(self, popen, command, drain=True):
        self.popen = popen
        self.command = command
        self.pid = popen.pid
        self._output = {'stdout': bytearray(), 'stderr': bytearray()}
        self._readers = []
        for name in ('stdout', 'stderr') if drain else ():
            pipe = getattr(popen, name)
            if pipe is not None:
                self._readers.append(threading.Thread(
                    target=self._read, args=(pipe, self._output[name]), daemon=True))
                self._readers[-1].start()

    @staticmethod
    def _read(pipe, into):
        with contextlib.suppress(OSError, ValueError):
            while True:
                block = os.read(pipe.fileno(), 65536)
                if not block:
                    return
                into.extend(block)

    @property
    def stdout(self):
        return bytes(self._output['stdout'])

    @property
    def stderr(self):
        return bytes(self._output['stderr'])

    @property
    def running(self):
        return self.popen.poll() is None

    def signal(self, number):
        """Send to studio alone, not to its script."""
        self.popen.send_signal(number)

    def wait_output(self, text):
        """Until studio's standard output holds these bytes."""
        wait_until(lambda: text in self.stdout or not self.running, what='%r on stdout' % text)
        assert text in self.stdout, 'studio ended without it: %s' % self.wait(None).told()

    def wait(self, check_code=0, timeout=TIMEOUT):
        try:
            self.popen.wait(timeout)
        except subprocess.TimeoutExpired:
            pytest.fail('studio did not end: %r\n%s' % (self.command, self.stderr.decode('utf-8', 'replace')))
        for reader in self._readers:
            reader.join(timeout)
        result = Result(self.command, self.popen.returncode, self.stdout, self.stderr)
        check(result, check_code)
        return result


def check(result, check_code):
    """Fail with the whole story unless the exit code is the one expected (None: any)."""
    if check_code is not None:
        expected = check_code if isinstance(check_code, tuple) else (check_code,)
        assert result.code in expected, 'expected exit code %s%s' % (check_code, result.told())
    for sign in ('terminate called', 'Traceback (most recent', 'AddressSanitizer', 'runtime error:',
                 'ThreadSanitizer'):
        assert sign not in result.err, 'studio broke down' + result.told()


class Sandbox:
    def __init__(self, binary, unprivileged=False):
        """unprivileged: as root, every command runs as an ordinary user."""
        self.root = pathlib.Path(tempfile.mkdtemp(prefix='studio-test-'))
        self.home = self.root / 'hömé dir'
        self.workspace = self.home / 'work space'
        self.marks = self.root / 'marks'
        self.studio_home = self.home / '.studioml'
        self.binary = str(binary)
        self._prefix = []
        self._processes = []
        for directory in (self.home, self.workspace, self.marks):
            directory.mkdir()
        if unprivileged and os.geteuid() == 0:
            try:
                self._become_unprivileged()
            except BaseException:
                remove_tree(self.root)
                raise

    def _become_unprivileged(self):
        setpriv = shutil.which('setpriv')
        if setpriv is None:
            skip_loudly('root without setpriv: cannot run as an ordinary user')
        self._prefix = [setpriv, '--reuid=65534', '--regid=65534', '--clear-groups']
        own_binary = self.root / 'studio'
        shutil.copy(self.binary, own_binary)
        self.binary = str(own_binary)
        self.root.chmod(0o755)
        self.own(self.root)
        probe = subprocess.run(self._prefix + [self.binary, '--version'], capture_output=True)
        if probe.returncode != 0:
            skip_loudly('an ordinary user cannot run studio here: %r' % probe.stderr)

    def own(self, path):
        """Give a tree made by the test to the user that the commands run as."""
        if self._prefix:
            os.lchown(path, 65534, 65534)
            for directory, names, files in os.walk(path):
                for name in names + files:
                    os.lchown(os.path.join(directory, name), 65534, 65534)

    # The commands

    def environment(self, changes=None):
        result = {
            'HOME': str(self.home),
            'PATH': '/usr/bin:/bin:/usr/sbin:/sbin',
            'LANG': 'C.UTF-8',
            'TEST_MARKS': str(self.marks),
            'TEST_STUDIO': self.binary,
        }
        result.update((name, os.environ[name]) for name in PASSED_ON if name in os.environ)
        for name, value in (changes or {}).items():
            if value is None:
                result.pop(name, None)
            else:
                result[name] = str(value)
        return result

    def start(self, *args, env=None, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, drain=True,
              cwd=None):
        """Start a command in the background. It never outlives the test."""
        command = [os.fspath(arg) for arg in args]
        popen = subprocess.Popen(
            self._prefix + [self.binary] + command, cwd=cwd or self.workspace, env=self.environment(env),
            stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, start_new_session=True)
        process = Process(popen, command, drain)
        self._processes.append(process)
        return process

    def run(self, *args, check_code=0, input=None, env=None, timeout=TIMEOUT, cwd=None):
        """Run a command to its end."""
        process = self.start(*args, env=env, cwd=cwd,
                             stdin=subprocess.DEVNULL if input is None else subprocess.PIPE)
        if input is not None:
            writer = threading.Thread(target=self._feed, args=(process.popen.stdin, input), daemon=True)
            writer.start()
        return process.wait(check_code, timeout)

    @staticmethod
    def _feed(pipe, data):
        with contextlib.suppress(BrokenPipeError), pipe:
            pipe.write(data)

    def json(self, *args, **options):
        """Run a command with --json: standard output must be one JSON document and nothing else."""
        result = self.run(*args, '--json', **options)
        try:
            return json.loads(result.stdout.decode('utf-8'))
        except ValueError as error:
            pytest.fail('not JSON (%s)%s' % (error, result.told()))

    def fails(self, code, *args, tells=(), env=None, timeout=TIMEOUT, cwd=None):
        """Run a command that must be refused in the documented form, naming each of `tells`."""
        result = self.run(*args, check_code=code, env=env, timeout=timeout, cwd=cwd)
        assert result.stdout == b'', 'an error is no data for standard output' + result.told()
        lines = result.err.splitlines()
        errors = [n for n, line in enumerate(lines) if line.startswith('studio: error: ')]
        assert len(errors) == 1, 'expected one line "studio: error: …"' + result.told()
        after = lines[errors[0] + 1:]
        assert not after or len(after) == 1 and after[0].startswith('hint: '), \
            'at most one "hint: …" line may follow the error' + result.told()
        for fact in tells:
            assert fact in result.err, 'the message does not tell %r%s' % (fact, result.told())
        return result

    # What lies in the sandbox

    def write_script(self, name, text):
        """Write a script into the workspace; with mark() and wait_for() if it uses them."""
        text = textwrap.dedent(text).lstrip('\n')
        if 'mark(' in text or 'wait_for(' in text:
            text = PRELUDE + text
        path = self.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        if not name.endswith('.py'):
            path.chmod(0o755)
        self.own(path)
        return path

    def write(self, path, content):
        """Write a file below the home directory, with the directories above it."""
        path = self.home / path
        made = next((p for p in reversed(path.parents) if not p.exists()), path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        self.own(made)
        return path

    def configure(self, text):
        """Write the user's config.yaml."""
        return self.write('.studioml/config.yaml', textwrap.dedent(text))

    def mark(self, name):
        (self.marks / name).touch()

    def wait_mark(self, name):
        """Wait for a mark of the script; returns its text."""
        wait_until((self.marks / name).exists, what='the mark %r of the script' % name)
        return (self.marks / name).read_text()

    # Questions asked all the time

    def cat(self, reference, path=None):
        """The content of a captured file, or None while there is no such thing."""
        result = self.run('artifacts', 'cat', reference, *([path] if path else []), check_code=None)
        return result.stdout if result.code == 0 else None

    def log(self, artifact):
        """Its versions, oldest first; none while there is no such artifact."""
        result = self.run('artifacts', 'log', artifact, '--json', check_code=None)
        return json.loads(result.stdout)['versions'][::-1] if result.code == 0 else []

    def paths(self, reference):
        """The paths of all entries of a version."""
        listing = self.json('artifacts', 'files', reference, '-R')
        return {entry['path'] for entry in listing['entries']}

    def show(self, key, *args):
        return self.json('runs', 'show', key, *args)

    def status(self, key):
        result = self.run('runs', 'show', key, '--json', check_code=None)
        return json.loads(result.stdout)['status'] if result.code == 0 else None

    def runs(self, *args):
        return self.json('runs', 'list', *args)['runs']

    def close(self):
        """End every process that was started here, scripts and their children included."""
        for process in self._processes:
            if process.running:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.killpg(process.pid, signal.SIGKILL)
            process.popen.wait()
        deadline = time.monotonic() + 10
        while True:
            leftover = list(self._strays())
            if not leftover or time.monotonic() > deadline:
                break
            for pid in leftover:
                with contextlib.suppress(ProcessLookupError, PermissionError):
                    os.kill(pid, signal.SIGKILL)
            time.sleep(0.01)
        for process in self._processes:
            for pipe in (process.popen.stdin, process.popen.stdout, process.popen.stderr):
                if pipe is not None:
                    with contextlib.suppress(OSError):
                        pipe.close()
        remove_tree(self.root)
        assert not leftover, 'processes of the test could not be ended: %s' % leftover

    def _strays(self):
        """Processes that carry this sandbox in their environment, in whatever session they are."""
        sign = b'TEST_MARKS=' + os.fsencode(self.marks) + b'\0'
        for name in os.listdir('/proc'):
            if name.isdigit() and int(name) != os.getpid():
                with contextlib.suppress(OSError):
                    with open('/proc/%s/environ' % name, 'rb') as stream:
                        found = sign in stream.read()
                    if found and alive(int(name)):
                        yield int(name)


def events_in(response):
    """Server-Sent Events, one (name, id, data) after the other."""
    event = {}
    for line in iter(response.readline, b''):
        line = line.decode().rstrip('\n')
        if line.startswith(':'):
            continue
        if not line and event:
            yield event['event'], int(event['id']), json.loads(event['data'])
            event = {}
        elif line:
            name, value = line.split(': ', 1)
            event[name] = value


def remove_tree(root):
    """Remove a tree that may hold directories without any permission."""
    with contextlib.suppress(OSError):
        os.chmod(root, 0o700)
    for directory, names, _ in os.walk(root):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path):
                with contextlib.suppress(OSError):
                    os.chmod(path, 0o700)
    shutil.rmtree(root, ignore_errors=True)


def login_name():
    return pwd.getpwuid(os.getuid()).pw_name


def is_utc(text):
    """Whether a time is ISO 8601 in UTC."""
    return re.fullmatch(r'\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)', text) is not None
