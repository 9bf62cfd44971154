"""runs list and the commands that look into versions: files, cat, diff."""

import json
import os
import sqlite3

import pytest

from harness import is_utc


@pytest.fixture(scope='module')
def several(shared_sandbox):
    """Runs a, b, c, d of two projects that ended in different ways, in this order."""
    sandbox = shared_sandbox
    sandbox.write_script('train.py', '''
        import os, sys
        if sys.argv[1] == 'kill':
            os.kill(os.getpid(), 9)
        sys.exit(int(sys.argv[1]))
    ''')
    endings = [('a', 'p', '0', 0), ('b', 'q', '1', 1), ('c', 'p', 'kill', 137), ('d', 'q', '0', 0)]
    for key, project, argument, code in endings:
        sandbox.run('run', '-e', key, '--project', project, 'train.py', argument, check_code=code)
    return sandbox


@pytest.mark.parametrize('flags, keys', [
    ([], 'dcba'), (['--project', 'p'], 'ca'), (['--project', 'none'], ''), (['--status', 'finished'], 'da'),
    (['--status', 'failed'], 'b'), (['--status', 'killed'], 'c'), (['--status', 'failed', '--status', 'killed'], 'cb'),
    (['--status', 'lost'], ''), (['--limit', '2'], 'dc'), (['--limit', '100'], 'dcba'),
    (['--project', 'q', '--status', 'finished', '--limit', '1'], 'd'), (['--status=finished', '--project=p'], 'a')],
    ids=lambda value: ' '.join(value) if isinstance(value, list) else '')
def test_runs_are_listed_newest_first_and_filtered(several, flags, keys):
    assert [run['key'] for run in several.runs(*flags)] == list(keys)


def test_without_a_limit_fifty_runs_are_listed(several):
    assert several.run('runs', 'list', '--help').out.find('50') >= 0


def test_a_rerun_is_the_newest_no_more_than_its_creation(several):
    """The list tells of the last attempt of each experiment."""
    run = next(run for run in several.runs() if run['key'] == 'c')
    assert (run['signal'], run['exit_code'], run['failure']) == ('SIGKILL', None, 'script')


@pytest.fixture(scope='module')
def versions(shared_sandbox):
    """data@v0 and data@v1 with one change of each kind; same@v0 and same@v1 differ in a time only."""
    sandbox = shared_sandbox
    data = sandbox.write('data/stays', 'stays').parent
    for name in ('goes', 'alters', 'mode', 'sub/inner', 'becomes'):
        sandbox.write('data/' + name, name)
    os.symlink('stays', data / 'link')
    sandbox.write_script('ok.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'ok.py')
    (data / 'goes').unlink()
    (data / 'alters').write_text('altered and longer')
    (data / 'mode').chmod(0o755)
    (data / 'comes').write_text('new')
    (data / 'becomes').unlink()
    (data / 'becomes').symlink_to('stays')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'ok.py')
    return sandbox


def test_diff_tells_each_kind_of_change(versions):
    document = versions.json('artifacts', 'diff', 'exp/data@v0', 'exp/data@v1', check_code=1)
    changes = {entry['path']: entry for entry in document['entries']}
    assert {path: entry['change'] for path, entry in changes.items()} == {
        'goes': 'removed', 'alters': 'modified', 'mode': 'mode', 'comes': 'added', 'becomes': 'modified'}
    assert (changes['alters']['old_size'], changes['alters']['new_size']) == (6, 18)
    assert (changes['goes']['old_size'], changes['goes']['new_size']) == (4, None)
    assert (changes['comes']['old_size'], changes['comes']['new_size']) == (None, 3)
    text = versions.run('artifacts', 'diff', 'exp/data@v0', 'exp/data@v1', check_code=1).out
    assert all(path in text for path in changes) and 'stays' not in text.replace('becomes', '')


def test_diff_of_equal_versions_is_empty_and_exits_with_0(versions):
    assert versions.json('artifacts', 'diff', 'exp/data@v0', 'exp/data@v0')['entries'] == []
    assert versions.run('artifacts', 'diff', 'exp/data@v1', 'exp/data@latest').stdout == b''


def test_diff_backwards_turns_added_and_removed_round(versions):
    document = versions.json('artifacts', 'diff', 'exp/data', 'exp/data@v0', check_code=1)
    changes = {entry['path']: entry['change'] for entry in document['entries']}
    assert (changes['goes'], changes['comes']) == ('added', 'removed')


