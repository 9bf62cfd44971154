"""Fixtures of the black-box suite."""

import pytest

import golden
from fixtures import REPOSITORY, binary, sandbox, shared_sandbox, signals, umask  # noqa: F401
from harness import Sandbox


@pytest.fixture(scope='session')
def repository():
    return REPOSITORY


@pytest.fixture
def unprivileged(binary):
    """Like sandbox, but never with the rights of root."""
    result = Sandbox(binary, unprivileged=True)
    yield result
    result.close()


@pytest.fixture
def golden_output():
    return golden.check
