"""Configuration: where values come from, and what is said of wrong ones."""

import re

import pytest

from harness import login_name

KEYS = ['saveWorkspaceFrequency', 'project', 'owner', 'python', 'stopGracePeriod', 'storage.type', 'storage.path',
        'storage.floatPlanes', 'database.type', 'database.path']


def config(sandbox, **options):
    listed = sandbox.json('config', 'list', **options)['config']
    return {item['key']: (item['value'], item['origin']) for item in listed}


def project_file(sandbox, text, directory=''):
    path = sandbox.workspace / directory / '.studioml.yaml'
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_defaults(sandbox):
    seen = config(sandbox)
    assert set(KEYS) <= set(seen)
    assert all(origin == 'default' for _, origin in seen.values()), seen
    home = str(sandbox.studio_home)
    assert {key: seen[key][0] for key in KEYS if key != 'python'} == {
        'saveWorkspaceFrequency': '1m', 'project': 'default', 'owner': login_name(), 'stopGracePeriod': '10s',
        'storage.type': 'local', 'storage.path': home + '/store', 'storage.floatPlanes': 'on',
        'database.type': 'sqlite', 'database.path': home + '/studio.db'}


def test_flag_before_environment_before_project_before_user_before_default(sandbox):
    sandbox.write_script('train.py', '')

    def project_of(key, *flags, **options):
        sandbox.run('run', '-e', key, *flags, 'train.py', **options)
        return sandbox.show(key)['project']

    assert project_of('a') == 'default'
    sandbox.configure('project: of-user\n')
    assert project_of('b') == 'of-user'
    project_file(sandbox, 'project: of-project\n')
    assert project_of('c') == 'of-project'
    variable = {'STUDIOML_PROJECT': 'of-variable'}
    assert project_of('d', env=variable) == 'of-variable'
    assert project_of('e', '--project', 'of-flag', env=variable) == 'of-flag'


def test_the_origin_of_each_value_is_told(sandbox):
    sandbox.configure('project: of-user\nstopGracePeriod: 3s\nsaveWorkspaceFrequency: 2m\n')
    project_file(sandbox, 'stopGracePeriod: 4s\nsaveWorkspaceFrequency: 3m\n')
    seen = config(sandbox, env={'STUDIOML_SAVE_WORKSPACE_FREQUENCY': '4m'})
    assert seen['project'][0] == 'of-user' and 'config.yaml' in seen['project'][1]
    assert seen['stopGracePeriod'][0] == '4s' and '.studioml.yaml' in seen['stopGracePeriod'][1]
    assert seen['saveWorkspaceFrequency'] == ('4m', seen['saveWorkspaceFrequency'][1])
    assert 'STUDIOML_SAVE_WORKSPACE_FREQUENCY' in seen['saveWorkspaceFrequency'][1]
    text = sandbox.run('config', 'list', '--show-origin').out
    assert 'config.yaml' in text and '.studioml.yaml' in text
    assert 'config.yaml' not in sandbox.run('config', 'list').out, 'only when asked'


def test_the_nearest_project_file_above_counts(sandbox):
    project_file(sandbox, 'project: outer\n')
    project_file(sandbox, 'project: inner\n', 'a/b')
    (sandbox.workspace / 'a/b/c').mkdir()

    def project_in(directory):
        return config(sandbox, cwd=sandbox.workspace / directory)['project'][0]

    assert [project_in(d) for d in ('.', 'a', 'a/b', 'a/b/c')] == ['outer', 'outer', 'inner', 'inner']


@pytest.mark.parametrize('variable, value, key', [
    ('STUDIOML_SAVE_WORKSPACE_FREQUENCY', '7s', 'saveWorkspaceFrequency'), ('STUDIOML_PROJECT', 'p', 'project'),
    ('STUDIOML_OWNER', 'ada', 'owner'), ('STUDIOML_PYTHON', '/usr/bin/python3', 'python'),
    ('STUDIOML_STOP_GRACE_PERIOD', '7s', 'stopGracePeriod'), ('STUDIOML_STORAGE_PATH', '/nonexistent/s', 'storage.path'),
    ('STUDIOML_STORAGE_FLOAT_PLANES', 'off', 'storage.floatPlanes'), ('STUDIOML_DATABASE_PATH', '/nonexistent/d.db', 'database.path')])
def test_each_variable_sets_its_key(sandbox, variable, value, key):
    seen = config(sandbox, env={variable: value})
    assert seen[key][0] == value and variable in seen[key][1]


def test_storage_and_database_may_lie_elsewhere(sandbox):
    sandbox.configure('storage:\n  path: %s/my store\ndatabase:\n  path: %s/my.db\n' % (sandbox.root, sandbox.root))
    sandbox.write_script('train.py', 'print("hello")')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert sandbox.cat('exp/output') == b'hello\n'
    assert (sandbox.root / 'my store/studio.json').is_file() and (sandbox.root / 'my.db').is_file()
    assert not (sandbox.studio_home / 'store').exists() and not (sandbox.studio_home / 'studio.db').exists()


def test_the_config_flag_replaces_the_users_file(sandbox):
    sandbox.configure('project: of-user\nowner: of-user\n')
    other = sandbox.write('other.yaml', 'project: of-other\n')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '--config', other, '-e', 'exp', 'train.py')
    record = sandbox.show('exp')
    assert (record['project'], record['owner']) == ('of-other', login_name())


