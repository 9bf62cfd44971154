"""Full disks and missing permissions: the script is undisturbed, and the user is told."""

import contextlib
import os
import re
import subprocess

import pytest

from harness import skip_loudly, wait_until
from oracle import random_bytes


@pytest.fixture
def small_disk(sandbox):
    """Studio's home on a disk of 8 MB."""
    sandbox.studio_home.mkdir()
    if os.geteuid() != 0:
        skip_loudly('only root can mount a small file system')
    mounted = subprocess.run(['mount', '-t', 'tmpfs', '-o', 'size=8m', 'none', sandbox.studio_home], capture_output=True)
    if mounted.returncode != 0:
        skip_loudly('a small file system cannot be mounted: %r' % mounted.stderr)
    yield sandbox
    subprocess.run(['umount', '-l', sandbox.studio_home], check=True)


FULL = re.compile(rb'no space|disk.{0,20}full|ENOSPC', re.IGNORECASE)


def assert_told_of_full_disk(result):
    assert FULL.search(result.stderr), 'the message tells of the full disk' + result.told()


def test_a_disk_that_fills_during_the_run_disturbs_no_script(small_disk):
    sandbox = small_disk
    sandbox.configure('saveWorkspaceFrequency: 200ms\n')
    sandbox.write_script('early.py', '''
        import os
        open(os.path.expanduser('~/out/x'), 'w').write('early')
    ''')
    sandbox.run('run', '-e', 'early', '-c', '~/out:out', 'early.py')
    sandbox.write_script('train.py', '''
        print('before', flush=True)
        with open(os.path.expanduser('~/out/x'), 'wb') as stream:
            stream.write(os.urandom(20 << 20))
        wait_for('go on')
        print('after', flush=True)
        sys.exit(7)
    ''')
    run = sandbox.start('run', '-e', 'late', '-c', '~/out:out', 'train.py')
    wait_until(lambda: FULL.search(run.stderr), what='a warning of the full disk')
    assert run.running, 'the script goes on'
    sandbox.mark('go on')
    result = run.wait(7)
    assert result.stdout == b'before\nafter\n', result.told()
    assert_told_of_full_disk(result)
    assert sandbox.cat('early/out', 'x') == b'early', 'old versions are readable'
    assert sandbox.json('store', 'verify')['ok']
    record = sandbox.show('late')
    assert record['exit_code'] == 7 and record['status'] == 'failed', record


def test_once_there_is_room_again_runs_capture_again(small_disk):
    sandbox = small_disk
    sandbox.write('data/x', os.urandom(20 << 20))
    sandbox.write_script('train.py', 'print("ran")')
    result = sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py', check_code=255)
    assert_told_of_full_disk(result)
    assert result.stdout == b'', 'what must be captured before the start was not, so there is no start'
    small = random_bytes(1 << 20)
    (sandbox.home / 'data/x').write_bytes(small)
    assert sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py').out == 'ran\n', \
        'the failed capture left its room to others'
    assert sandbox.cat('exp/data', 'x') == small
    assert sandbox.json('store', 'verify')['ok']


def test_a_full_disk_at_the_start_is_one_clear_error(small_disk):
    sandbox = small_disk
    with open(sandbox.studio_home / 'ballast', 'wb', buffering=0) as stream, contextlib.suppress(OSError):
        while True:
            stream.write(bytes(4096))
    sandbox.write_script('train.py', 'open("started", "w")')
    result = sandbox.fails(255, 'run', 'train.py')
    assert_told_of_full_disk(result)
    assert not (sandbox.workspace / 'started').exists()


def test_restoring_to_a_full_disk_leaves_nothing(small_disk):
    sandbox = small_disk
    other_home = {'STUDIOML_HOME': sandbox.root / 'roomy'}
    sandbox.write('data/a', random_bytes(1000))
    sandbox.write('data/x', random_bytes(20 << 20))
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py', env=other_home)
    destination = sandbox.studio_home / 'got'  # any place on the small disk
    result = sandbox.fails(255, 'artifacts', 'get', 'exp/data', destination, env=other_home)
    assert_told_of_full_disk(result)
    assert os.listdir(sandbox.studio_home) == [], 'no half of it, and no temporary files'


