"""Command lines that cannot be honoured: exit code 254, one clear line, a hint, and nothing done."""

import re
import subprocess

import pytest

LONG_FORMS = {'-c': '--capture', '-co': '--capture-once', '-r': '--reuse', '-e': '--experiment'}
RUN_FLAGS = [*LONG_FORMS, *LONG_FORMS.values(), '--project', '--config']
COMMANDS = ['run', 'runs list', 'runs show', 'runs stop', 'runs kill', 'runs delete', 'runs restore', 'artifacts list',
            'artifacts log', 'artifacts files', 'artifacts get', 'artifacts cat', 'artifacts tar', 'artifacts diff',
            'store verify', 'store stats', 'config list', 'path', 'completion']


def hint_of(result):
    lines = [line for line in result.err.splitlines() if line.startswith('hint: ')]
    assert lines, 'a usage error has a hint' + result.told()
    return lines[0]


def assert_flag_named(result, flag):
    """A flag is named as it was typed, or in its long form."""
    assert re.search(r'(?<![\w-])(%s|%s)(?![\w-])' % (flag, LONG_FORMS.get(flag, flag)), result.err), \
        'the flag %s is named%s' % (flag, result.told())


@pytest.mark.parametrize('flag', RUN_FLAGS)
def test_a_flag_of_run_without_its_value(sandbox, flag):
    result = sandbox.fails(254, 'run', flag)
    assert_flag_named(result, flag)
    assert hint_of(result)


@pytest.mark.parametrize('flag', ['--capture=', '--capture-once=', '-c=', '-co=', '--reuse=', '-r=', '--experiment=',
                                  '-e='])
def test_a_flag_of_run_with_an_empty_value(sandbox, flag):
    sandbox.write_script('train.py', '')
    result = sandbox.fails(254, 'run', flag, 'train.py')
    assert_flag_named(result, flag.rstrip('='))
    assert hint_of(result)
    assert sandbox.runs() == []


@pytest.mark.parametrize('command', [['runs', 'list', '--project'], ['runs', 'list', '--status'],
                                     ['runs', 'list', '--limit'], ['runs', 'show', 'exp', '--attempt']])
def test_a_flag_of_another_command_without_its_value(sandbox, command):
    sandbox.fails(254, *command, tells=[command[-1]])


@pytest.mark.parametrize('wrong, right', [('--captur=a:b', '--capture'), ('--capture-onc=a:b', '--capture-once'),
                                          ('--experment=x', '--experiment'), ('--resue=a/b:c', '--reuse'),
                                          ('--projct=x', '--project'), ('--quite', '--quiet'),
                                          ('--verbos', '--verbose'), ('--confg=x', '--config')])
def test_an_unknown_flag_of_run_hints_at_the_nearest(sandbox, wrong, right):
    sandbox.write_script('train.py', '')
    result = sandbox.fails(254, 'run', wrong, 'train.py', tells=[wrong.partition('=')[0]])
    assert re.search(re.escape(right) + r'(?![\w-])', hint_of(result)), result.told()


@pytest.mark.parametrize('command, right', [
    (['runs', 'list', '--jsn'], '--json'), (['runs', 'list', '--statsu', 'lost'], '--status'),
    (['runs', 'list', '--limt', '3'], '--limit'), (['runs', 'show', 'exp', '--atempt', '1'], '--attempt'),
    (['artifacts', 'tar', 'a/b', '--nogzip'], '--no-gzip'), (['config', 'list', '--show-orign'], '--show-origin')])
def test_an_unknown_flag_of_another_command_hints_at_the_nearest(sandbox, command, right):
    result = sandbox.fails(254, *command)
    assert right in hint_of(result), result.told()


@pytest.mark.parametrize('command, right', [(['rnu', 'train.py'], 'run'), (['artifact', 'list', 'x'], 'artifacts'),
                                            (['runs', 'lst'], 'list'), (['store', 'verfy'], 'verify'),
                                            (['artifacts', 'fils', 'a/b'], 'files')])
def test_an_unknown_command_hints_at_the_nearest(sandbox, command, right):
    result = sandbox.fails(254, *command)
    assert re.search(r'\b%s\b' % right, hint_of(result)), result.told()


@pytest.mark.parametrize('name', ['', 'a/b', 'with space', 'ümlaut', '..', '.', 'new\nline', 'a:b', '../../etc'])
def test_a_bad_experiment_name(sandbox, name):
    sandbox.write_script('train.py', '')
    sandbox.fails(254, 'run', '--experiment', name, 'train.py', tells=['--experiment'])
    assert sandbox.runs() == []


@pytest.mark.parametrize('command', [
    ['runs', 'list', '--status', 'sleeping'], ['runs', 'list', '--limit', '-1'], ['runs', 'list', '--limit', 'many'],
    ['runs', 'list', '--limit', '1.5'], ['runs', 'show'], ['runs', 'list', 'unexpected'], ['artifacts', 'list'],
    ['artifacts', 'log'], ['artifacts', 'get', 'a/b'], ['artifacts', 'diff', 'a/b@v0'], ['artifacts', 'cat'],
    ['path'], ['completion'], ['completion', 'csh'], ['store', 'verify', 'unexpected']], ids=' '.join)
