"""Odd but decided cases of PATH:TAG and of what a path names."""

import os
import re

import pytest

from harness import wait_until
from oracle import random_bytes, stored_size


@pytest.fixture
def scripted(sandbox):
    sandbox.write_script('train.py', 'print("ran")')
    sandbox.write('data/x', 'content')
    return sandbox


def captured_tags(sandbox, key='exp'):
    return {a['tag'] for a in sandbox.json('artifacts', 'list', key)['artifacts']} - \
        {'workspace', 'output', 'modeldir', 'tb'}


@pytest.mark.parametrize('value', ['~/data', '~/data/', '../data', '$HOME/data'])
def test_without_a_tag_it_is_the_last_component(scripted, value):
    scripted.run('run', '-e', 'exp', '--capture=' + value, 'train.py')
    assert captured_tags(scripted) == {'data'}
    assert scripted.cat('exp/data', 'x') == b'content'


@pytest.mark.parametrize('flag', ['--capture', '--capture-once'])
@pytest.mark.parametrize('value', ['~/my data', '~/dätä', '/', '~/data/..', '~/a+b'])
def test_without_a_tag_a_last_component_that_is_no_tag_is_a_usage_error(scripted, flag, value):
    for name in ('my data', 'dätä', 'a+b'):
        (scripted.home / name).mkdir()
    scripted.fails(254, 'run', flag, value, 'train.py', tells=[flag, 'PATH:TAG'])


def test_of_several_colons_the_last_begins_the_tag(scripted):
    scripted.write('a:b/x', 'colons')
    scripted.run('run', '-e', 'exp', '-co', '~/a:b:tag', 'train.py')
    assert captured_tags(scripted) == {'tag'} and scripted.cat('exp/tag', 'x') == b'colons'


@pytest.mark.parametrize('tag', ['d', 'D-9', 'a.b', '_x_', 'v1', '0', 'a' * 100])
def test_tags_of_letters_digits_and_three_signs_are_good(scripted, tag):
    scripted.run('run', '-e', 'exp', '-co', '~/data:' + tag, 'train.py')
    assert captured_tags(scripted) == {tag}
    assert scripted.cat('exp/' + tag, 'x') == b'content'


@pytest.mark.parametrize('flag', ['--capture', '--capture-once', '-c', '-co'])
@pytest.mark.parametrize('tag', ['', 'with space', 'slash/ed', 'ümlaut', 'per%cent', 'new\nline', '..', '.', 'a@v1', '$'])
def test_other_tags_are_usage_errors(scripted, flag, tag):
    result = scripted.fails(254, 'run', flag, '~/data:' + tag, 'train.py', tells=['PATH:TAG'])
    assert re.search(r'--capture|-c', result.err), 'the flag is named' + result.told()
    assert scripted.runs() == [], 'nothing was started'


def test_a_capture_path_missing_at_the_start_is_created_with_a_notice(scripted):
    scripted.write_script('fill.py', '''
        import os
        print(os.path.isdir(os.path.expanduser('~/deep/new/out')))
        open(os.path.expanduser('~/deep/new/out/x'), 'w').write('filled')
    ''')
    result = scripted.run('run', '-e', 'exp', '-c', '~/deep/new/out:out', 'fill.py')
    assert result.out == 'True\n', 'the directory is there before the script'
    assert str(scripted.home / 'deep/new/out') in result.err or '~/deep/new/out' in result.err, \
        'a notice tells of it' + result.told()
    assert scripted.cat('exp/out', 'x') == b'filled'


def test_an_artifact_with_nothing_in_it_is_a_valid_empty_version(scripted):
    scripted.run('run', '-e', 'exp', '-c', '~/none:none', 'train.py')
    versions = scripted.log('exp/none')
    assert len(versions) == 1
    assert (versions[0]['files'], versions[0]['bytes'], versions[0]['complete']) == (0, 0, True)
    assert scripted.paths('exp/none') == set()
    scripted.run('artifacts', 'get', 'exp/none', 'got')
    assert os.listdir(scripted.workspace / 'got') == []


