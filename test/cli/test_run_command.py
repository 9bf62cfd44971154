"""What `studio run` starts, and what the script then sees of its command line, directory and environment."""

import json
import os
import re

import pytest

SHOW_ARGUMENTS = '''
    import json, os, sys
    print(json.dumps({'argv': [os.fsencode(a).hex() for a in sys.argv[1:]], 'cwd': os.getcwd(), 'zero': sys.argv[0]}))
'''

SHOW_ENVIRONMENT = '''
    import json, os
    print(json.dumps(dict(os.environ)))
'''


def arguments_seen(result):
    return [bytes.fromhex(arg) for arg in json.loads(result.stdout)['argv']]


def test_R01_first_script_argument_ends_studio_flags(sandbox):
    sandbox.write_script('train.py', SHOW_ARGUMENTS)
    rest = ['--experiment', 'not-for-studio', '-c', 'x:y', '--capture=a:b', '-v', '--', '--json', '--help', 'train.py']
    result = sandbox.run('run', '--experiment', 'mine', 'train.py', *rest)
    assert arguments_seen(result) == [os.fsencode(arg) for arg in rest], 'all after the script belongs to it'
    assert [run['key'] for run in sandbox.runs()] == ['mine'], 'the flag before the script is Studio\'s'


def test_R01_an_unmodified_script_runs_in_the_current_directory(sandbox):
    sandbox.write_script('sub/helper.py', 'VALUE = "found"\n')
    sandbox.write_script('sub/train.py', '''
        import helper, os, sys
        print(helper.VALUE, os.getcwd(), sys.argv[0], __name__)
    ''')
    result = sandbox.run('run', 'sub/train.py')
    assert result.out == 'found %s sub/train.py __main__\n' % sandbox.workspace, result.told()


def test_R01_an_executable_file_is_a_script(sandbox):
    sandbox.write_script('train.sh', '#!/bin/sh\nprintf "%s|" "$0" "$@"\n')
    result = sandbox.run('run', '-e', 'sh', './train.sh', '--epochs', '3', '-e', 'x')
    assert result.out == './train.sh|--epochs|3|-e|x|', result.told()


def test_R01_a_command_found_in_path_is_a_script(sandbox):
    result = sandbox.run('run', 'printf', '%s,', '-e', '--capture')
    assert result.out == '-e,--capture,', result.told()


def test_R01_what_follows_the_double_dash_is_the_command(sandbox):
    show = 'import sys; print(sys.argv[1:])'
    result = sandbox.run('run', '-e', 'dash', '--', 'python3', '-c', show, '--capture', '--')
    assert result.out == "['--capture', '--']\n", result.told()
    assert sandbox.show('dash')['command'][0].endswith('python3'), 'the record holds the command'


ODD_ARGUMENTS = [b'', b' ', b'with space', b'new\nline', b'tab\t', '日本 ü'.encode(), b'bad\xff\xfe', b'$HOME', b'~',
                 b'"quotes\'', b'back\\slash', b'$(touch pwned)', b';ls', b'*', b'-', b'-c', b'a' * 100_000]


def test_R01_arguments_arrive_byte_for_byte(sandbox):
    sandbox.write_script('train.py', SHOW_ARGUMENTS)
    result = sandbox.run('run', 'train.py', *map(os.fsdecode, ODD_ARGUMENTS))
    assert arguments_seen(result) == ODD_ARGUMENTS, 'no argument may be changed or dropped'


def test_a_script_name_may_hold_spaces_and_shell_characters(sandbox):
    sandbox.write_script('my $(touch pwned) "train".py', 'print("ran")')
    result = sandbox.run('run', 'my $(touch pwned) "train".py')
    assert result.out == 'ran\n', result.told()
    assert not (sandbox.workspace / 'pwned').exists(), 'no shell may see the command'


def test_python_files_need_no_execute_permission_and_no_first_line(sandbox):
    script = sandbox.write_script('train.py', 'import sys; print(sys.executable)')
    assert not os.access(script, os.X_OK)
    assert sandbox.run('run', 'train.py').out.strip() == '/usr/bin/python3', 'python3 of PATH runs *.py'


def test_without_python3_python_of_path_runs_the_script(sandbox):
    tools = sandbox.home / 'tools'
    tools.mkdir()
    (tools / 'python').symlink_to('/usr/bin/python3')
    sandbox.write_script('train.py', 'import sys; print("ran by", sys.executable)')
    result = sandbox.run('run', 'train.py', env={'PATH': tools})
    assert result.out.startswith('ran by '), result.told()


def test_config_names_the_interpreter(sandbox):
    wrapper = sandbox.write('bin/my python', '#!/bin/sh\necho wrapped\nexec /usr/bin/python3 "$@"\n')
    wrapper.chmod(0o755)
    sandbox.configure('python: "%s"\n' % wrapper)
    sandbox.write_script('train.py', 'print("ran")')
    assert sandbox.run('run', 'train.py').out == 'wrapped\nran\n'
    assert sandbox.run('run', 'train.py', env={'STUDIOML_PYTHON': '/usr/bin/python3'}).out == 'ran\n', \
        'the variable goes before the config file'


@pytest.mark.parametrize('script', ['missing.py', './missing', 'no-such-command-anywhere', 'sub/missing.py'])
def test_a_missing_script_is_a_usage_error(sandbox, script):
    sandbox.fails(254, 'run', '-e', 'exp', script, 'argument', tells=[script])
    assert sandbox.runs() == [], 'no experiment may be left behind'


