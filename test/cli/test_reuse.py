"""Reuse: an artifact of an earlier experiment, read-only, under a tag of this one."""

import pytest

from harness import wait_until

READ = '''
    import os
    from studio import fs_tracker
    print(open(os.path.join(fs_tracker.get_artifact('w'), 'x')).read())
'''


@pytest.fixture
def trained(sandbox):
    """An experiment with two versions of weights: v0 holds "old", v1 holds "new"."""
    sandbox.write_script('train.py', 'print("trained")')
    sandbox.write_script('read.py', READ)
    for content in ('old', 'new'):
        sandbox.write('weights/x', content)
        sandbox.run('run', '-e', 'linear_regression', '-co', '~/weights:weights', 'train.py')
    return sandbox


@pytest.mark.parametrize('flag', [['--reuse=linear_regression/weights:w'], ['--reuse', 'linear_regression/weights:w'],
                                  ['-r', 'linear_regression/weights:w'], ['-r=linear_regression/weights:w']],
                         ids=['long=', 'long', 'short', 'short='])
def test_R19_reuse_gives_the_artifact_under_the_new_tag(trained, flag):
    assert trained.run('run', *flag, 'read.py').out == 'new\n'


@pytest.mark.parametrize('pin, content', [('', 'new'), ('@latest', 'new'), ('@v0', 'old'), ('@v1', 'new')])
def test_R19_a_version_can_be_pinned(trained, pin, content):
    result = trained.run('run', '-e', 'reader', '-r', 'linear_regression/weights%s:w' % pin, 'read.py')
    assert result.out == content + '\n', result.told()
    artifact = next(a for a in trained.show('reader')['history'][0]['artifacts'] if a['tag'] == 'w')
    version = {'old': 'v0', 'new': 'v1'}[content]
    assert artifact['mode'] == 'reuse' and artifact['source'] == 'linear_regression/weights@' + version, \
        'the record holds the pinned version: %r' % artifact


def test_R19_without_a_new_tag_it_keeps_its_own(trained):
    trained.write_script('own.py', READ.replace("'w'", "'weights'"))
    assert trained.run('run', '-r', 'linear_regression/weights', 'own.py').out == 'new\n'
    assert trained.run('run', '-r', 'linear_regression/weights@v0', 'own.py').out == 'old\n'


def test_R19_several_artifacts_are_reused_at_once(trained):
    trained.write_script('both.py', '''
        import os
        from studio import fs_tracker
        print([open(os.path.join(fs_tracker.get_artifact(tag), 'x')).read() for tag in ('a', 'b')])
    ''')
    source = 'linear_regression/weights'
    result = trained.run('run', '-r', source + '@v0:a', '-r', source + '@v1:b', 'both.py')
    assert result.out == "['old', 'new']\n", result.told()


def test_R19_a_unique_prefix_of_the_key_is_enough(trained):
    assert trained.run('run', '-r', 'lin/weights:w', 'read.py').out == 'new\n'


def test_R20_default_artifacts_can_be_reused(sandbox):
    sandbox.write_script('train.py', '''
        import os
        from studio import fs_tracker
        print('the output')
        open(os.path.join(fs_tracker.get_model_directory(), 'x'), 'w').write('a model')
        open(os.path.join(fs_tracker.get_tensorboard_dir(), 'x'), 'w').write('events')
    ''')
    sandbox.write_script('read.py', '''
        import os
        from studio import fs_tracker
        print(open(fs_tracker.get_artifact('out')).read())
        for tag, name in (('model', 'x'), ('board', 'x'), ('code', 'train.py')):
            print(open(os.path.join(fs_tracker.get_artifact(tag), name)).read()[:8])
    ''')
    sandbox.run('run', '-e', 'one', 'train.py')
    result = sandbox.run('run', '-r', 'one/output:out', '-r', 'one/modeldir:model', '-r', 'one/tb:board',
                         '-r', 'one/workspace:code', 'read.py')
    assert result.out == 'the output\n\na model\nevents\nimport o\n', result.told()


def test_R20_a_file_artifact_is_reused_as_a_file(sandbox):
    sandbox.write('vocabulary.txt', 'words')
    sandbox.write_script('train.py', '')
    sandbox.write_script('read.py', "from studio import fs_tracker; print(open(fs_tracker.get_artifact('v')).read())")
    sandbox.run('run', '-e', 'one', '-co', '~/vocabulary.txt:vocabulary', 'train.py')
    assert sandbox.run('run', '-r', 'one/vocabulary:v', 'read.py').out == 'words\n'


def test_R20_an_artifact_of_a_failed_experiment_can_be_reused(sandbox):
    sandbox.write_script('train.py', '''
        import os, sys
        open(os.path.expanduser('~/out/x'), 'w').write('until then')
        sys.exit(1)
    ''')
    sandbox.write_script('read.py', READ)
    sandbox.run('run', '-e', 'one', '-c', '~/out:out', 'train.py', check_code=1)
    assert sandbox.run('run', '-r', 'one/out:w', 'read.py').out == 'until then\n'


