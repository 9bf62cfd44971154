"""Tests of the script side: studio.fs_tracker and the examples.

    python3 -m unittest discover -s test/script

STUDIO_TEST_NUMPY_PYTHON names an interpreter that has NumPy, for the examples; by default it is
this one or the system's.
"""

import ast
import glob
import json
import os
import pickle
import re
import shutil
import subprocess
import sys
import tempfile
import unittest
from typing import Dict, List, Optional, Type
from unittest import mock

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
PYTHON = os.path.join(ROOT, 'python')
sys.path.insert(0, PYTHON)

from studio import fs_tracker  # noqa: E402

DEFAULT_TAGS = ('workspace', 'output', 'modeldir', 'tb')


class RunTest(unittest.TestCase):
    """Starts each test outside a run: no variable of Studio set, a home of its own."""

    def setUp(self) -> None:
        self.dir = os.path.realpath(tempfile.mkdtemp(prefix='fs_tracker '))
        self.addCleanup(shutil.rmtree, self.dir)
        environment = mock.patch.dict(os.environ)
        environment.start()
        self.addCleanup(environment.stop)
        for name in list(os.environ):
            if name.startswith('STUDIO'):
                del os.environ[name]
        os.environ['HOME'] = self.dir
        self.mapping = os.path.join(self.dir, 'artifacts.json')

    def start_run(self, **artifacts: str) -> Dict[str, str]:
        """Set the environment as Studio does; returns the whole mapping."""
        mapping = {tag: os.path.join(self.dir, 'run', tag) for tag in DEFAULT_TAGS}
        mapping.update(artifacts)
        self.start_run_with(json.dumps(mapping).encode())
        return mapping

    def start_run_with(self, mapping: bytes) -> None:
        with open(self.mapping, 'wb') as file:
            file.write(mapping)
        os.environ['STUDIOML_EXPERIMENT'] = 'mine'
        os.environ['STUDIOML_ATTEMPT'] = '0'
        os.environ['STUDIOML_HOME'] = os.path.join(self.dir, 'home')
        os.environ['STUDIOML_ARTIFACT_MAPPING'] = self.mapping

    def assert_error(self, error: Type[Exception], text: str, function: str, *args: object) -> None:
        """Assert that the function raises just this error, with just this text."""
        with self.assertRaises(fs_tracker.ArtifactError) as caught:
            getattr(fs_tracker, function)(*args)
        self.assertIs(type(caught.exception), error)
        self.assertEqual(str(caught.exception), text)


class GetArtifactTest(RunTest):
    def test_returns_the_path_of_the_mapping(self) -> None:
        mapping = self.start_run(weights=os.path.expanduser('~/weights'))
        self.assertEqual(fs_tracker.get_artifact('weights'), os.path.join(self.dir, 'weights'))
        for tag in DEFAULT_TAGS:
            self.assertEqual(fs_tracker.get_artifact(tag), mapping[tag])
        self.assertIs(type(fs_tracker.get_artifact('weights')), str)

    def test_creates_nothing(self) -> None:
        self.start_run(weights=os.path.join(self.dir, 'weights'))
        fs_tracker.get_artifact('weights')
        self.assertEqual(os.listdir(self.dir), ['artifacts.json'])

    def test_does_not_depend_on_the_working_directory(self) -> None:
        self.start_run(weights='/weights')
        self.addCleanup(os.chdir, os.getcwd())
        os.chdir('/')
        self.assertEqual(fs_tracker.get_artifact('weights'), '/weights')

    def test_sees_a_mapping_that_changed(self) -> None:
        self.start_run(weights='/a')
        self.assertEqual(fs_tracker.get_artifact('weights'), '/a')
        self.start_run(weights='/b')
        self.assertEqual(fs_tracker.get_artifact('weights'), '/b')

    def test_takes_any_path(self) -> None:
        for path in ('/my data/a  b', '/données/数据/😀', '/quote"\\back\'', '/line\nbreak\t', '/'):
            for ascii_only in (True, False):
                text = json.dumps({'weights': path}, ensure_ascii=ascii_only)
                self.start_run_with(text.encode('utf-8'))
                self.assertEqual(fs_tracker.get_artifact('weights'), path)

    def test_is_the_same_in_a_child_process(self) -> None:
        self.start_run(weights='/weights')
        code = "from studio import fs_tracker; print(fs_tracker.get_artifact('weights'))"
        output = subprocess.check_output([sys.executable, '-c', code],
                                         env=dict(os.environ, PYTHONPATH=PYTHON))
        self.assertEqual(output, b'/weights\n')

    def test_import_studio_is_enough(self) -> None:
        output = subprocess.check_output(
            [sys.executable, '-c', 'import studio; print(studio.fs_tracker.get_queue_directory())'],
            env=dict(os.environ, PYTHONPATH=PYTHON, STUDIOML_HOME='/home'))
        self.assertEqual(output, b'/home/queue\n')