def test_times_alone_are_no_difference(sandbox):
    path = sandbox.write('data/x', 'x')
    sandbox.write_script('train.py', '')
    for key in ('one', 'two'):
        sandbox.run('run', '-e', key, '-co', '~/data:data', 'train.py')
        os.utime(path, (1, 1))
    assert sandbox.json('artifacts', 'diff', 'one/data', 'two/data')['entries'] == []


def test_artifacts_of_different_experiments_can_be_compared(versions):
    versions.run('run', '-e', 'other', '-co', '~/data:mine', 'ok.py')
    assert versions.json('artifacts', 'diff', 'exp/data@v1', 'other/mine')['entries'] == []


def test_files_lists_a_directory_a_file_and_all(versions):
    def listed(*args):
        document = versions.json('artifacts', 'files', *args)
        return {entry['path']: entry for entry in document['entries']}

    top = listed('exp/data@v0')
    assert set(top) == {'stays', 'goes', 'alters', 'mode', 'sub', 'becomes', 'link'}
    assert (top['stays']['type'], top['stays']['mode'][-3:], top['stays']['size']) == ('file', '644', 5)
    assert (top['link']['type'], top['link']['target']) == ('symlink', 'stays')
    assert top['sub']['type'] == 'directory' and top['stays']['target'] is None
    assert all(is_utc(entry['modified']) for entry in top.values())
    assert set(listed('exp/data@v0', '-R')) == set(top) | {'sub/inner'}
    inner = listed('exp/data@v0', 'sub')
    assert set(inner) == {'sub/inner'} and inner['sub/inner']['name'] == 'inner'
    assert set(listed('exp/data@v0', 'sub/')) == set(listed('exp/data@v0', './sub')) == {'sub/inner'}
    assert set(listed('exp/data@v0', 'sub/inner')) == {'sub/inner'}, 'of a file it lists the file'


def test_files_prints_one_line_for_each_entry(versions):
    lines = versions.run('artifacts', 'files', 'exp/data@v0').out.splitlines()
    for name in ('stays', 'goes', 'alters', 'mode', 'sub', 'becomes'):
        assert any(line.endswith((name, name + '/')) for line in lines), name
    assert any('link' in line and 'stays' in line for line in lines), 'with the target of a symlink'


def test_cat_of_a_file_artifact_needs_no_path(versions):
    versions.write('words.txt', 'one\ntwo')
    versions.run('run', '-e', 'words', '-co', '~/words.txt:words', 'ok.py')
    assert versions.cat('words/words') == b'one\ntwo'
    versions.fails(254, 'artifacts', 'cat', 'exp/data', tells=['exp/data'])


def test_cat_of_each_version(versions):
    assert versions.cat('exp/data@v0', 'alters') == b'alters'
    assert versions.cat('exp/data@v1', 'alters') == versions.cat('exp/data', './alters') == b'altered and longer'
    versions.fails(254, 'artifacts', 'cat', 'exp/data@v1', 'goes', tells=['goes'])


def test_log_lists_newest_first(versions):
    listed = versions.json('artifacts', 'log', 'exp/data')['versions']
    assert [(v['version'], v['number'], v['attempt']) for v in listed] == [('v1', 1, 1), ('v0', 0, 0)]
    assert listed[0]['created'] >= listed[1]['created']


def damage_record(sandbox, key):
    with sqlite3.connect(sandbox.studio_home / 'studio.db') as database:
        database.execute('UPDATE experiments SET record = substr(record, 2) WHERE key = ?', (key,))
    database.close()


def test_a_damaged_record_is_told_and_the_others_are_listed(sandbox):
    sandbox.write_script('train.py', '')
    for key in ('a', 'bad-one', 'c'):
        sandbox.run('run', '-e', key, 'train.py')
    damage_record(sandbox, 'bad-one')
    for flags in ((), ('--json',)):
        result = sandbox.run('runs', 'list', *flags, check_code=255)
        assert "experiment 'bad-one'" in result.err and 'studio.db' in result.err
        assert result.err.count('studio: error: ') == 1
        assert 'bad-one' not in result.out
    assert [run['key'] for run in json.loads(result.out)['runs']] == ['c', 'a']
    assert sandbox.run('runs', 'list', '--limit', '1').err == '', 'nothing is wrong with what was asked for'
    # It stands in nobody's way, and is not taken for one that does not exist.
    sandbox.run('run', '-e', 'd', 'train.py')
    assert "experiment 'bad-one'" in sandbox.run('runs', 'show', 'bad', check_code=255).err