def test_wrong_arguments_of_other_commands(sandbox, command):
    sandbox.fails(254, *command)


def test_a_bad_status_lists_the_good_ones(sandbox):
    sandbox.fails(254, 'runs', 'list', '--status', 'sleeping',
                  tells=['sleeping', 'running', 'finished', 'failed', 'killed', 'stopped', 'lost'])


@pytest.fixture(scope='module')
def stored(shared_sandbox):
    sandbox = shared_sandbox
    sandbox.write('data/x', 'x')
    sandbox.write('data/sub/y', 'y')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    sandbox.run('run', '-e', 'exp-2', 'train.py')
    sandbox.run('run', '-e', 'other', 'train.py')
    return sandbox


@pytest.mark.parametrize('command', ['runs show', 'runs stop', 'runs kill', 'artifacts list'])
def test_an_unknown_key(stored, command):
    stored.fails(254, *command.split(), 'nowhere', tells=['nowhere'])


NOT_THERE = [('nowhere/data', ['nowhere']), ('exp/dta', ['dta', 'data', 'workspace']), ('exp', ['EXP/TAG']),
             ('exp/', []), ('/data', []), ('exp/data@', []), ('exp/data@7', []), ('exp/data@vv', []), ('exp/../../x', []),
             ('exp/data@v99999999999999999999', [])]


@pytest.mark.parametrize('command', ['log', 'files', 'cat', 'tar'])
@pytest.mark.parametrize('reference, tells', NOT_THERE)
def test_a_reference_to_what_there_is_not(stored, command, reference, tells):
    stored.fails(254, 'artifacts', command, reference, tells=tells)


@pytest.mark.parametrize('command', ['files', 'cat', 'tar'])
def test_a_version_that_there_is_not(stored, command):
    stored.fails(254, 'artifacts', command, 'exp/data@v7', tells=['v7', 'v0'])


@pytest.mark.parametrize('command', ['files', 'cat'])
@pytest.mark.parametrize('path', ['missing', 'sub/missing', 'x/below-a-file', '../x', 'sub/../../x', '/etc/passwd'])
def test_a_path_that_is_not_in_the_version(stored, command, path):
    stored.fails(254, 'artifacts', command, 'exp/data', path, tells=[path])


def test_get_and_diff_of_what_there_is_not(stored):
    stored.fails(254, 'artifacts', 'get', 'exp/dta', 'dest', tells=['dta'])
    stored.fails(254, 'artifacts', 'diff', 'exp/data@v0', 'exp/data@v5', tells=['v5'])
    assert not (stored.workspace / 'dest').exists()


def test_a_unique_prefix_of_a_key_is_enough_and_the_whole_key_always(stored):
    assert stored.show('oth')['key'] == 'other'
    assert stored.show('exp')['key'] == 'exp', 'a whole key is never ambiguous'
    assert stored.json('artifacts', 'list', 'exp-')['experiment'] == 'exp-2'
    assert stored.run('artifacts', 'cat', 'ot/output').stdout == b''


def test_an_ambiguous_prefix_lists_the_candidates(stored):
    stored.fails(254, 'runs', 'show', 'ex', tells=['ex', 'exp', 'exp-2'])
    stored.fails(254, 'artifacts', 'log', 'ex/data', tells=['exp-2'])


def test_help_and_version_go_to_standard_output(sandbox):
    for flag in ('--help', '--version'):
        result = sandbox.run(flag)
        assert result.stdout and not result.stderr
    assert re.search(r'\d+\.\d+', sandbox.run('--version').out)
    for command in COMMANDS:
        result = sandbox.run(*command.split(), '--help')
        assert command.split()[-1] in result.out and not result.stderr, result.told()


def test_help_of_run_names_every_flag(sandbox):
    text = sandbox.run('run', '--help').out
    for flag in RUN_FLAGS + ['--quiet', '-v', '--verbose']:
        assert re.search(r'(?<![\w-])' + re.escape(flag) + r'(?![\w-])', text), flag


@pytest.mark.parametrize('shell', ['bash', 'zsh', 'fish'])
def test_completion_scripts(sandbox, shell):
    result = sandbox.run('completion', shell)
    for word in ('artifacts', 'verify', 'capture-once'):
        assert word in result.out, result.told()
    if shell == 'bash':
        subprocess.run(['bash', '-n'], input=result.stdout, check=True)


def test_commands_on_a_fresh_home_find_nothing_and_complain_of_nothing(sandbox):
    assert sandbox.json('runs', 'list') == {'runs': []}
    assert sandbox.json('store', 'stats')['versions'] == 0
    assert sandbox.json('store', 'verify')['ok'] is True
    sandbox.fails(254, 'artifacts', 'list', 'exp', tells=['exp'])
