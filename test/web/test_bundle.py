"""What is committed as the page is what its sources give."""

import gzip
import pathlib
import re
import shutil
import subprocess

import pytest

from harness import skip_loudly

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
WEB = REPOSITORY / 'web'
MOST_SCRIPT_BYTES = 100_000


def content(directory):
    return {str(path.relative_to(directory)): path.read_bytes() for path in directory.rglob('*') if path.is_file()}


def test_it_is_built_from_its_sources(tmp_path):
    if shutil.which('npm') is None:
        skip_loudly('no npm')
    copy = tmp_path / 'web'
    shutil.copytree(WEB, copy, ignore=shutil.ignore_patterns('node_modules', 'dist'))
    for command in (['npm', 'ci'], ['npm', 'run', 'build']):
        result = subprocess.run(command, cwd=copy, capture_output=True, text=True)
        assert result.returncode == 0, result.stdout + result.stderr
    built, committed = content(copy / 'dist'), content(WEB / 'dist')
    assert sorted(built) == sorted(committed)
    for name in built:
        assert built[name] == committed[name], '%s is not what `npm run build` makes' % name


def first_scripts():
    """Those that the first page loads: what index.html names, and what these import before they run."""
    page = (WEB / 'dist/index.html').read_text()
    waiting = re.findall(r'(?:src|href)="/assets/([\w.-]+\.js)"', page)
    found = {}
    while waiting:
        name = waiting.pop()
        if name in found:
            continue
        found[name] = (WEB / 'dist/assets' / name).read_bytes()
        waiting += re.findall(r'(?:from|import)\s*"\./([\w.-]+\.js)"', found[name].decode())
    return found


def test_the_first_page_is_small():
    scripts = first_scripts()
    assert {'app.js', 'theme.js'} <= set(scripts)
    assert 'scalar_charts.js' not in scripts, 'charts come when they are looked at'
    assert sum(len(gzip.compress(text, mtime=0)) for text in scripts.values()) < MOST_SCRIPT_BYTES


def test_names_stay_and_are_plain():
    names = set(content(WEB / 'dist'))
    assert {'index.html', 'favicon.svg', 'assets/app.js', 'assets/app.css'} <= names
    for name in names:
        assert re.fullmatch(r'(assets/)?[a-z0-9_.-]+', name)
    assert '<script>' not in (WEB / 'dist/index.html').read_text(), 'the policy allows no script in the document'


def test_the_lock_names_no_registry():
    lock = (WEB / 'package-lock.json').read_text()
    assert '"resolved"' not in lock and 'registry' not in lock
    assert '"integrity"' in lock


@pytest.mark.parametrize('path', sorted(path for directory in ('web/src', 'test/web') for path in (REPOSITORY / directory).rglob('*')
                                        if path.suffix in ('.ts', '.tsx', '.css', '.py')), ids=lambda path: path.name)
def test_no_file_is_long(path: pathlib.Path):
    assert len(path.read_text().splitlines()) <= 400