class UnknownTagTest(RunTest):
    def test_names_the_tags_and_the_nearest(self) -> None:
        self.start_run(weights='/weights')
        self.assert_error(
            fs_tracker.UnknownTagError,
            "This run has no artifact 'wieghts'. Did you mean 'weights'? "
            "The tags are: modeldir, output, tb, weights, workspace.",
            'get_artifact', 'wieghts')

    def test_suggests_nothing_far_away(self) -> None:
        self.start_run()
        self.assert_error(
            fs_tracker.UnknownTagError,
            "This run has no artifact 'Ünïcode x'. The tags are: modeldir, output, tb, workspace.",
            'get_artifact', 'Ünïcode x')

    def test_a_run_without_artifacts(self) -> None:
        self.start_run_with(b'{}')
        self.assert_error(fs_tracker.UnknownTagError,
                          "This run has no artifact ''. The tags are: (none).", 'get_artifact', '')

    def test_is_a_key_error_that_survives_pickling(self) -> None:
        self.start_run()
        with self.assertRaises(KeyError) as caught:
            fs_tracker.get_artifact('x')
        copy = pickle.loads(pickle.dumps(caught.exception))
        self.assertIs(type(copy), fs_tracker.UnknownTagError)
        self.assertEqual(str(copy), str(caught.exception))

    def test_a_tag_that_is_no_string(self) -> None:
        self.start_run()
        for tag, noun in ((None, 'NoneType'), (b'tb', 'bytes'), (['tb'], 'list')):
            self.assert_error(fs_tracker.InvalidNameError,
                              'A tag must be a str, not %s.' % noun, 'get_artifact', tag)


class OutsideARunTest(RunTest):
    def assert_command(self, command: str, function: str, *args: object,
                       variable: str = 'STUDIOML_ARTIFACT_MAPPING') -> None:
        self.assert_error(fs_tracker.NotInRunError,
                          'This script was not started by Studio: %s is not set. '
                          'Start it with: %s' % (variable, command), function, *args)

    def test_get_artifact_tells_the_command(self) -> None:
        with mock.patch.object(sys, 'argv', ['my dir/train.py', '--epochs', '3']):
            self.assert_command("studio run --capture=PATH:weights 'my dir/train.py'",
                                'get_artifact', 'weights')

    def test_a_default_or_impossible_tag_needs_no_flag(self) -> None:
        with mock.patch.object(sys, 'argv', ['train.py']):
            for tag in DEFAULT_TAGS + ('', '..', 'my weights', 'a/b', 'é'):
                self.assert_command('studio run train.py', 'get_artifact', tag)

    def test_no_script(self) -> None:
        for argv in ([''], ['-c'], ['-m'], ['-'], []):  # type: List[str]
            with mock.patch.object(sys, 'argv', argv):
                self.assert_command('studio run --capture=PATH:w script.py', 'get_artifact', 'w')

    def test_the_other_functions(self) -> None:
        with mock.patch.object(sys, 'argv', ['train.py']):
            self.assert_command('studio run train.py', 'get_artifacts')
            self.assert_command('studio run train.py', 'get_model_directory')
            self.assert_command('studio run train.py', 'get_tensorboard_dir')
            self.assert_command('studio run --capture=PATH:w train.py', 'get_artifact_cache', 'w')
            self.assert_command('studio run train.py', 'get_experiment_key',
                                variable='STUDIOML_EXPERIMENT')

    def test_an_empty_variable_is_not_set(self) -> None:
        os.environ.update(STUDIOML_ARTIFACT_MAPPING='', STUDIOML_EXPERIMENT='', STUDIOML_HOME='')
        with mock.patch.object(sys, 'argv', ['train.py']):
            self.assert_command('studio run train.py', 'get_artifact', 'tb')
            self.assert_command('studio run train.py', 'get_experiment_key',
                                variable='STUDIOML_EXPERIMENT')
        self.assertEqual(fs_tracker.get_studio_home(), os.path.join(self.dir, '.studioml'))

    def test_is_a_runtime_error(self) -> None:
        self.assertTrue(issubclass(fs_tracker.NotInRunError, RuntimeError))