def test_R21_a_run_cannot_write_to_a_reused_artifact(unprivileged):
    sandbox = unprivileged
    sandbox.write('weights/sub/x', 'original')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'one', '-co', '~/weights:weights', 'train.py')
    sandbox.write_script('tamper.py', '''
        import os
        from studio import fs_tracker
        root = fs_tracker.get_artifact('w')
        attempts = [lambda: open(root + '/sub/x', 'w'), lambda: open(root + '/sub/x', 'a'),
                    lambda: open(root + '/sub/new', 'w'), lambda: open(root + '/new', 'w'),
                    lambda: os.remove(root + '/sub/x'), lambda: os.mkdir(root + '/dir'),
                    lambda: os.rename(root + '/sub', root + '/gone')]
        for number, attempt in enumerate(attempts):
            try:
                attempt()
                print('attempt', number, 'succeeded')
            except PermissionError:
                pass
        print(open(root + '/sub/x').read())
    ''')
    assert sandbox.run('run', '-r', 'one/weights:w', 'tamper.py').out == 'original\n'


def test_R21_whatever_a_run_does_the_stored_artifact_stays(trained):
    """Root may write anywhere: what is stored, and what another run is given, must not change all the same."""
    trained.write_script('tamper.py', '''
        import os, shutil
        from studio import fs_tracker
        root = fs_tracker.get_artifact('w')
        os.chmod(root, 0o755)
        os.chmod(root + '/x', 0o644)
        open(root + '/x', 'w').write('tampered with, and longer')
        open(root + '/added', 'w').close()
    ''')
    trained.run('run', '-r', 'linear_regression/weights:w', 'tamper.py')
    assert trained.cat('linear_regression/weights', 'x') == b'new', 'what is stored'
    assert trained.run('run', '-r', 'linear_regression/weights:w', 'read.py').out == 'new\n', 'what another run sees'
    assert trained.json('store', 'verify')['ok']


def test_R21_a_reused_artifact_is_not_captured_again(trained):
    trained.run('run', '-e', 'reader', '-r', 'linear_regression/weights:w', 'read.py')
    assert 'w' not in {a['tag'] for a in trained.json('artifacts', 'list', 'reader')['artifacts']}
    assert len(trained.log('linear_regression/weights')) == 2


def test_reuse_from_an_experiment_that_still_runs_gives_its_latest_version(sandbox):
    sandbox.configure('saveWorkspaceFrequency: 200ms\n')
    sandbox.write_script('train.py', '''
        open(os.path.expanduser('~/out/x'), 'w').write('so far')
        wait_for('read')
        open(os.path.expanduser('~/out/x'), 'w').write('more')
    ''')
    sandbox.write_script('read.py', READ)
    run = sandbox.start('run', '-e', 'one', '-c', '~/out:out', 'train.py')
    wait_until(lambda: sandbox.cat('one/out', 'x') == b'so far', what='the first capture')
    assert sandbox.run('run', '-r', 'one/out:w', 'read.py').out == 'so far\n'
    assert run.running
    sandbox.mark('read')
    run.wait()
    assert sandbox.run('run', '-r', 'one/out:w', 'read.py').out == 'more\n'


def test_a_pin_is_resolved_at_the_start(trained):
    """A version made while the reader runs does not change what the reader sees."""
    trained.write_script('slow.py', '''
        from studio import fs_tracker
        mark('started')
        wait_for('changed')
        print(open(os.path.join(fs_tracker.get_artifact('w'), 'x')).read())
    ''')
    reader = trained.start('run', '-e', 'reader', '-r', 'linear_regression/weights@latest:w', 'slow.py')
    trained.wait_mark('started')
    trained.write('weights/x', 'newest')
    trained.run('run', '-e', 'linear_regression', '-co', '~/weights:weights', 'train.py')
    trained.mark('changed')
    assert reader.wait().out == 'new\n'


def test_an_unknown_experiment_is_an_error_that_names_the_near_one(trained):
    trained.fails(254, 'run', '--reuse', 'linear_regresion/weights:w', 'read.py',
                  tells=['--reuse', 'linear_regresion', 'linear_regression'])


def test_an_unknown_tag_is_an_error_that_lists_the_artifacts(trained):
    trained.fails(254, 'run', '--reuse', 'linear_regression/wieghts:w', 'read.py',
                  tells=['--reuse', 'wieghts', 'linear_regression', 'weights', 'workspace', 'output', 'modeldir', 'tb'])


def test_an_unknown_version_is_an_error_that_lists_what_there_is(trained):
    trained.fails(254, 'run', '--reuse', 'linear_regression/weights@v9:w', 'read.py',
                  tells=['--reuse', 'v9', 'linear_regression/weights', 'v1'])


@pytest.mark.parametrize('value', ['linear_regression', 'linear_regression/', '/weights:w',
                                   'linear_regression/weights@:w', 'linear_regression/weights@1:w', 'linear_regression/weights@newest:w',
                                   'linear_regression/weights:', 'linear_regression/weights:a/b', ''])
def test_a_malformed_reuse_is_a_usage_error_that_shows_the_form(trained, value):
    trained.fails(254, 'run', '--reuse', value, 'read.py', tells=['--reuse', 'EXP/TAG'])


def test_a_failed_reuse_starts_no_script(trained):
    trained.write_script('started.py', 'open("started", "w")')
    trained.fails(254, 'run', '-e', 'new', '-r', 'nowhere/weights:w', 'started.py')
    assert not (trained.workspace / 'started').exists()
    assert 'new' not in {run['key'] for run in trained.runs()}
