"""What is captured comes back exactly: content, names, modes, times, links and holes."""

import os
import shutil
import socket
import subprocess

import pytest

from oracle import (MTIME_NS, as_in_tar, assert_same, assert_same_tree, contents, make_nasty_tree, open_tar,
                    random_bytes, snapshot, tar_snapshot, text_bytes)


@pytest.fixture(scope='module')
def nasty(shared_sandbox):
    """A captured tree with one of everything."""
    make_nasty_tree(shared_sandbox.home / 'nasty')
    shared_sandbox.write_script('train.py', '')
    shared_sandbox.run('run', '-e', 'exp', '-co', '~/nasty:nasty', 'train.py')
    return shared_sandbox


@pytest.fixture
def destination(nasty, request):
    path = nasty.root / request.node.name
    yield path
    if path.is_dir():
        subprocess.run(['chmod', '-R', 'u+rwx', path], check=True)
        shutil.rmtree(path)


def test_a_nasty_tree_comes_back_exactly(nasty, destination):
    nasty.run('artifacts', 'get', 'exp/nasty', destination)
    assert_same_tree(nasty.home / 'nasty', destination)


def test_the_source_itself_is_left_as_it_was(nasty):
    assert os.stat(nasty.home / 'nasty/read-only').st_mode & 0o777 == 0o555
    stamps = {entry.modified_ns for entry in snapshot(nasty.home / 'nasty').values()}
    assert min(stamps) == MTIME_NS, 'no modification time was touched'


def test_holes_come_back_as_holes(nasty, destination):
    source = os.stat(nasty.home / 'nasty/sparse')
    assert source.st_blocks * 512 < source.st_size / 4, 'the file system keeps holes'
    nasty.run('artifacts', 'get', 'exp/nasty', destination)
    restored = os.stat(destination / 'sparse')
    assert restored.st_blocks * 512 < source.st_size / 4, 'the restored file is sparse'


def test_get_into_an_empty_directory(nasty, destination):
    destination.mkdir()
    nasty.run('artifacts', 'get', 'exp/nasty@v0', destination)
    assert_same_tree(nasty.home / 'nasty', destination)


def test_get_does_not_write_into_what_is_there(nasty, destination):
    destination.mkdir()
    (destination / 'mine').write_text('mine')
    before = snapshot(destination)
    nasty.fails((254, 255), 'artifacts', 'get', 'exp/nasty', destination, tells=[destination.name])
    assert_same(before, snapshot(destination))


def test_get_below_a_missing_directory_is_no_disaster(nasty):
    result = nasty.run('artifacts', 'get', 'exp/nasty', 'no/such/parent', check_code=None)
    assert result.code in (0, 254, 255)
    if result.code == 0:
        assert_same_tree(nasty.home / 'nasty', nasty.workspace / 'no/such/parent')


def test_get_leaves_nothing_else_behind(nasty, destination):
    destination.mkdir()
    nasty.run('artifacts', 'get', 'exp/nasty', destination / 'sub')
    assert os.listdir(destination) == ['sub']


def test_get_tells_what_it_did(nasty, destination):
    result = nasty.json('artifacts', 'get', 'exp/nasty', destination)
    version = nasty.log('exp/nasty')[-1]
    assert result == {'version': 'v0', 'path': str(destination), 'files': version['files'], 'bytes': version['bytes']}


def test_cat_gives_each_file_byte_for_byte(nasty):
    for path in ('empty', 'one', 'data/random-300k', 'data/random-5m', 'data/text-2m', 'data/zeros-1m', 'sparse',
                 'links/second', os.fsdecode(b'names/bad\xff\xfeutf8'), 'names/new\nline'):
        with open(nasty.home / 'nasty' / path, 'rb') as stream:
            assert nasty.run('artifacts', 'cat', 'exp/nasty', path).stdout == stream.read(), path


@pytest.mark.parametrize('path', ['links/dangling', 'links/loop', 'fifo', 'data'])
def test_cat_of_what_has_no_bytes_is_refused(nasty, path):
    nasty.fails(254, 'artifacts', 'cat', 'exp/nasty', path, tells=[path])


def test_R05_an_artifact_is_exported_as_a_tar_gz_archive(nasty):
    data = nasty.run('artifacts', 'tar', 'exp/nasty').stdout
    assert data[:2] == b'\x1f\x8b', 'it is gzipped'
    assert_same(as_in_tar(snapshot(nasty.home / 'nasty')), tar_snapshot(data, b'nasty'))


