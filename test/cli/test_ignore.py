""".studioml_ignore has the syntax and the meaning of .gitignore."""

import shutil
import subprocess

import pytest

from harness import skip_loudly

FILES = ['a.log', 'b.txt', 'keep.log', 'build/out.o', 'build/sub/deep.o', 'src/build/x', 'src/a.log', 'src/keep.log',
         'src/main.py', 'docs/api/index.html', 'docs/index.html', 'docs/a/b/c/page.html', 'data/raw/1.bin',
         'data/raw/2.bin', 'data/clean/1.bin', 'tmp', 'src/tmp/y', '#notes', '!important', 'with space.txt',
         'trailing ', 'x1.dat', 'x2.dat', 'xa.dat', 'x10.dat', 'deep/foo/bar/baz', 'foo/bar/baz', '.hidden/file',
         'ünï.txt', 'UPPER.LOG']

# name: (patterns, what is left out); test_the_expectations_are_those_of_git checks each.
CASES = {
    'suffix anywhere': ('*.log', ['a.log', 'keep.log', 'src/a.log', 'src/keep.log']),
    'negation': ('*.log\n!keep.log', ['a.log', 'src/a.log']),
    'later patterns win': ('!a.log\n*.log', ['a.log', 'keep.log', 'src/a.log', 'src/keep.log']),
    'anchored': ('/a.log', ['a.log']),
    'a slash in the middle anchors': ('src/a.log', ['src/a.log']),
    'directory only': ('build/', ['build/out.o', 'build/sub/deep.o', 'src/build/x']),
    'directory only spares files': ('tmp/', ['src/tmp/y']),
    'name of file or directory': ('tmp', ['tmp', 'src/tmp/y']),
    'anchored directory': ('/build/', ['build/out.o', 'build/sub/deep.o']),
    'no way back into a left out directory': ('build/\n!build/out.o', ['build/out.o', 'build/sub/deep.o', 'src/build/x']),
    'way back into a directory of which all is left out': (
        '/build/*\n!/build/out.o', ['build/sub/deep.o']),
    'leading double star': ('**/bar', ['deep/foo/bar/baz', 'foo/bar/baz']),
    'leading double star with path': ('**/foo/bar', ['deep/foo/bar/baz', 'foo/bar/baz']),
    'trailing double star': ('docs/**', ['docs/api/index.html', 'docs/index.html', 'docs/a/b/c/page.html']),
    'double star in the middle': ('docs/**/*.html', ['docs/api/index.html', 'docs/index.html', 'docs/a/b/c/page.html']),
    'a star stays in its directory': ('docs/*/index.html', ['docs/api/index.html']),
    'a star does not cross slashes': ('docs/*.html', ['docs/index.html']),
    'question mark': ('x?.dat', ['x1.dat', 'x2.dat', 'xa.dat']),
    'character range': ('x[0-9].dat', ['x1.dat', 'x2.dat']),
    'negated range': ('x[!0-9].dat', ['xa.dat']),
    'comments and empty lines': ('# *.txt\n\n   \na.log', ['a.log', 'src/a.log']),
    'escaped number sign': ('\\#notes', ['#notes']),
    'escaped exclamation mark': ('\\!important', ['!important']),
    'spaces within': ('with space.txt', ['with space.txt']),
    'trailing spaces do not count': ('b.txt   ', ['b.txt']),
    'an escaped trailing space counts': ('trailing\\ ', ['trailing ']),
    'hidden': ('.*\n!.studioml_ignore', ['.hidden/file']),
    'all but one kind': ('*\n!*/\n!*.py\n!.studioml_ignore', [name for name in FILES if not name.endswith('.py')]),
    'unicode': ('ünï.*', ['ünï.txt']),
    'case counts': ('*.LOG', ['UPPER.LOG']),
    'nothing': ('', []),
}


def fill(directory):
    for name in FILES:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


@pytest.mark.parametrize('case', CASES)
def test_the_expectations_are_those_of_git(tmp_path, case):
    if shutil.which('git') is None:
        skip_loudly('no git to compare with')
    patterns, left_out = CASES[case]
    fill(tmp_path / 'tree')
    (tmp_path / 'tree/.studioml_ignore').write_text(patterns + '\n')
    git = ['git', '--git-dir', tmp_path / 'git', '--work-tree', tmp_path / 'tree']
    environment = {'HOME': str(tmp_path), 'PATH': '/usr/bin:/bin', 'GIT_CONFIG_NOSYSTEM': '1'}
    subprocess.run([*git, 'init', '-q'], env=environment, check=True, capture_output=True)
    listed = subprocess.run([*git, 'ls-files', '-z', '--others', '--exclude-from', tmp_path / 'tree/.studioml_ignore'],
                            env=environment, check=True, capture_output=True, cwd=tmp_path / 'tree').stdout
    kept = set(listed.decode().split('\0')) - {'', '.studioml_ignore'}
    assert set(FILES) - kept == set(left_out)


@pytest.mark.parametrize('case', CASES)
def test_R25_ignore_patterns(sandbox, case):
    patterns, left_out = CASES[case]
    fill(sandbox.workspace)
    (sandbox.workspace / '.studioml_ignore').write_text(patterns + '\n')
    sandbox.run('run', '-e', 'exp', '--', 'true')
    captured = sandbox.paths('exp/workspace') & set(FILES)
    assert set(FILES) - captured == set(left_out)


def test_R25_what_is_left_out_is_not_stored_at_all(sandbox):
    (sandbox.workspace / 'big').mkdir()
    (sandbox.workspace / 'big/file').write_bytes(b'CANARY' * 100_000)
    (sandbox.workspace / '.studioml_ignore').write_text('big/\n')
    sandbox.run('run', '-e', 'exp', '--', 'true')
    version = sandbox.log('exp/workspace')[-1]
    assert version['bytes'] < 1000 and version['complete'], version


def test_R25_an_ignore_file_that_changes_counts_from_then_on(sandbox):
    fill(sandbox.workspace)
    sandbox.run('run', '-e', 'exp', '--', 'true')
    assert 'a.log' in sandbox.paths('exp/workspace')
    (sandbox.workspace / '.studioml_ignore').write_text('*.log\n')
    sandbox.run('run', '-e', 'exp', '--', 'true')
    assert 'a.log' not in sandbox.paths('exp/workspace@latest')
    assert 'a.log' in sandbox.paths('exp/workspace@v0')