class MappingTest(RunTest):
    def assert_damaged(self, mapping: bytes, reason: str = '') -> None:
        self.start_run_with(mapping)
        for function, args in (('get_artifacts', []), ('get_artifact', ['tb'])):
            with self.assertRaises(fs_tracker.MappingError, msg=repr(mapping)) as caught:
                getattr(fs_tracker, function)(*args)
            start = 'The artifact mapping %s is damaged: %s' % (self.mapping, reason)
            self.assertEqual(str(caught.exception)[:len(start)], start)

    def test_missing(self) -> None:
        self.start_run()
        os.remove(self.mapping)
        self.assert_error(fs_tracker.MappingError,
                          'The artifact mapping %s cannot be read: No such file or directory.'
                          % self.mapping, 'get_artifact', 'tb')

    def test_a_directory(self) -> None:
        self.start_run()
        os.environ['STUDIOML_ARTIFACT_MAPPING'] = self.dir
        self.assert_error(fs_tracker.MappingError,
                          'The artifact mapping %s cannot be read: Is a directory.' % self.dir,
                          'get_artifacts')

    def test_not_json(self) -> None:
        for text in (b'', b' ', b'{', b'{"tb": "/x"', b'{"tb": "/x",}', b'{"tb" "/x"}', b'{tb: "/x"}',
                     b"{'tb': '/x'}", b'{"tb": "/x"} x', b'{"tb": "/x}', b'{"tb": "/\\x"}',
                     b'{"tb": "/\\u12g4"}', b'{"tb": "/\n"}', b'\xef\xbb\xbf{}', b'\0',
                     b'{"tb": ' + b'[' * 100000):
            self.assert_damaged(text)

    def test_not_an_object(self) -> None:
        for text in (b'[]', b'null', b'"/x"', b'1', b'[["tb", "/x"]]'):
            self.assert_damaged(text, 'it is not a JSON object')

    def test_not_a_string(self) -> None:
        for text in (b'1', b'null', b'true', b'[]', b'{}', b'NaN'):
            self.assert_damaged(b'{"tb": %s}' % text, "the path of 'tb' is not a string")

    def test_not_an_absolute_path(self) -> None:
        for text in (b'""', b'"x"', b'"./x"', b'"~/x"', b'"/x\\u0000y"'):
            self.assert_damaged(b'{"tb": %s}' % text, "the path of 'tb' is not an absolute path")

    def test_a_tag_twice(self) -> None:
        self.assert_damaged(b'{"tb": "/x", "tb": "/y"}', 'a tag occurs twice')

    def test_not_utf8(self) -> None:
        for text in (b'{"tb": "/\xff"}', b'{"tb": "/\xc3"}', b'{"tb": "/\xed\xa0\x80"}',
                     b'{"tb": "/\\ud800"}', b'{"tb": "/\\udc00\\ud800"}', b'{"\\ud800": "/x"}'):
            self.assert_damaged(text)

    def test_surrogate_pairs(self) -> None:
        self.start_run_with(b'{"tb": "/\\ud83d\\ude00"}')
        self.assertEqual(fs_tracker.get_artifact('tb'), '/😀')