def test_R05_the_same_version_gives_the_same_bytes(nasty):
    for flags in ([], ['--no-gzip']):
        first = nasty.run('artifacts', 'tar', 'exp/nasty', *flags).stdout
        assert first == nasty.run('artifacts', 'tar', 'exp/nasty@v0', *flags).stdout


def test_R05_without_gzip_it_is_a_plain_archive_of_the_same(nasty):
    data = nasty.run('artifacts', 'tar', 'exp/nasty', '--no-gzip').stdout
    assert data[257:262] == b'ustar', 'tar without compression'
    assert tar_snapshot(data, b'nasty') == tar_snapshot(nasty.run('artifacts', 'tar', 'exp/nasty').stdout, b'nasty')


def test_R05_system_tar_unpacks_it_with_times_and_links(nasty, destination):
    destination.mkdir()
    data = nasty.run('artifacts', 'tar', 'exp/nasty').stdout
    subprocess.run(['tar', '-xzpf', '-', '-C', destination], input=data, check=True, env={'LC_ALL': 'C.UTF-8'})
    assert_same_tree(nasty.home / 'nasty', destination / 'nasty')


def test_R05_a_file_artifact_is_an_archive_of_one_file(sandbox):
    sandbox.write('words.txt', 'one two')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/words.txt:words', 'train.py')
    with open_tar(sandbox.run('artifacts', 'tar', 'exp/words').stdout) as archive:
        members = archive.getmembers()
        files = [archive.extractfile(member).read() for member in members if member.isreg()]
    assert files == [b'one two'] and all(member.name.startswith('words') for member in members)


def test_a_socket_is_recorded_and_disturbs_nothing(sandbox):
    sandbox.write('data/x', 'x')
    listener = socket.socket(socket.AF_UNIX)
    here = os.getcwd()
    os.chdir(sandbox.home / 'data')  # the path of a socket must be short
    listener.bind('sock')
    os.chdir(here)
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    listener.close()
    entries = {e['name']: e['type'] for e in sandbox.json('artifacts', 'files', 'exp/data')['entries']}
    assert entries == {'x': 'file', 'sock': 'socket'}
    sandbox.run('artifacts', 'get', 'exp/data', 'got')
    assert contents(sandbox.workspace / 'got') == {b'x': b'x'}


def test_symlinks_are_never_followed_out_of_the_tree(sandbox):
    sandbox.write('secret/x', 'not asked for')
    (sandbox.home / 'data').mkdir()
    (sandbox.home / 'data/way-out').symlink_to(sandbox.home / 'secret')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    assert sandbox.paths('exp/data') == {'way-out'}
    sandbox.fails(254, 'artifacts', 'cat', 'exp/data', 'way-out/x')


@pytest.mark.parametrize('change', ['content', 'same size and time', 'mode', 'rename', 'file to directory', 'symlink'])
def test_each_kind_of_change_is_seen_by_the_next_capture(sandbox, change):
    """Also one that keeps size and modification time, as tools that restore times make it."""
    data = sandbox.write('data/x', 'aaaa').parent
    sandbox.write('data/y', 'y')
    os.symlink('x', data / 'link')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    before = os.stat(data / 'x')
    if change == 'content':
        (data / 'x').write_text('longer than it was')
    elif change == 'same size and time':
        (data / 'x').write_text('bbbb')
        os.utime(data / 'x', ns=(before.st_atime_ns, before.st_mtime_ns))
    elif change == 'mode':
        (data / 'x').chmod(0o600)
    elif change == 'rename':
        (data / 'x').rename(data / 'z')
    elif change == 'file to directory':
        (data / 'x').unlink()
        (data / 'x').mkdir()
    else:
        (data / 'link').unlink()
        os.symlink('y', data / 'link')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    assert [version['version'] for version in sandbox.log('exp/data')] == ['v0', 'v1']
    sandbox.run('artifacts', 'get', 'exp/data@latest', 'got')
    assert_same_tree(data, sandbox.workspace / 'got')


@pytest.mark.parametrize('size', [0, 1, 511, 4096, 65_535, 65_536, 65_537, 262_144, 1_048_577])
def test_sizes_around_limits_come_back(shared_sandbox, size):
    sandbox = shared_sandbox
    key = 'size-%d' % size
    sandbox.write(key + '/random', random_bytes(size, size))
    sandbox.write(key + '/text', text_bytes(size, size))
    sandbox.write(key + '/zeros', bytes(size))
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', key, '-co', '~/%s:data' % key, 'train.py')
    sandbox.run('artifacts', 'get', key + '/data', key)
    assert_same_tree(sandbox.home / key, sandbox.workspace / key)
