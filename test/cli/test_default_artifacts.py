"""The artifacts that every run has without a flag: workspace, output, modeldir, tb."""

from oracle import assert_same_tree

DEFAULTS = ('workspace', 'output', 'modeldir', 'tb')


def test_R24_default_artifacts_exist_without_a_flag(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        for tag, path in sorted(fs_tracker.get_artifacts().items()):
            print(tag, os.path.exists(path), os.path.isdir(path))
    ''')
    result = sandbox.run('run', '-e', 'exp', 'train.py')
    assert result.out == 'modeldir True True\noutput True False\ntb True True\nworkspace True True\n', result.told()
    listing = sandbox.json('artifacts', 'list', 'exp')['artifacts']
    assert {a['tag'] for a in listing} == set(DEFAULTS)
    assert all(a['versions'] >= 1 for a in listing), 'each has a version: %r' % listing
    assert {a['tag']: a['kind'] for a in listing}['output'] == 'file'


def test_R25_workspace_is_the_current_directory_and_its_state_is_saved(sandbox):
    sandbox.write_script('train.py', '''
        import os
        open('result.txt', 'w').write('made by the script')
        open('notes.txt', 'a').write(' and after')
        os.remove('gone.txt')
    ''')
    (sandbox.workspace / 'notes.txt').write_text('before')
    (sandbox.workspace / 'gone.txt').write_text('')
    sandbox.run('run', '-e', 'exp', 'train.py')
    artifact = next(a for a in sandbox.json('artifacts', 'list', 'exp')['artifacts'] if a['tag'] == 'workspace')
    assert artifact['path'] == str(sandbox.workspace)
    sandbox.run('artifacts', 'get', 'exp/workspace', sandbox.home / 'restored')
    assert_same_tree(sandbox.workspace, sandbox.home / 'restored')
    assert sandbox.cat('exp/workspace', 'notes.txt') == b'before and after'
    assert not any('gone.txt' in path for path in sandbox.paths('exp/workspace'))


def test_R25_the_studioml_ignore_file_leaves_things_out(sandbox):
    sandbox.write_script('train.py', 'open("big.bin", "w").write("left out")')
    (sandbox.workspace / '.studioml_ignore').write_text('*.bin\n')
    sandbox.run('run', '-e', 'exp', 'train.py')
    paths = sandbox.paths('exp/workspace')
    assert 'train.py' in paths and 'big.bin' not in paths


def test_R26_output_is_one_file_byte_for_byte(sandbox):
    sandbox.write_script('train.py', r'''
        import os
        for number in range(500):
            os.write(1, b'out %d \x00\xff\r' % number)
            os.write(2, b'err %d \x1b[0m\n' % number)
        os.write(1, b'no newline at the end')
    ''')
    expected = b''.join(b'out %d \x00\xff\rerr %d \x1b[0m\n' % (n, n) for n in range(500)) + b'no newline at the end'
    result = sandbox.run('run', '-e', 'exp', 'train.py')
    assert result.stdout == expected, 'the terminal shows all bytes in the order written'
    assert sandbox.cat('exp/output') == expected, 'the artifact holds the same'
    entries = sandbox.json('artifacts', 'files', 'exp/output')['entries']
    assert [entry['type'] for entry in entries] == ['file'] and entries[0]['size'] == len(expected)


def test_R26_five_megabytes_of_output_arrive_whole(sandbox):
    sandbox.write_script('train.py', '''
        import sys
        line = bytes(range(256)) * 64
        for number in range(320):
            sys.stdout.buffer.write(line)
    ''')
    result = sandbox.run('run', '-e', 'exp', 'train.py')
    assert result.stdout == bytes(range(256)) * 64 * 320
    assert sandbox.cat('exp/output') == result.stdout


def test_R26_the_user_sees_output_live(sandbox):
    sandbox.write_script('train.py', '''
        print('first line')
        print('to stderr', file=sys.stderr)
        wait_for('seen')
        print('second line')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    run.wait_output(b'first line\nto stderr\n')
    assert b'second' not in run.stdout
    sandbox.mark('seen')
    assert run.wait().stdout == b'first line\nto stderr\nsecond line\n'


def test_R26_children_of_the_script_write_to_the_output_too(sandbox):
    sandbox.write_script('train.py', '''
        import os, subprocess
        os.write(1, b'before ')
        subprocess.run(['sh', '-c', 'printf child; printf " and its errors " >&2'])
        os.write(1, b'after')
    ''')
    assert sandbox.run('run', '-e', 'exp', 'train.py').stdout == b'before child and its errors after'
    assert sandbox.cat('exp/output') == b'before child and its errors after'


def test_R26_a_silent_script_has_an_empty_output(sandbox):
    sandbox.write_script('train.py', '')
    assert sandbox.run('run', '-e', 'exp', 'train.py').stdout == b''
    assert sandbox.cat('exp/output') == b''


def test_R27_modeldir_is_given_and_captured(sandbox):
    sandbox.write_script('train.py', '''
        import numpy, os
        from studio import fs_tracker
        directory = fs_tracker.get_model_directory()
        assert directory == fs_tracker.get_artifact('modeldir') == os.environ['STUDIO_ARTIFACT_MODELDIR']
        assert os.path.isabs(directory) and os.listdir(directory) == []
        for step in (100, 200):
            numpy.savez(os.path.join(directory, 'ckpt-%d.npz' % step), w=numpy.ones(step))
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert sandbox.paths('exp/modeldir') == {'ckpt-100.npz', 'ckpt-200.npz'}


def test_R28_tb_is_given_and_captured(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        directory = fs_tracker.get_tensorboard_dir()
        assert directory == fs_tracker.get_artifact('tb') == os.environ['STUDIO_ARTIFACT_TB']
        assert os.path.isabs(directory) and os.listdir(directory) == []
        open(os.path.join(directory, 'events.out.tfevents.1'), 'wb').write(bytes(100))
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert sandbox.cat('exp/tb', 'events.out.tfevents.1') == bytes(100)


def test_R30_capture_overrides_a_default_artifact(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        print(fs_tracker.get_model_directory() == os.path.expanduser('~/models'))
        open(os.path.join(fs_tracker.get_model_directory(), 'model'), 'w').write('mine')
    ''')
    assert sandbox.run('run', '-e', 'exp', '-c', '~/models:modeldir', 'train.py').out == 'True\n'
    assert sandbox.cat('exp/modeldir', 'model') == b'mine'
    artifact = next(a for a in sandbox.show('exp')['history'][0]['artifacts'] if a['tag'] == 'modeldir')
    assert (artifact['path'], artifact['mode'], artifact['default']) == (str(sandbox.home / 'models'), 'capture', False)


def test_R30_capture_once_overrides_a_default_artifact(sandbox):
    sandbox.write('code/only', 'this')
    sandbox.write_script('train.py', 'open("made.txt", "w").write("not captured")')
    sandbox.run('run', '-e', 'exp', '-co', '~/code:workspace', 'train.py')
    assert sandbox.paths('exp/workspace') == {'only'}
    assert [version['reason'] for version in sandbox.log('exp/workspace')] == ['once']


def test_R30_the_overridden_directory_is_still_where_the_script_runs(sandbox):
    sandbox.write('code/only', 'this')
    sandbox.write_script('train.py', 'import os; print(os.getcwd())')
    assert sandbox.run('run', '-c', '~/code:workspace', 'train.py').out == '%s\n' % sandbox.workspace