@pytest.mark.parametrize('flag', ['--capture-once', '-co'])
def test_a_missing_capture_once_source_is_an_error_before_the_start(scripted, flag):
    scripted.write_script('started.py', 'open("started", "w")')
    result = scripted.fails(254, 'run', flag, '~/missing:m', 'started.py', tells=[str(scripted.home / 'missing')])
    assert re.search(r'--capture-once|-co\b', result.err), 'the flag is named' + result.told()
    assert not (scripted.workspace / 'started').exists(), 'the script may not start'
    assert not (scripted.home / 'missing').exists(), 'nothing is made in its place'


FIRST = [('-c', '~/data:t'), ('-co', '~/data:t'), ('-r', 'source/data:t')]


@pytest.mark.parametrize('second', FIRST, ids=['c', 'co', 'r'])
@pytest.mark.parametrize('first', FIRST, ids=['c', 'co', 'r'])
def test_the_same_tag_twice_is_a_usage_error(scripted, first, second):
    if '-r' in first + second:
        scripted.run('run', '-e', 'source', '-co', '~/data:data', 'train.py')
    result = scripted.fails(254, 'run', '-e', 'exp', *first, *second, 'train.py')
    assert re.search(r'\bt\b', result.err.replace('studio', '')), 'the tag is named' + result.told()
    assert 'exp' not in {run['key'] for run in scripted.runs()}


def test_a_default_tag_overridden_twice_is_a_usage_error(scripted):
    scripted.fails(254, 'run', '-c', '~/data:modeldir', '-c', '~/other:modeldir', 'train.py', tells=['modeldir'])


def test_a_path_that_is_a_file_is_an_artifact_of_one_file(scripted):
    scripted.write('words.txt', 'one two')
    scripted.write_script('read.py', '''
        import os
        from studio import fs_tracker
        path = fs_tracker.get_artifact('words')
        print(path == os.path.expanduser('~/words.txt'), open(path).read())
        open(path, 'a').write(' three')
    ''')
    result = scripted.run('run', '-e', 'exp', '-c', '~/words.txt:words', 'read.py')
    assert result.out == 'True one two\n', result.told()
    assert scripted.cat('exp/words') == b'one two three'
    artifact = next(a for a in scripted.json('artifacts', 'list', 'exp')['artifacts'] if a['tag'] == 'words')
    assert (artifact['kind'], artifact['files'], artifact['bytes']) == ('file', 1, 13)


def test_a_file_artifact_is_restored_under_the_name_asked_for(scripted):
    scripted.write('words.txt', 'one two').chmod(0o640)
    scripted.run('run', '-e', 'exp', '-co', '~/words.txt:words', 'train.py')
    scripted.run('artifacts', 'get', 'exp/words', 'copy.txt')
    assert (scripted.workspace / 'copy.txt').read_text() == 'one two'
    assert os.stat(scripted.workspace / 'copy.txt').st_mode & 0o777 == 0o640
    (scripted.workspace / 'folder').mkdir()
    scripted.run('artifacts', 'get', 'exp/words', 'folder')
    assert (scripted.workspace / 'folder/words.txt').read_text() == 'one two', 'into a directory under its own name'


def test_an_update_writes_only_what_differs(scripted):
    scripted.write('data/same', 'stays')
    scripted.write('data/sub/large', random_bytes(3_000_000))
    scripted.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    scripted.run('artifacts', 'get', 'exp/data', 'here')
    here = scripted.workspace / 'here'
    inode = os.stat(here / 'same').st_ino
    (here / 'sub/large').write_text('spoiled')
    (here / 'mine').write_text('no part of it')
    scripted.fails(254, 'artifacts', 'get', 'exp/data', 'here', tells=['is not empty'])
    scripted.run('artifacts', 'get', 'exp/data', 'here', '--update')
    assert (here / 'sub/large').read_bytes() == random_bytes(3_000_000)
    assert os.stat(here / 'same').st_ino == inode, 'not written again'
    scripted.run('artifacts', 'get', 'exp/data', 'new', '--update')
    new = set(os.listdir(scripted.workspace / 'new'))
    assert {'same', 'sub'} <= new, 'as without, if there is nothing yet'
    assert set(os.listdir(here)) == new | {'mine'}, 'what is no part of the version stays'


