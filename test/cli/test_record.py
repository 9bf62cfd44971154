"""What is recorded of a run: environment, code, machine; and no secret."""

import json
import os
import platform
import shutil
import socket
import subprocess

import pytest

from harness import skip_loudly
from oracle import contents


def environment(sandbox, key='exp'):
    return sandbox.show(key)['environment']


def test_command_directory_and_version_are_recorded(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py', '--lr', '0.1', 'with space', '')
    record = sandbox.show('exp')
    assert record['command'][-4:] == ['--lr', '0.1', 'with space', ''], record['command']
    assert record['directory'] == str(sandbox.workspace)
    assert record['studio_version'] in sandbox.run('--version').out


def test_python_and_its_packages_are_recorded(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    ask = 'import importlib.metadata as m, platform; print(platform.python_version(), m.version("numpy"))'
    version, numpy = subprocess.check_output(['/usr/bin/python3', '-c', ask], text=True).split()
    python = environment(sandbox)['python']
    assert python['version'] == version
    assert os.path.realpath(python['executable']) == os.path.realpath('/usr/bin/python3')
    assert python['packages']['numpy'] == numpy


def test_a_command_that_is_not_python_has_no_python(sandbox):
    sandbox.write_script('train.sh', '#!/bin/sh\ntrue\n')
    sandbox.run('run', '-e', 'exp', './train.sh')
    assert environment(sandbox)['python'] is None
    assert environment(sandbox)['git'] is None, 'and the workspace is no repository'


def test_the_machine_is_recorded(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    host = environment(sandbox)['host']
    assert (host['name'], host['kernel'], host['architecture']) == \
        (socket.gethostname(), platform.release(), platform.machine())
    assert host['cpus'] >= 1 and host['memory_bytes'] > 100 << 20
    assert sandbox.show('exp')['history'][0]['process']['host'] == socket.gethostname()
    assert isinstance(environment(sandbox)['gpus'], list)


@pytest.fixture
def repository_of_code(sandbox):
    """The workspace is a git repository with one commit of train.py."""
    if shutil.which('git') is None:
        skip_loudly('there is no git')

    def git(*args):
        identity = ['-c', 'user.name=Ada', '-c', 'user.email=ada@example.org', '-c', 'init.defaultBranch=main']
        return subprocess.run(['git', *identity, *args], cwd=sandbox.workspace, env=sandbox.environment(), check=True,
                              capture_output=True, text=True).stdout.strip()

    sandbox.write_script('train.py', 'print("committed")\n')
    git('init', '-q')
    git('add', 'train.py')
    git('commit', '-q', '-m', 'first')
    git('checkout', '-q', '-b', 'research')
    sandbox.git = git
    return sandbox


def test_the_git_state_is_recorded(repository_of_code):
    sandbox = repository_of_code
    sandbox.run('run', '-e', 'clean', 'train.py')
    clean = environment(sandbox, 'clean')['git']
    assert (clean['commit'], clean['branch']) == (sandbox.git('rev-parse', 'HEAD'), 'research')
    assert clean['dirty'] is False and not clean['diff'] and clean['untracked'] == []
    sandbox.write_script('train.py', 'print("not committed")\n')
    (sandbox.workspace / 'new file.txt').write_text('untracked')
    sandbox.run('run', '-e', 'dirty', 'train.py')
    dirty = environment(sandbox, 'dirty')['git']
    assert dirty['dirty'] is True and dirty['commit'] == clean['commit']
    assert '-print("committed")' in dirty['diff'] and '+print("not committed")' in dirty['diff']
    assert dirty['diff_truncated'] is False
    assert dirty['untracked'] == ['new file.txt']


def test_the_git_state_is_that_of_the_repository_above(repository_of_code):
    sandbox = repository_of_code
    sandbox.write_script('deep/down/train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py', cwd=sandbox.workspace / 'deep/down')
    assert environment(sandbox)['git']['commit'] == sandbox.git('rev-parse', 'HEAD')


def test_a_repository_without_a_commit_is_no_error(sandbox):
    subprocess.run(['git', 'init', '-q', sandbox.workspace], env=sandbox.environment(), check=True, capture_output=True)
    sandbox.write_script('train.py', 'print("ran")')
    assert sandbox.run('run', '-e', 'exp', 'train.py').out == 'ran\n'
    state = environment(sandbox)['git']
    assert state is None or state['commit'] is None


def test_the_environment_is_that_of_the_attempt_asked_for(repository_of_code):
    sandbox = repository_of_code
    sandbox.run('run', '-e', 'exp', 'train.py')
    sandbox.git('commit', '-q', '--allow-empty', '-m', 'second')
    sandbox.run('run', '-e', 'exp', 'train.py')
    first, second = (sandbox.show('exp', '--attempt', n)['environment']['git']['commit'] for n in '01')
    assert (first, second) == (sandbox.git('rev-parse', 'HEAD~'), sandbox.git('rev-parse', 'HEAD'))
    assert environment(sandbox)['git']['commit'] == second, 'the last one unless asked'


CANARY = 'C4N4RY'
SECRETS = {
    'AWS_SECRET_ACCESS_KEY': CANARY + '1', 'AWS_SESSION_TOKEN': CANARY + '2', 'MY_API_TOKEN': CANARY + '3',
    'DATABASE_URL': 'postgres://user:%s4@host/db' % CANARY, 'HF_TOKEN': CANARY + '5', 'PGPASSWORD': CANARY + '6',
    'WANDB_API_KEY': CANARY + '7', 'SERVICE_PASSWD': CANARY + '8', 'my_secret': CANARY + '9',
    'GITHUB_PAT': 'ghp_%s10' % CANARY, 'HTTPS_PROXY': 'http://user:%s11@proxy:3128' % CANARY,
    'SSH_KEY_PASSPHRASE': CANARY + '12', 'CREDENTIALS': CANARY + '13', 'PLAIN_NAME': 'https://u:%s14@h/' % CANARY,
    'GOOGLE_CREDENTIALS_JSON': json.dumps({'private_key': CANARY + '15'}), 'AUTH_HEADER': 'Bearer %s16' % CANARY,
}


def test_no_secret_of_the_environment_is_recorded(sandbox):
    sandbox.write_script('train.py', '''
        import os
        print(os.environ['MY_API_TOKEN'][:1], len(os.environ['DATABASE_URL']) > 10)
    ''')
    result = sandbox.run('run', '-v', '-e', 'exp', 'train.py', env=SECRETS)
    assert result.out == 'C True\n', 'the script itself has them all'
    assert CANARY not in result.err
    assert isinstance(environment(sandbox)['variables'], dict)
    leaks = [path for path, content in contents(sandbox.studio_home).items() if CANARY.encode() in content]
    assert not leaks, 'a secret lies in %r' % leaks
    for command in (['runs', 'show', 'exp', '--json'], ['runs', 'show', 'exp'], ['runs', 'list', '--json']):
        assert CANARY not in sandbox.run(*command).out, '%r tells a secret' % command
    for tag in ('workspace', 'output', 'modeldir', 'tb'):
        archive = sandbox.run('artifacts', 'tar', '--no-gzip', 'exp/' + tag).stdout
        assert CANARY.encode() not in archive, 'a secret is in the artifact ' + tag


def test_no_secret_is_left_by_a_run_that_was_killed(sandbox):
    sandbox.write_script('train.py', "mark('started')\nwait_for('never')\n")
    run = sandbox.start('run', '-e', 'exp', 'train.py', env=SECRETS)
    sandbox.wait_mark('started')
    run.popen.kill()
    run.wait(None)
    assert sandbox.status('exp') == 'lost'
    leaks = [path for path, content in contents(sandbox.studio_home).items() if CANARY.encode() in content]
    assert not leaks, 'a secret lies in %r' % leaks


def test_the_password_in_a_remote_is_not_recorded(repository_of_code):
    sandbox = repository_of_code
    sandbox.git('remote', 'add', 'origin', 'https://ada:%s@example.org/code.git' % CANARY)
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert 'example.org/code.git' in environment(sandbox)['git']['remote']
    assert CANARY not in sandbox.run('runs', 'show', 'exp', '--json').out
