"""Files that change while they are captured are never torn without a mark."""

import re

import pytest

from harness import wait_until

SIZE = 256 * 1024

# Overwrites a file in place, generation after generation, front to back, and another by renaming a whole one over it.
WRITER = '''
    out = os.path.expanduser('~/out/')
    SIZE = %d
    in_place = os.open(out + 'in-place', os.O_RDWR | os.O_CREAT)
    os.write(in_place, bytes([0]) * SIZE)
    generation = 0
    while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
        generation = generation %% 250 + 1
        block = bytes([generation]) * 4096
        for offset in range(0, SIZE, len(block)):
            os.pwrite(in_place, block, offset)
        with open(out + '.whole.part', 'wb') as stream:
            stream.write(bytes([generation]) * SIZE)
        os.rename(out + '.whole.part', out + 'whole')
        mark('written')
    wait_for('enough')
''' % SIZE


def runs_of(content):
    """The bytes of a content and how often each follows itself: b'aab' gives [(97, 2), (98, 1)]."""
    return [(match.group()[0], len(match.group())) for match in re.finditer(rb'(.)\1*', content, re.DOTALL)]


def was_once_on_disk(content):
    """Whether the file in place ever held this: a generation, or the next one's beginning and the rest of it."""
    if len(content) != SIZE:
        return False
    runs = [value for value, _ in runs_of(content)]
    return len(runs) == 1 or len(runs) == 2 and runs[0] == runs[1] % 250 + 1


def test_the_oracle_knows_torn_from_whole():
    half = SIZE // 2
    assert was_once_on_disk(b'\7' * SIZE) and was_once_on_disk(b'\x08' * half + b'\7' * half)
    assert was_once_on_disk(b'\1' * 10 + b'\xfa' * (SIZE - 10)), 'generations wrap'
    assert not was_once_on_disk(b'\7' * half + b'\x08' * half), 'read before and after the writer'
    assert not was_once_on_disk(b'\x09' * half + b'\7' * half) and not was_once_on_disk(b'\7' * half)
    assert not was_once_on_disk(b'\x09' * 10 + b'\x08' * half + b'\7' * (half - 10))


@pytest.fixture(scope='module')
def rewritten(shared_sandbox):
    """All versions of a directory whose files were rewritten all the time."""
    sandbox = shared_sandbox
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    sandbox.write_script('train.py', WRITER)
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    wait_until(lambda: len(sandbox.log('exp/out')) >= 20, what='twenty captures')
    sandbox.mark('enough')
    run.wait()
    return sandbox


def test_no_version_holds_a_torn_file_unmarked(rewritten):
    versions = rewritten.log('exp/out')
    seen = 0
    for version in versions:
        marked = {problem['path'] for problem in version['problems']}
        assert marked or version['complete'], 'an incomplete version says what is wrong: %r' % version
        for path in ('in-place', 'whole'):
            content = rewritten.cat('exp/out@' + version['version'], path)
            if content is None or path in marked:
                continue
            seen += 1
            if path == 'whole':
                assert len(content) == SIZE and len(set(content)) == 1, \
                    'a renamed file is one or the other, in %s: %r' % (version['version'], runs_of(content)[:5])
            else:  # all zeros, or fewer, is what it was before the first generation
                assert was_once_on_disk(content) or set(content) <= {0}, \
                    'torn without a mark in %s: %r' % (version['version'], runs_of(content)[:5])
    assert seen >= 20, 'there was something to check'
    assert rewritten.json('store', 'verify')['ok']


def test_the_last_version_is_whole_once_the_writer_has_ended(rewritten):
    last = rewritten.log('exp/out')[-1]
    assert last['complete'] and last['problems'] == []
    for path in ('in-place', 'whole'):
        assert rewritten.cat('exp/out', path) == (rewritten.home / 'out' / path).read_bytes()


def test_a_log_that_only_grows_is_captured_as_a_beginning_of_itself(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    sandbox.write_script('train.py', '''
        count = 0
        with open(os.path.expanduser('~/out/log'), 'wb', buffering=0) as stream:
            while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
                stream.write(b'line %06d\\n' % count)
                count += 1
                time.sleep(0.0005)
        wait_for('enough')
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    wait_until(lambda: len(sandbox.log('exp/out')) >= 8, what='eight captures')
    sandbox.mark('enough')
    run.wait()
    whole = (sandbox.home / 'out/log').read_bytes()
    for version in sandbox.log('exp/out'):
        content = sandbox.cat('exp/out@' + version['version'], 'log')
        if content is not None and not version['problems']:
            assert whole.startswith(content), 'a beginning of the log, in ' + version['version']
    assert sandbox.cat('exp/out', 'log') == whole


def test_a_tree_that_is_rebuilt_all_the_time_fails_no_run(sandbox):
    """Files become directories, directories vanish in the middle of a walk."""
    sandbox.configure('saveWorkspaceFrequency: 50ms\n')
    sandbox.write_script('train.py', '''
        import shutil
        out = os.path.expanduser('~/out/')
        while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
            os.makedirs(out + 'a/b/c')
            for name in ('a/x', 'a/b/x', 'a/b/c/x'):
                open(out + name, 'w').write(name)
            os.mkfifo(out + 'swapped')
            os.remove(out + 'swapped')
            open(out + 'swapped', 'w').write('a file')
            os.remove(out + 'swapped')
            os.mkdir(out + 'swapped')
            os.rmdir(out + 'swapped')
            shutil.rmtree(out + 'a')
        wait_for('enough')
        open(out + 'last', 'w').write('last')
    ''')
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    wait_until(lambda: len(sandbox.log('exp/out')) >= 8, what='eight captures')
    sandbox.mark('enough')
    run.wait()
    assert sandbox.paths('exp/out') == {'last'}
    assert sandbox.json('store', 'verify')['ok']
    for version in sandbox.log('exp/out'):
        for path in ('a/x', 'a/b/x', 'a/b/c/x'):
            content = sandbox.cat('exp/out@' + version['version'], path)
            assert content in (None, b'', path.encode()), 'each file holds what was written to it'
