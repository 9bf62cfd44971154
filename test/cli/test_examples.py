"""The two example scripts, with the commands that a new user types."""

import re
import shutil

import pytest


@pytest.fixture
def linear_regression(sandbox, repository):
    """A home in which train_linreg.py has been run as the tour shows."""
    for name in ('train_linreg.py', 'print_norm_linreg.py'):
        shutil.copy(repository / 'examples' / name, sandbox.workspace)
    sandbox.trained = sandbox.run('run', '--capture=~/weights:weights', '--experiment', 'linear_regression',
                                  'train_linreg.py')
    return sandbox


def test_R36_train_linreg_captures_its_weights(linear_regression):
    assert re.search(r'\d\.\d', linear_regression.trained.out), 'it tells of its loss'
    files = [e for e in linear_regression.json('artifacts', 'files', 'linear_regression/weights', '-R')['entries']
             if e['type'] == 'file' and e['size'] > 0]
    assert files, 'weights were captured'
    assert list((linear_regression.home / 'weights').iterdir()), 'and lie where the user said'


def test_R36_print_norm_linreg_reuses_them(linear_regression):
    result = linear_regression.run('run', '--reuse=linear_regression/weights:w', 'print_norm_linreg.py')
    assert re.search(r'\d\.\d', result.out), 'it prints a norm: %s' % result.told()


def test_R36_the_examples_run_from_the_repository(sandbox, repository):
    sandbox.run('run', '--capture=~/weights:weights', '-e', 'linear_regression',
                repository / 'examples/train_linreg.py')
    again = [sandbox.run('run', '--reuse=linear_regression/weights:w', repository / 'examples/print_norm_linreg.py').out
             for _ in range(2)]
    assert again[0] == again[1] != '', 'the same weights have the same norms'