def test_a_missing_command_after_the_double_dash_is_a_usage_error(sandbox):
    sandbox.fails(254, 'run', '--', 'no-such-command-anywhere', tells=['no-such-command-anywhere'])


def test_a_run_without_a_script_is_a_usage_error(sandbox):
    sandbox.fails(254, 'run', '-e', 'exp')
    sandbox.fails(254, 'run', '--')


def test_a_directory_or_a_plain_file_is_no_script(sandbox):
    (sandbox.workspace / 'folder').mkdir()
    (sandbox.workspace / 'notes.txt').write_text('not executable')
    sandbox.fails(254, 'run', './folder', tells=['folder'])
    sandbox.fails(254, 'run', './notes.txt', tells=['notes.txt'])


def test_the_script_finds_the_documented_variables(sandbox):
    sandbox.write_script('train.py', SHOW_ENVIRONMENT)
    sandbox.write('data/x', 'x')
    result = sandbox.run('run', '-e', 'exp', '-c', '~/data:my-data.v2', 'train.py', env={'PYTHONPATH': '/mine'})
    seen = json.loads(result.stdout)
    assert seen['STUDIOML_EXPERIMENT'] == 'exp'
    assert seen['STUDIOML_ATTEMPT'] == '0'
    assert seen['STUDIOML_HOME'] == str(sandbox.studio_home)
    assert seen['STUDIO_ARTIFACT_MY_DATA_V2'] == str(sandbox.home / 'data')
    assert seen['STUDIO_ARTIFACT_WORKSPACE'] == str(sandbox.workspace)
    first, *others = seen['PYTHONPATH'].split(':')
    assert first != '/mine' and '/mine' in others, 'PYTHONPATH begins with Studio\'s and keeps the user\'s'
    assert seen['PYTHONUNBUFFERED'] == '1'


def test_the_mapping_lists_every_artifact(sandbox):
    sandbox.write_script('train.py', '''
        import json, os
        print(open(os.environ['STUDIOML_ARTIFACT_MAPPING']).read())
    ''')
    sandbox.write('data/x', 'x')
    mapping = json.loads(sandbox.run('run', '-co', '~/data:data', 'train.py').stdout)
    assert set(mapping) == {'workspace', 'output', 'modeldir', 'tb', 'data'}
    assert mapping['data'] == str(sandbox.home / 'data')
    assert all(os.path.isabs(path) for path in mapping.values()), mapping


def test_a_set_pythonunbuffered_is_kept_and_the_rest_of_the_environment_too(sandbox):
    sandbox.write_script('train.py', SHOW_ENVIRONMENT)
    changes = {'PYTHONUNBUFFERED': '0x', 'AWS_SECRET_ACCESS_KEY': 'needed', 'EMPTY': '', 'LINES': 'a\nb'}
    seen = json.loads(sandbox.run('run', 'train.py', env=changes).stdout)
    assert {name: seen.get(name) for name in changes} == changes


def test_notices_name_the_experiment_and_what_became_of_it(sandbox):
    sandbox.write('data/x', 'x')
    sandbox.write_script('train.py', 'print("hello")')
    result = sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    assert result.stdout == b'hello\n', 'standard output is the script\'s alone'
    assert 'studio: experiment exp attempt 0' in result.err.splitlines(), result.told()
    last = result.err.splitlines()[-1]
    assert re.match(r'studio: exp finished; ', last), last
    assert re.search(r'\bdata v0 \((new|unchanged)\)', last), last


def test_quiet_leaves_out_notices_and_verbose_tells_of_captures(sandbox):
    sandbox.write('data/x', 'x')
    sandbox.write_script('train.py', 'print("hello")')
    quiet = sandbox.run('run', '--quiet', '-co', '~/data:data', 'train.py')
    assert quiet.stdout == b'hello\n' and quiet.stderr == b'', quiet.told()
    plain = sandbox.run('run', '-co', '~/data:data', 'train.py')
    for flag in ('-v', '--verbose'):
        verbose = sandbox.run('run', flag, '-co', '~/data:data', 'train.py')
        assert verbose.stdout == b'hello\n'
        assert len(verbose.err.splitlines()) > len(plain.err.splitlines()), 'each capture is told' + verbose.told()


def test_project_and_owner_are_recorded(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'a', '--project', 'mnist', 'train.py', env={'STUDIOML_OWNER': 'ada'})
    sandbox.run('run', '-e', 'b', 'train.py')
    runs = {run['key']: run for run in sandbox.runs()}
    assert (runs['a']['project'], runs['a']['owner']) == ('mnist', 'ada')
    assert runs['b']['project'] == 'default' and runs['b']['owner']


def test_studioml_home_moves_everything(sandbox):
    sandbox.write_script('train.py', '')
    elsewhere = sandbox.root / 'else where'
    sandbox.run('run', '-e', 'exp', 'train.py', env={'STUDIOML_HOME': elsewhere})
    assert (elsewhere / 'store').is_dir() and (elsewhere / 'studio.db').is_file()
    assert not sandbox.studio_home.exists(), 'nothing may be made in the usual place'
    assert sandbox.runs() == [], 'the usual home knows nothing of it'


def test_nothing_is_left_in_the_current_directory(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', 'train.py')
    assert os.listdir(sandbox.workspace) == ['train.py']
