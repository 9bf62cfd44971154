"""How a script finds its artifacts, with nothing installed for it."""

import json
import os
import shutil
import subprocess

import pytest

from harness import Sandbox

PRINT_PATH = '''
    from studio import fs_tracker
    print(fs_tracker.get_artifact('weights'))
'''

SUM_OF_DATA = '''
    import os
    from studio import fs_tracker
    data = fs_tracker.get_artifact('data')
    print(sum(int(open(os.path.join(data, name)).read()) for name in os.listdir(data)))
'''


def test_R11_the_same_script_runs_elsewhere_without_path_corrections(sandbox, binary):
    for name in ('x', 'y'):
        sandbox.write('data/' + name, '20')
    sandbox.write_script('train.py', SUM_OF_DATA)
    assert sandbox.run('run', '-e', 'here', '-co', '~/data:data', 'train.py').out == '40\n'
    (sandbox.home / 'data').rename(sandbox.home / 'moved away')
    another = sandbox.home / 'another place'
    another.mkdir()
    shutil.copy(sandbox.workspace / 'train.py', another)
    assert sandbox.run('run', '-r', 'here/data:data', 'train.py', cwd=another).out == '40\n', \
        'neither the script nor its path to the data changes'
    elsewhere = Sandbox(binary)
    try:
        elsewhere.write('other/z', '7')
        shutil.copy(sandbox.workspace / 'train.py', elsewhere.workspace)
        assert elsewhere.run('run', '-co', '~/other:data', 'train.py').out == '7\n'
    finally:
        elsewhere.close()


def test_R12_get_artifact_returns_a_path_with_nothing_installed(sandbox):
    """The binary alone is enough: a copy of it, far from the repository, in an empty home."""
    tools = sandbox.home / 'tools'
    tools.mkdir()
    sandbox.binary = shutil.copy(sandbox.binary, tools / 'studio')
    sandbox.write('weights/x', 'x')
    sandbox.write_script('train.py', PRINT_PATH)
    result = sandbox.run('run', '-c', '~/weights:weights', 'train.py')
    assert result.out == '%s\n' % (sandbox.home / 'weights'), result.told()


def test_R12_an_unknown_tag_raises_an_error_that_names_the_tags(sandbox):
    sandbox.write('weights/x', 'x')
    sandbox.write_script('train.py', '''
        from studio import fs_tracker
        try:
            fs_tracker.get_artifact('wieghts')
        except Exception as error:
            print(error)
    ''')
    message = sandbox.run('run', '-c', '~/weights:weights', 'train.py').out
    for tag in ('weights', 'workspace', 'output', 'modeldir', 'tb', 'wieghts'):
        assert tag in message, 'the error names %r: %r' % (tag, message)


def test_R12_outside_a_run_the_error_says_how_to_start_the_script(sandbox, repository):
    script = sandbox.write_script('train.py', PRINT_PATH)
    shown = subprocess.run(['/usr/bin/python3', script], capture_output=True, cwd=sandbox.workspace,
                           env=sandbox.environment({'PYTHONPATH': repository / 'python'}))
    assert shown.returncode != 0
    assert b'studio run' in shown.stderr and b'train.py' in shown.stderr, shown.stderr


def test_R13_the_path_is_exactly_the_expanded_one(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        print(fs_tracker.get_artifact('weights') == os.path.expanduser('~/weights'))
    ''')
    for flag in ('-c', '-co'):  # the first makes the directory
        assert sandbox.run('run', flag, '~/weights:weights', 'train.py').out == 'True\n'


def test_R13_a_symlink_in_the_path_is_not_resolved(sandbox):
    sandbox.write('disk/weights/x', 'x')
    (sandbox.home / 'weights').symlink_to(sandbox.home / 'disk/weights')
    sandbox.write_script('train.py', PRINT_PATH)
    result = sandbox.run('run', '-e', 'exp', '-c', '~/weights:weights', 'train.py')
    assert result.out == '%s\n' % (sandbox.home / 'weights'), result.told()
    assert sandbox.cat('exp/weights', 'x') == b'x', 'what the user names is followed'


def test_R18_another_path_swaps_the_data_without_touching_the_script(sandbox):
    sandbox.write('small/x', '1')
    sandbox.write('large/x', '1000')
    sandbox.write_script('train.py', SUM_OF_DATA)
    assert sandbox.run('run', '-co', '~/small:data', 'train.py').out == '1\n'
    assert sandbox.run('run', '-co', '~/large:data', 'train.py').out == '1000\n'


def test_the_whole_interface_of_fs_tracker(sandbox):
    sandbox.write('data/x', 'x')
    sandbox.write_script('train.py', '''
        import json
        from studio import fs_tracker as f
        print(json.dumps([f.get_experiment_key(), f.get_studio_home(), f.get_artifacts()['data'],
                          f.get_artifact_cache('data'), f.get_model_directory(), f.get_tensorboard_dir(),
                          f.get_blob_cache('b'), f.get_queue_directory()]))
    ''')
    seen = json.loads(sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py').stdout)
    data, home = str(sandbox.home / 'data'), str(sandbox.studio_home)
    assert seen[:4] == ['exp', home, data, data]
    assert all(os.path.isabs(path) for path in seen[4:]), seen


@pytest.mark.parametrize('tag, variable', [('data', 'STUDIO_ARTIFACT_DATA'), ('a-b.c_1', 'STUDIO_ARTIFACT_A_B_C_1')])
def test_every_language_finds_the_path_in_a_variable(sandbox, tag, variable):
    sandbox.write('data/x', 'content')
    sandbox.write_script('train.sh', '#!/bin/sh\ncat "$%s/x"\n' % variable)
    assert sandbox.run('run', '-co', '~/data:' + tag, './train.sh').out == 'content'


def test_studio_path_gives_the_path_inside_a_run(sandbox):
    sandbox.write('data/x', 'x')
    sandbox.write_script('train.sh', '''\
        #!/bin/sh
        "$TEST_STUDIO" path data
        "$TEST_STUDIO" path modeldir > "$TEST_MARKS/modeldir"
        "$TEST_STUDIO" path data --json > "$TEST_MARKS/json"
        "$TEST_STUDIO" path dta 2> "$TEST_MARKS/error"
        echo $?
    ''')
    result = sandbox.run('run', '-co', '~/data:data', './train.sh')
    data = str(sandbox.home / 'data')
    assert result.out == '%s\n254\n' % data, result.told()
    assert json.loads((sandbox.marks / 'json').read_text()) == {'tag': 'data', 'path': data}
    assert os.path.isabs((sandbox.marks / 'modeldir').read_text())
    error = (sandbox.marks / 'error').read_text()
    assert 'dta' in error and 'data' in error and 'workspace' in error, 'the tags there are: %r' % error


def test_studio_path_outside_a_run_is_refused(sandbox):
    sandbox.fails((254, 255), 'path', 'data')


def test_a_studio_module_in_the_workspace_is_noticed(sandbox):
    sandbox.write_script('studio.py', 'fs_tracker = None\n')
    sandbox.write_script('train.py', 'import studio; print(studio.fs_tracker)')
    result = sandbox.run('run', 'train.py')
    assert result.out == 'None\n', 'the script runs as it would without Studio'
    assert 'studio.py' in result.err, 'but the user is told that it hides the package' + result.told()
