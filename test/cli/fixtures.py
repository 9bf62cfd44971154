"""Fixtures of every suite that runs the binary: STUDIO_BIN names it (default: the release build). A conftest.py imports them."""

import os
import pathlib
import signal

import pytest

from harness import Sandbox

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]


@pytest.fixture(scope='session', autouse=True)
def umask():
    """Modes must not depend on who runs the tests."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture(scope='session', autouse=True)
def signals():
    """A shell that starts the tests in the background makes them ignore the keyboard, and so would every child."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number in (signal.SIGQUIT, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@pytest.fixture(scope='session')
def binary():
    path = pathlib.Path(os.environ.get('STUDIO_BIN') or REPOSITORY / 'build/release/studio').absolute()
    if not os.access(path, os.X_OK):
        pytest.exit('no studio binary at %s: build it, or set STUDIO_BIN' % path, returncode=2)
    return path


@pytest.fixture
def sandbox(binary):
    """A home of its own for one test."""
    result = Sandbox(binary)
    yield result
    result.close()


@pytest.fixture(scope='module')
def shared_sandbox(binary):
    """One for all tests of a file that only read; the file fills it."""
    result = Sandbox(binary)
    yield result
    result.close()
