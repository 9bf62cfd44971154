"""The cache of reused artifacts under blobcache/: shared by all runs, and safe to delete at any time."""

import os
import shutil

import pytest

from harness import remove_tree
from oracle import contents, make_nasty_tree, random_bytes, snapshot, walk


@pytest.fixture
def stored(sandbox):
    """An experiment with a directory of three files."""
    for name, size in (('a', 3), ('sub/b', 300_000), ('sub/c', 100)):
        sandbox.write('weights/' + name, random_bytes(size, name))
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'one', '-co', '~/weights:weights', 'train.py')
    sandbox.write_script('where.py', "from studio import fs_tracker; print(fs_tracker.get_artifact('w'))")
    return sandbox


def fetch(sandbox):
    """Reuse the artifact; returns where the script found it."""
    return sandbox.run('run', '-r', 'one/weights:w', 'where.py').out.rstrip('\n')


def assert_whole(sandbox, path):
    assert contents(path) == contents(sandbox.home / 'weights'), 'the cache holds the artifact, whole'


def test_R22_reused_artifacts_are_cached_under_blobcache(stored):
    path = fetch(stored)
    assert path.startswith('%s/' % (stored.studio_home / 'blobcache')), path
    assert_whole(stored, path)


def test_R22_a_second_use_transfers_nothing(stored):
    path = fetch(stored)

    def identity():
        return {name: (status.st_ino, status.st_mtime_ns) for name, status in walk(os.fsencode(path))}

    before = identity()
    assert fetch(stored) == path, 'two runs share one copy'
    assert identity() == before, 'the same files, not written again'


def test_R22_the_cached_files_are_read_only(stored):
    path = fetch(stored)
    writable = [p for p, entry in snapshot(path).items() if entry.mode & 0o222 and entry.kind != 'symlink']
    assert not writable, 'nobody has write permission: %r' % writable


def test_R22_a_tree_with_everything_in_it_is_cached_whole(sandbox):
    make_nasty_tree(sandbox.home / 'nasty')
    sandbox.write_script('train.py', '')
    sandbox.write_script('where.py', "from studio import fs_tracker; print(fs_tracker.get_artifact('w'))")
    sandbox.run('run', '-e', 'one', '-co', '~/nasty:nasty', 'train.py')
    path = sandbox.run('run', '-r', 'one/nasty:w', 'where.py').out.rstrip('\n')
    expected, actual = snapshot(sandbox.home / 'nasty'), snapshot(path)
    assert {p: (e.kind, e.size, e.digest, e.target) for p, e in actual.items()} == \
        {p: (e.kind, e.size, e.digest, e.target) for p, e in expected.items()}


def wipe_all(cache, path):
    remove_tree(cache)


def wipe_content(cache, path):
    for entry in list(cache.iterdir()):
        remove_tree(entry) if entry.is_dir() else entry.unlink()


def wipe_one_file(cache, path):
    os.chmod(os.path.join(path, 'sub'), 0o755)
    os.remove(os.path.join(path, 'sub/b'))


def wipe_a_directory(cache, path):
    os.chmod(path, 0o755)
    remove_tree(os.path.join(path, 'sub'))


def cut_a_file(cache, path):
    victim = os.path.join(path, 'sub/b')
    os.chmod(victim, 0o644)
    os.truncate(victim, 1000)


def leave_rubbish(cache, path):
    for entry in list(cache.iterdir()):
        (cache / ('half-%s.tmp' % entry.name)).mkdir()
    remove_tree(path)


@pytest.mark.parametrize('wipe', [wipe_all, wipe_content, wipe_one_file, wipe_a_directory, cut_a_file, leave_rubbish])
def test_R23_the_cache_may_be_wiped_at_any_time(stored, wipe):
    path = fetch(stored)
    wipe(stored.studio_home / 'blobcache', path)
    assert_whole(stored, fetch(stored))
    assert_whole(stored, fetch(stored))


def test_a_cache_entry_made_by_another_is_not_trusted(stored):
    """An empty directory at the place of the entry is no artifact."""
    path = fetch(stored)
    entry = stored.studio_home / 'blobcache' / os.path.relpath(path, stored.studio_home / 'blobcache').split('/')[0]
    remove_tree(entry)
    entry.mkdir()
    assert_whole(stored, fetch(stored))


def test_two_runs_that_fetch_at_once_both_succeed(stored):
    runs = [stored.start('run', '-r', 'one/weights:w', 'where.py') for _ in range(4)]
    paths = {run.wait().out.rstrip('\n') for run in runs}
    assert len(paths) == 1, 'they share one copy: %r' % paths
    assert_whole(stored, paths.pop())
    assert_whole(stored, fetch(stored))


def test_a_run_keeps_what_it_has_when_the_cache_is_wiped_under_it(stored):
    """The run may miss its files then, but neither Studio nor the store takes harm."""
    stored.write_script('slow.py', "mark('started')\nwait_for('wiped')\nprint('went on')\n")
    run = stored.start('run', '-r', 'one/weights:w', 'slow.py')
    stored.wait_mark('started')
    remove_tree(stored.studio_home / 'blobcache')
    stored.mark('wiped')
    assert run.wait().out == 'went on\n'
    assert stored.json('store', 'verify')['ok']
    assert_whole(stored, fetch(stored))


def test_the_cache_is_shared_by_experiments_with_the_same_content(stored):
    shutil.copytree(stored.home / 'weights', stored.home / 'copy', copy_function=shutil.copy2)
    stored.run('run', '-e', 'two', '-co', '~/copy:weights', 'train.py')
    fetch(stored)
    result = stored.run('run', '-r', 'two/weights:w', 'where.py')
    assert_whole(stored, result.out.rstrip('\n'))