def test_an_update_of_what_may_not_be_written(unprivileged):
    unprivileged.write('data/d/x', b'one')
    unprivileged.write('data/top', b'two')
    unprivileged.write('words.txt', b'some words')
    unprivileged.write_script('train.py', 'pass\n')
    (unprivileged.home / 'data/d').chmod(0o555)
    (unprivileged.home / 'data').chmod(0o555)
    unprivileged.run('run', '-e', 'exp', '-co', '~/data:data', '-co', '~/words.txt:words', 'train.py')
    (unprivileged.home / 'data/d').chmod(0o755)
    (unprivileged.home / 'data').chmod(0o755)
    unprivileged.run('artifacts', 'get', 'exp/data', 'here')
    here = unprivileged.workspace / 'here'
    here.chmod(0o755)
    (here / 'd').chmod(0o755)
    (here / 'd/x').unlink()
    (here / 'top').unlink()
    (here / 'd').chmod(0o555)
    here.chmod(0o555)
    unprivileged.run('artifacts', 'get', 'exp/data', 'here', '--update')
    assert ((here / 'd/x').read_bytes(), (here / 'top').read_bytes()) == (b'one', b'two')
    assert (here.stat().st_mode & 0o777, (here / 'd').stat().st_mode & 0o777) == (0o555, 0o555)
    unprivileged.run('artifacts', 'get', 'exp/words', 'copy.txt')
    copy = unprivileged.workspace / 'copy.txt'
    mode, inode = copy.stat().st_mode, copy.stat().st_ino
    copy.chmod(0o400)
    unprivileged.run('artifacts', 'get', 'exp/words', 'copy.txt', '--update')
    assert (copy.stat().st_mode, copy.stat().st_ino) == (mode, inode), 'the mode is set, the file stays'


def test_an_update_of_a_file_replaces_it(scripted):
    scripted.write('words.txt', 'one two')
    scripted.run('run', '-e', 'exp', '-co', '~/words.txt:words', 'train.py')
    copy = scripted.workspace / 'copy.txt'
    copy.write_text('something longer')
    scripted.fails(254, 'artifacts', 'get', 'exp/words', 'copy.txt', tells=['is there already'])
    scripted.run('artifacts', 'get', 'exp/words', 'copy.txt', '--update')
    assert copy.read_text() == 'one two'
    inode = os.stat(copy).st_ino
    scripted.run('artifacts', 'get', 'exp/words', 'copy.txt', '--update')
    assert os.stat(copy).st_ino == inode, 'not written again'


def test_a_capture_inside_another_leaves_each_complete_and_stores_bytes_once(scripted):
    scripted.write('all/sub/big', random_bytes(3_000_000))
    scripted.write('all/other', 'o')
    scripted.run('run', '-e', 'exp', '-c', '~/all:all', '-c', '~/all/sub:sub', 'train.py')
    assert {'other', 'sub', 'sub/big'} == scripted.paths('exp/all') and {'big'} == scripted.paths('exp/sub')
    assert scripted.cat('exp/all', 'sub/big') == scripted.cat('exp/sub', 'big') == random_bytes(3_000_000)
    assert stored_size(scripted.studio_home / 'store') < 4_000_000, 'the bytes are stored once'


def test_a_workspace_that_holds_a_captured_path_is_complete_too(scripted):
    (scripted.workspace / 'out').mkdir()
    scripted.write_script('fill.py', 'import random; open("out/x", "wb").write(random.Random(0).randbytes(3_000_000))')
    scripted.run('run', '-e', 'exp', '-c', 'out:out', 'fill.py')
    assert scripted.cat('exp/workspace', 'out/x') == scripted.cat('exp/out', 'x') == random_bytes(3_000_000)
    assert stored_size(scripted.studio_home / 'store') < 4_000_000, 'the bytes are stored once'


