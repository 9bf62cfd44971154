"""The JSON of every command has exactly the documented fields."""

import pytest

import fields


@pytest.fixture(scope='module')
def experiments(shared_sandbox):
    """Two experiments: one with captures of every mode and two attempts, and one that failed."""
    sandbox = shared_sandbox
    sandbox.write('data/x', 'x')
    sandbox.write('data/sub/y', 'y')
    sandbox.write('words.txt', 'words')
    (sandbox.home / 'data/link').symlink_to('x')
    with open(bytes(sandbox.home) + b'/data/bad\xff', 'w'):
        pass
    sandbox.write_script('train.py', 'print("trained")')
    sandbox.write_script('fail.py', 'import sys; sys.exit(3)')
    for content in ('x', 'changed'):
        sandbox.write('data/x', content)
        sandbox.run('run', '-e', 'exp', '-co', '~/data:data', '-c', '~/out:out', '-c', '~/words.txt:words', 'train.py')
    sandbox.run('run', '-e', 'reader', '-r', 'exp/data@v0:again', 'fail.py', check_code=3)
    sandbox.run('server', 'user', 'add', 'ada', '--expires', '1h')
    sandbox.run('server', 'project', 'share', 'vision', 'ada', 'reader')
    return sandbox


COMMANDS = {
    'runs list': ([], fields.RUNS_LIST, 0),
    'runs show': (['exp'], fields.RUNS_SHOW, 0),
    'artifacts list': (['exp'], fields.ARTIFACTS_LIST, 0),
    'artifacts log': (['exp/data'], fields.ARTIFACTS_LOG, 0),
    'artifacts files': (['exp/data', '-R'], fields.ARTIFACTS_FILES, 0),
    'artifacts diff': (['exp/data@v0', 'exp/data@v1'], fields.ARTIFACTS_DIFF, 1),
    'store verify': ([], fields.STORE_VERIFY, 0),
    'store stats': ([], fields.STORE_STATS, 0),
    'config list': ([], fields.CONFIG_LIST, 0),
    'server user list': ([], fields.USERS, 0),
    'server token list': ([], fields.TOKENS, 0),
    'server project list': ([], fields.PROJECTS, 0),
}


@pytest.mark.parametrize('command', COMMANDS)
def test_the_fields_are_those_documented(experiments, command):
    arguments, shape, code = COMMANDS[command]
    document = experiments.json(*command.split(), *arguments, check_code=code)
    lists = [value for value in document.values() if isinstance(value, list)]
    assert not lists or any(lists) or command == 'store verify', 'there is something to check'
    fields.assert_documented(document, shape)


def test_get_tells_its_fields(experiments):
    document = experiments.json('artifacts', 'get', 'exp/data', experiments.root / 'got')
    fields.assert_documented(document, fields.ARTIFACTS_GET)


def test_stop_and_kill_give_the_run(sandbox):
    sandbox.write_script('train.py', "mark('started')\nwait_for('never')\n")
    for command in ('stop', 'kill'):
        run = sandbox.start('run', '-e', command, 'train.py')
        sandbox.wait_mark('started')
        fields.assert_documented(sandbox.json('runs', command, command), fields.RUN)
        run.wait(None)
        (sandbox.marks / 'started').unlink()


def test_running_lost_and_incomplete_records_have_the_same_fields(sandbox):
    sandbox.write_script('train.py', "mark('started')\nwait_for('done')\n")
    run = sandbox.start('run', '-e', 'exp', '-c', '~/out:out', 'train.py')
    sandbox.wait_mark('started')
    for _ in range(2):
        fields.assert_documented(sandbox.json('runs', 'list'), fields.RUNS_LIST)
        fields.assert_documented(sandbox.show('exp'), fields.RUNS_SHOW)
        fields.assert_documented(sandbox.json('artifacts', 'list', 'exp'), fields.ARTIFACTS_LIST)
        run.popen.kill()
        run.wait(None)


def test_json_is_one_line_or_many_but_always_utf8(experiments):
    listing = experiments.json('artifacts', 'files', 'exp/data')
    bad = next(entry for entry in listing['entries'] if entry['name'].startswith('bad'))
    assert bad['name'] == bad['path'] == 'bad\ufffd' and bad['name_hex'] == b'bad\xff'.hex()
    assert all('name_hex' not in entry for entry in listing['entries'] if entry is not bad)


def test_values_of_a_run(experiments):
    listed = {run['key']: run for run in experiments.runs()}
    run = listed['exp']
    assert (run['status'], run['failure'], run['exit_code'], run['signal']) == ('finished', None, 0, None)
    assert (run['attempt'], run['attempts'], run['project']) == (1, 2, 'default')
    assert run['directory'] == str(experiments.workspace) and 'train.py' in run['command'][-1]
    assert (listed['reader']['status'], listed['reader']['failure'], listed['reader']['exit_code']) == \
        ('failed', 'script', 3)
    shown = experiments.show('exp')
    assert {name: shown[name] for name in run} == run, 'show tells the same as list'


def test_values_of_artifacts(experiments):
    attempt = experiments.show('exp')['history'][-1]
    by_tag = {a['tag']: a for a in attempt['artifacts']}
    assert set(by_tag) == {'workspace', 'output', 'modeldir', 'tb', 'data', 'out', 'words'}
    assert {tag: (by_tag[tag]['mode'], by_tag[tag]['default'], by_tag[tag]['source']) for tag in ('data', 'out', 'tb')} == {
        'data': ('once', False, None), 'out': ('capture', False, None), 'tb': ('capture', True, None)}
    assert (by_tag['data']['first_version'], by_tag['data']['last_version']) == ('v1', 'v1')
    again = next(a for a in experiments.show('reader')['history'][0]['artifacts'] if a['tag'] == 'again')
    assert (again['mode'], again['source']) == ('reuse', 'exp/data@v0')
    listed = {a['tag']: a for a in experiments.json('artifacts', 'list', 'exp')['artifacts']}
    assert (listed['data']['kind'], listed['data']['versions'], listed['data']['latest']) == ('directory', 2, 'v1')
    assert (listed['words']['kind'], listed['words']['files'], listed['words']['bytes']) == ('file', 1, 5)
    assert all(a['complete'] for a in listed.values())


@pytest.mark.parametrize('command', ['runs list', 'artifacts list exp', 'store stats', 'artifacts log exp/data',
                                     'artifacts files exp/data', 'runs show exp'])
def test_without_json_it_is_text_for_people_without_escape_sequences(experiments, command):
    result = experiments.run(*command.split())
    assert result.stdout and b'\x1b' not in result.stdout, 'no colours into a pipe'
    assert not result.out.lstrip().startswith('{')