class OtherFunctionsTest(RunTest):
    def test_get_artifacts(self) -> None:
        mapping = self.start_run(weights='/weights')
        self.assertEqual(fs_tracker.get_artifacts(), mapping)
        fs_tracker.get_artifacts().clear()
        self.assertEqual(fs_tracker.get_artifacts(), mapping)

    def test_get_artifact_cache(self) -> None:
        mapping = self.start_run(weights='/weights')
        self.assertEqual(fs_tracker.get_artifact_cache('weights'), '/weights')
        self.assertEqual(fs_tracker.get_artifact_cache('tb', None), mapping['tb'])
        self.assertEqual(fs_tracker.get_artifact_cache('weights', 'mine'), '/weights')
        self.assertEqual(fs_tracker.get_artifact_cache('weights', experiment_key='other.1'),
                         os.path.join(self.dir, 'home', 'experiments', 'other.1', 'weights'))
        with self.assertRaises(fs_tracker.UnknownTagError):
            fs_tracker.get_artifact_cache('x')

    def test_get_artifact_cache_of_another_experiment_outside_a_run(self) -> None:
        self.assertEqual(fs_tracker.get_artifact_cache('w', 'other'),
                         os.path.join(self.dir, '.studioml', 'experiments', 'other', 'w'))

    def test_get_model_directory_and_get_tensorboard_dir(self) -> None:
        mapping = self.start_run()
        experiments = os.path.join(self.dir, 'home', 'experiments')
        for function, tag in ((fs_tracker.get_model_directory, 'modeldir'),
                              (fs_tracker.get_tensorboard_dir, 'tb')):
            self.assertEqual(function(), mapping[tag])
            self.assertEqual(function('mine'), mapping[tag])
            self.assertEqual(function(experiment_key='other'),
                             os.path.join(experiments, 'other', tag))

    def test_get_blob_cache_and_get_queue_directory(self) -> None:
        self.start_run()
        home = os.path.join(self.dir, 'home')
        self.assertEqual(fs_tracker.get_blob_cache('0a1b.tar'),
                         os.path.join(home, 'blobcache', '0a1b.tar'))
        self.assertEqual(fs_tracker.get_queue_directory(), os.path.join(home, 'queue'))
        self.assertFalse(os.path.exists(home))

    def test_get_experiment_key_and_get_studio_home(self) -> None:
        self.assertEqual(fs_tracker.get_studio_home(), os.path.join(self.dir, '.studioml'))
        self.start_run()
        self.assertEqual(fs_tracker.get_experiment_key(), 'mine')
        self.assertEqual(fs_tracker.get_studio_home(), os.path.join(self.dir, 'home'))

    def test_a_home_that_is_not_absolute(self) -> None:
        os.environ['STUDIOML_HOME'] = 'home'
        self.assert_error(fs_tracker.ArtifactError,
                          "Studio's home 'home' is not an absolute path: set STUDIOML_HOME.",
                          'get_queue_directory')

    def test_invalid_names(self) -> None:
        self.start_run()
        for name in ('', '.', '..', 'a/b', '../x', '/x', 'a b', 'é', 'x\n', 'a\0', '٣', 3):
            for noun, function, args in (
                    ('tag', 'get_artifact_cache', [name, 'other']),
                    ('experiment key', 'get_artifact_cache', ['tb', name]),
                    ('experiment key', 'get_model_directory', [name]),
                    ('experiment key', 'get_tensorboard_dir', [name]),
                    ('blob key', 'get_blob_cache', [name])):
                self.assert_error(
                    fs_tracker.InvalidNameError,
                    "'%s' is not a valid %s: use letters, digits, '.', '_' and '-', "
                    "and not only '.' or '..'." % (name, noun), function, *args)
        self.assertTrue(issubclass(fs_tracker.InvalidNameError, ValueError))

    def test_odd_but_valid_names(self) -> None:
        for name in ('...', '.x', '-', '_', 'A-b_c.9'):
            self.assertTrue(fs_tracker.get_blob_cache(name).endswith('/blobcache/' + name))

    def test_all_lists_what_is_public(self) -> None:
        public = [name for name, value in vars(fs_tracker).items() if not name.startswith('_')
                  and getattr(value, '__module__', None) == fs_tracker.__name__]
        self.assertEqual(sorted(public), sorted(fs_tracker.__all__))


class SyntaxTest(unittest.TestCase):
    def test_python_3_6_can_read_it(self) -> None:
        if sys.version_info < (3, 8):
            return  # this interpreter has just read it
        paths = [path for folder in ('python/studio', 'examples', 'test/script')
                 for path in glob.glob(os.path.join(ROOT, folder, '*.py'))]
        self.assertGreaterEqual(len(paths), 5)
        for path in paths:
            with open(path, encoding='utf-8') as file:
                ast.parse(file.read(), path, feature_version=(3, 6))