def test_the_store_inside_a_captured_directory_is_left_out_with_a_notice(scripted):
    scripted.configure('saveWorkspaceFrequency: 100ms\n')
    scripted.write_script('busy.py', '''
        count = 0
        while not os.path.exists(os.environ['TEST_MARKS'] + '/enough'):
            count += 1
            open(os.path.expanduser('~/data/count'), 'w').write(str(count))
            time.sleep(0.02)
        wait_for('enough')
    ''')
    run = scripted.start('run', '-e', 'exp', '-c', '~:home', 'busy.py')
    wait_until(lambda: len(scripted.log('exp/home')) >= 4, what='four captures of the home directory')
    scripted.mark('enough')
    result = run.wait()
    assert re.search(r'store|\.studioml', result.err), 'a notice tells what is left out' + result.told()
    paths = scripted.paths('exp/home')
    assert 'data/x' in paths and 'work space/busy.py' in paths, 'the rest is there'
    assert not [p for p in paths if p.startswith('.studioml/store/')], 'the store is not'
    assert scripted.json('store', 'verify')['ok']


def test_a_store_inside_the_workspace_is_left_out_of_it(scripted):
    inside = {'STUDIOML_HOME': scripted.workspace / 'studio home'}
    scripted.run('run', '-e', 'exp', 'train.py', env=inside)
    listing = scripted.json('artifacts', 'files', 'exp/workspace', '-R', env=inside)
    paths = [entry['path'] for entry in listing['entries']]
    assert 'train.py' in paths and not [p for p in paths if p.startswith('studio home/store/')], paths


def test_the_same_path_under_two_tags_is_two_artifacts(scripted):
    scripted.run('run', '-e', 'exp', '-co', '~/data:a', '-c', '~/data:b', 'train.py')
    assert scripted.cat('exp/a', 'x') == scripted.cat('exp/b', 'x') == b'content'


def test_a_capture_of_a_symlink_to_a_directory_captures_the_directory(scripted):
    (scripted.home / 'link').symlink_to(scripted.home / 'data')
    scripted.run('run', '-e', 'exp', '-co', '~/link', 'train.py')
    assert scripted.cat('exp/link', 'x') == b'content'


def test_a_captured_directory_that_vanishes_fails_no_script(scripted):
    """What was captured before stays; the run ends with the script's code."""
    scripted.configure('saveWorkspaceFrequency: 100ms\n')
    scripted.write_script('vanish.py', '''
        import shutil
        wait_for('captured')
        shutil.rmtree(os.path.expanduser('~/data'))
        sys.exit(5)
    ''')
    run = scripted.start('run', '-e', 'exp', '-c', '~/data:data', 'vanish.py')
    wait_until(lambda: scripted.cat('exp/data', 'x'), what='a capture of the data')
    scripted.mark('captured')
    run.wait(5)
    assert b'content' in [scripted.cat('exp/data@' + v['version'], 'x') for v in scripted.log('exp/data')]


def test_the_database_is_never_captured(sandbox):
    sandbox.write('work space/.studioml.yaml', 'database:\n  path: records.db\n')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    sandbox.run('run', '-e', 'exp', 'train.py')
    names = {entry['name'] for entry in sandbox.json('artifacts', 'files', 'exp/workspace')['entries']}
    assert names == {'.studioml.yaml', 'train.py'}
    assert len(sandbox.log('exp/workspace')) == 1, 'a commit of the catalog is no change of the workspace'


def test_studios_own_home_is_no_workspace(sandbox):
    sandbox.studio_home.mkdir(exist_ok=True)
    sandbox.own(sandbox.studio_home)
    sandbox.fails((254, 255), 'run', '-e', 'exp', '--', 'true', cwd=sandbox.studio_home,
                  tells=["Studio's own", str(sandbox.studio_home)])


def test_R30_what_the_script_prints_is_kept_when_another_artifact_takes_the_tag_output(sandbox):
    sandbox.write('log/x', 'mine')
    sandbox.write_script('train.py', "print('printed')")
    for _ in range(3):
        sandbox.run('run', '-e', 'exp', '-c', '~/log:output', 'train.py')
    assert sandbox.cat('exp/output', 'x') == b'mine'
    for attempt in range(3):
        printed = sandbox.studio_home / ('experiments/exp/attempts/%d/output' % attempt)
        assert printed.read_text() == 'printed\n', 'it is in no version, so it stays where it was written'
