"""Outputs for people, compared with test/golden; STUDIO_ACCEPT=1 takes them anew."""

import re

import pytest

HELP = ['', 'run', 'runs', 'runs list', 'runs show', 'runs stop', 'runs kill', 'runs delete', 'runs restore', 'artifacts',
        'artifacts list', 'artifacts log', 'artifacts files', 'artifacts get', 'artifacts cat', 'artifacts tar',
        'artifacts diff', 'store', 'store verify', 'store stats', 'config', 'config list', 'path', 'completion', 'ui', 'server',
        'server user add', 'server token add', 'server project', 'login', 'logout']


@pytest.fixture(scope='module')
def told(shared_sandbox):
    """A small story: trained twice under one name, read once, failed once, killed once."""
    sandbox = shared_sandbox
    sandbox.write('data/x', 'one')
    sandbox.write('data/sub/y', 'why')
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        print('loss 0.25')
        open(os.path.join(fs_tracker.get_model_directory(), 'ckpt-1'), 'w').write('weights')
    ''')
    sandbox.write_script('fail.py', 'import sys; sys.exit(3)')
    sandbox.write_script('die.py', 'import os; os.kill(os.getpid(), 9)')
    flags = ['-e', 'linear', '-co', '~/data:data', '--project', 'demo']
    sandbox.first = sandbox.run('run', *flags, 'train.py', '--lr', '0.1')
    sandbox.write('data/x', 'two and more')
    sandbox.write('data/z', 'new')
    sandbox.run('run', *flags, 'train.py', '--lr', '0.2')
    sandbox.run('run', '-e', 'failed', '-r', 'linear/data@v0:d', 'fail.py', check_code=3)
    sandbox.run('run', '-e', 'killed', 'die.py', check_code=137)
    return sandbox


@pytest.mark.parametrize('command', HELP)
def test_golden_help(sandbox, golden_output, command):
    result = sandbox.run(*command.split(), '--help')
    golden_output('help/' + (command.replace(' ', '-') or 'studio'), result.out)


COMMANDS = {
    'runs-list': ['runs', 'list'], 'runs-show': ['runs', 'show', 'linear'],
    'runs-show-failed': ['runs', 'show', 'failed'],
    'runs-show-killed': ['runs', 'show', 'killed'], 'artifacts-list': ['artifacts', 'list', 'linear'],
    'artifacts-log': ['artifacts', 'log', 'linear/data'], 'artifacts-files': ['artifacts', 'files', 'linear/data'],
    'artifacts-files-all': ['artifacts', 'files', 'linear/data@v0', '-R'], 'config-list': ['config', 'list'],
}


@pytest.mark.parametrize('name', COMMANDS)
def test_golden_listings(told, golden_output, name):
    golden_output(name, told.run(*COMMANDS[name]).out, told)


@pytest.mark.parametrize('command', ['stats', 'verify'])
def test_golden_store(told, golden_output, command):
    text = told.run('store', command).out
    golden_output('store-' + command, re.sub(r'\d+(\.\d+)?', '<N>', text), told)


def test_golden_diff(told, golden_output):
    result = told.run('artifacts', 'diff', 'linear/data@v0', 'linear/data@v1', check_code=1)
    golden_output('artifacts-diff', result.out, told)


def test_golden_notices(told, golden_output):
    golden_output('run-notices', told.first.err, told)


def test_golden_origins(sandbox, golden_output):
    sandbox.configure('saveWorkspaceFrequency: 30s\nproject: mine\n')
    (sandbox.workspace / '.studioml.yaml').write_text('stopGracePeriod: 5s\n')
    result = sandbox.run('config', 'list', '--show-origin', env={'STUDIOML_OWNER': 'ada'})
    golden_output('config-list-origins', result.out, sandbox)


ERRORS = {
    'unknown-flag': ['run', '--captur=a:b', 'train.py'], 'bad-tag': ['run', '-c', 'data:a b', 'train.py'],
    'missing-source': ['run', '-co', '~/missing:m', 'train.py'], 'missing-script': ['run', 'missing.py'],
    'unknown-experiment': ['run', '-r', 'liner/data:d', 'train.py'],
    'unknown-artifact': ['run', '-r', 'linear/dta:d', 'train.py'],
    'unknown-version': ['run', '-r', 'linear/data@v9:d', 'train.py'], 'unknown-key': ['runs', 'show', 'nowhere'],
}


@pytest.mark.parametrize('name', ERRORS)
def test_golden_errors(told, golden_output, name):
    golden_output('error-' + name, told.fails(254, *ERRORS[name]).err, told)