def find_numpy() -> Optional[str]:
    """Return an interpreter that has NumPy; None if there is none."""
    for python in (os.environ.get('STUDIO_TEST_NUMPY_PYTHON'), sys.executable, '/usr/bin/python3'):
        if python and shutil.which(python) and not subprocess.call(
                [python, '-c', 'import numpy'], stderr=subprocess.DEVNULL):
            return python
    return None


class ExamplesTest(RunTest):
    python = ''

    @classmethod
    def setUpClass(cls) -> None:
        cls.python = find_numpy() or ''
        if not cls.python:
            reason = 'the examples are NOT tested: no interpreter here has NumPy (python3-numpy)'
            sys.stderr.write('\nSKIPPED: %s\n' % reason)
            raise unittest.SkipTest(reason)

    def setUp(self) -> None:
        super().setUp()
        self.weights = os.path.join(self.dir, 'my weights')
        self.start_run(weights=self.weights, w=self.weights)

    def run_example(self, name: str, *args: str) -> 'subprocess.CompletedProcess[str]':
        work = os.path.join(self.dir, 'work')
        os.makedirs(work, exist_ok=True)
        result = subprocess.run(
            [self.python, os.path.join(ROOT, 'examples', name)] + list(args),
            env=dict(os.environ, PYTHONPATH=PYTHON, PYTHONDONTWRITEBYTECODE='1'), cwd=work,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)
        self.assertEqual(os.listdir(work), [])
        return result

    def test_train_then_print(self) -> None:
        trained = self.run_example('train_linreg.py')
        self.assertEqual((trained.returncode, trained.stderr), (0, ''))
        losses = re.findall(r'^step (\d+): loss ([\d.]+)$', trained.stdout, re.M)
        self.assertEqual([int(step) for step, _ in losses], list(range(1, 21)))
        self.assertEqual(sorted(os.listdir(self.weights)),
                         sorted('lr_w_%s_%s.npy' % pair for pair in losses))
        values = [float(loss) for _, loss in losses]
        self.assertEqual(values, sorted(values, reverse=True))
        self.assertLess(values[-1], values[0] / 10)

        printed = self.run_example('print_norm_linreg.py')
        self.assertEqual((printed.returncode, printed.stderr), (0, ''))
        norms = re.findall(r'^step (\d+): norm [\d.]+$', printed.stdout, re.M)
        self.assertEqual([int(step) for step in norms], list(range(1, 21)))
        self.assertIn('newest weights, of step 20: [', printed.stdout)

    def test_steps(self) -> None:
        trained = self.run_example('train_linreg.py', '--steps', '12')
        self.assertEqual(len(trained.stdout.splitlines()), 12)
        printed = self.run_example('print_norm_linreg.py', '--steps=2')
        self.assertEqual(re.findall(r'^step (\d+):', printed.stdout, re.M), ['11', '12'])
        for example in ('train_linreg.py', 'print_norm_linreg.py'):
            refused = self.run_example(example, '--steps', '0')
            self.assertEqual(refused.returncode, 2)
            self.assertIn('--steps must be at least 1', refused.stderr)

    def test_training_is_reproducible(self) -> None:
        first = self.run_example('train_linreg.py', '--steps', '3')
        self.assertEqual(self.run_example('train_linreg.py', '--steps', '3').stdout, first.stdout)
        self.assertEqual(len(os.listdir(self.weights)), 3)

    def test_nothing_to_print(self) -> None:
        for state in ('missing', 'empty', 'other files'):
            if state == 'empty':
                os.mkdir(self.weights)
            elif state == 'other files':
                os.mkdir(os.path.join(self.weights, 'notes'))
            printed = self.run_example('print_norm_linreg.py')
            self.assertEqual((printed.returncode, printed.stdout), (1, ''))
            self.assertEqual(printed.stderr, 'There are no weights in %s: run train_linreg.py '
                                             'first.\n' % self.weights)

    def test_without_studio_they_tell_the_command(self) -> None:
        del os.environ['STUDIOML_ARTIFACT_MAPPING']
        for example, tag in (('train_linreg.py', 'weights'), ('print_norm_linreg.py', 'w')):
            failed = self.run_example(example)
            self.assertEqual(failed.returncode, 1)
            self.assertRegex(failed.stderr,
                             r'Start it with: studio run --capture=PATH:%s \S*%s' % (tag, example))


if __name__ == '__main__':
    unittest.main()