def test_an_unreadable_file_is_left_out_and_the_version_says_so(unprivileged):
    sandbox = unprivileged
    sandbox.write('data/readable', 'here')
    sandbox.write('data/sub/unreadable', 'not for you').chmod(0)
    sandbox.write('data/locked/inside', 'not for you either')
    (sandbox.home / 'data/locked').chmod(0)
    sandbox.write_script('train.py', 'print("ran")')
    result = sandbox.run('run', '-e', 'exp', '-co', '~/data:once', '-c', '~/data:always', 'train.py')
    assert result.out == 'ran\n'
    assert re.search('unreadable|not be read|cannot|denied|incomplete|not complete', result.err), \
        'the user is told at once' + result.told()
    for tag in ('once', 'always'):
        version = sandbox.log('exp/' + tag)[-1]
        assert version['complete'] is False
        problems = {problem['path']: problem['problem'] for problem in version['problems']}
        assert {'sub/unreadable', 'locked'} <= set(problems), problems
        assert sandbox.cat('exp/' + tag, 'readable') == b'here', 'the rest is captured'
        listed = next(a for a in sandbox.json('artifacts', 'list', 'exp')['artifacts'] if a['tag'] == tag)
        assert listed['complete'] is False
    (sandbox.home / 'data/locked').chmod(0o755)


def test_a_file_that_becomes_unreadable_keeps_its_earlier_versions(unprivileged):
    sandbox = unprivileged
    path = sandbox.write('data/x', 'once readable')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    path.chmod(0)
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    assert sandbox.cat('exp/data@v0', 'x') == b'once readable'
    assert sandbox.log('exp/data')[0]['complete'] is True


def test_everything_works_for_an_ordinary_user(unprivileged):
    sandbox = unprivileged
    sandbox.configure('stopGracePeriod: 5s\n')
    sandbox.write('data/x', random_bytes(100_000))
    sandbox.write_script('train.py', '''
        from studio import fs_tracker
        open(os.path.join(fs_tracker.get_artifact('out'), 'x'), 'w').write('done')
        mark('started')
        wait_for('never')
    ''')
    run = sandbox.start('run', '-e', 'exp', '-co', '~/data:data', '-c', '~/out:out', 'train.py')
    sandbox.wait_mark('started')
    sandbox.run('runs', 'stop', 'exp')
    run.wait(None)
    assert sandbox.status('exp') == 'stopped'
    assert sandbox.cat('exp/out', 'x') == b'done'
    sandbox.run('artifacts', 'get', 'exp/data', 'got')
    assert (sandbox.workspace / 'got/x').read_bytes() == random_bytes(100_000)
    assert sandbox.json('store', 'verify')['ok']


def test_what_studio_keeps_is_for_its_user_alone(sandbox):
    """Content of private files must not become readable by others through the store."""
    sandbox.write('data/x', 'private').chmod(0o600)
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    walled = not os.stat(sandbox.studio_home).st_mode & 0o077
    open_files = [p for p in sandbox.studio_home.rglob('*') if p.is_file() and os.stat(p).st_mode & 0o004]
    assert walled or not open_files, 'others can read %r' % open_files[:3]


def test_a_home_that_cannot_be_written_is_one_clear_error(unprivileged):
    sandbox = unprivileged
    sandbox.studio_home.mkdir()
    sandbox.own(sandbox.studio_home)
    sandbox.studio_home.chmod(0o555)
    sandbox.write_script('train.py', 'open("started", "w")')
    sandbox.fails(255, 'run', 'train.py', tells=['.studioml'])
    assert not (sandbox.workspace / 'started').exists()


def test_a_destination_that_cannot_be_written_is_one_clear_error(unprivileged):
    sandbox = unprivileged
    sandbox.write('data/x', 'x')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    locked = sandbox.home / 'locked'
    locked.mkdir()
    sandbox.own(locked)
    locked.chmod(0o555)
    sandbox.fails((254, 255), 'artifacts', 'get', 'exp/data', locked / 'got', tells=['locked'])
    assert os.listdir(locked) == []