def test_the_config_flag_needs_a_good_file(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.fails(254, 'run', '--config', 'missing.yaml', 'train.py', tells=['--config', 'missing.yaml'])
    bad = sandbox.write('bad.yaml', 'project: x\nstopGracePeriod: soon\n')
    sandbox.fails(251, 'run', '--config', bad, 'train.py', tells=['bad.yaml', 'stopGracePeriod', 'soon'])


BAD = {
    'no YAML': ('project: p\nowner: [unclosed\n', None, None),
    'a tab': ('project: p\n\towner: x\n', None, None),
    'bad duration': ('project: p\nsaveWorkspaceFrequency: often\n', 2, 'saveWorkspaceFrequency'),
    'no unit': ('\n\nsaveWorkspaceFrequency: 30\n', 3, 'saveWorkspaceFrequency'),
    'zero': ('saveWorkspaceFrequency: 0s\n', 1, 'saveWorkspaceFrequency'),
    'negative': ('saveWorkspaceFrequency: -5s\n', 1, 'saveWorkspaceFrequency'),
    'unknown unit': ('stopGracePeriod: 3 parsecs\n', 1, 'stopGracePeriod'),
    'bad minutes': ('project: p\nsaveWorkspaceFrequencyMinutes: some\n', 2, 'saveWorkspaceFrequencyMinutes'),
    'zero minutes': ('saveWorkspaceFrequencyMinutes: 0\n', 1, 'saveWorkspaceFrequencyMinutes'),
    'list for text': ('owner: o\nproject: [a, b]\n', 2, 'project'),
    'text for map': ('storage: local\n', 1, 'storage'),
    'unknown storage': ('storage:\n  type: carrier-pigeon\n', 2, 'storage.type'),
    'unknown database': ('storage:\n  type: local\ndatabase:\n  type: papyrus\n', 4, 'database.type'),
    'no map': ('- a\n- b\n', None, None),
}


@pytest.mark.parametrize('where', ['user', 'project'])
@pytest.mark.parametrize('case', BAD)
def test_a_wrong_config_file_is_told_with_file_line_and_key(sandbox, case, where):
    text, line, key = BAD[case]
    sandbox.write_script('train.py', 'open("started", "w")')
    if where == 'user':
        sandbox.configure(text)
    else:
        project_file(sandbox, text)
    result = sandbox.fails(251, 'run', 'train.py', tells=[{'user': 'config.yaml', 'project': '.studioml.yaml'}[where]])
    if line is not None:
        assert re.search(r'(\.yaml:|line )%d\b' % line, result.err), 'line %d is named%s' % (line, result.told())
    if key is not None:
        assert key in result.err, 'the key is named' + result.told()
    assert not (sandbox.workspace / 'started').exists(), 'the script may not start'


@pytest.mark.parametrize('command', [['runs', 'list'], ['config', 'list'], ['store', 'stats']], ids=' '.join)
def test_every_command_minds_the_config(sandbox, command):
    sandbox.configure('saveWorkspaceFrequency: often\n')
    sandbox.fails(251, *command, tells=['saveWorkspaceFrequency', 'often'])


@pytest.mark.parametrize('variable, value', [
    ('STUDIOML_SAVE_WORKSPACE_FREQUENCY', 'often'), ('STUDIOML_SAVE_WORKSPACE_FREQUENCY', '0s'),
    ('STUDIOML_STOP_GRACE_PERIOD', '5')])
def test_a_wrong_variable_is_told_by_its_name(sandbox, variable, value):
    sandbox.write_script('train.py', '')
    sandbox.fails(251, 'run', 'train.py', env={variable: value}, tells=[variable, value])


@pytest.mark.parametrize('text, line, wrong, right', [
    ('project: p\nsaveWorkspaceFrequncy: 1m\n', 2, 'saveWorkspaceFrequncy', 'saveWorkspaceFrequency'),
    ('projct: p\n', 1, 'projct', 'project'),
    ('storage:\n  type: local\n  pth: /x\n', 3, 'pth', 'path')])
def test_an_unknown_key_is_a_warning_with_the_nearest_known_one(sandbox, text, line, wrong, right):
    sandbox.configure(text)
    sandbox.write_script('train.py', 'print("ran all the same")')
    result = sandbox.run('run', '--quiet', 'train.py')
    assert result.out == 'ran all the same\n'
    assert 'config.yaml' in result.err and wrong in result.err, result.told()
    assert re.search(r'(\.yaml:|line )%d\b' % line, result.err), result.told()
    assert re.search(r'\b%s\b' % right, result.err.replace(wrong, '')), 'the nearest key is named' + result.told()


@pytest.mark.parametrize('text', ['', '\n', '# only a comment\n', '---\n', '{}\n'])
def test_an_empty_config_file_is_no_error(sandbox, text):
    sandbox.configure(text)
    result = sandbox.run('config', 'list')
    assert result.stderr == b'', result.told()


def test_a_broken_home_is_told_in_one_line(sandbox):
    sandbox.write_script('train.py', 'open("started", "w")')
    sandbox.write('file', '')
    sandbox.fails((251, 255), 'run', 'train.py', env={'STUDIOML_HOME': sandbox.home / 'file'}, tells=['file'])
    assert not (sandbox.workspace / 'started').exists()
