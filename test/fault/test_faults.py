"""Strikes the real binary at every call that changes the disk: nothing that was acknowledged may be lost, and the next command mends the rest.

By default a sample of the calls is struck, spread over all of them; STUDIO_FAULT_ALL=1 strikes each one.
"""
import os
import pathlib
import shutil
import subprocess
import time

import pytest

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
STUDIO = os.environ.get("STUDIO_BIN", str(ROOT / "build" / "release" / "studio"))
SAMPLE = 24

SCRIPT = """
import os, pathlib
from studio import fs_tracker
weights = pathlib.Path(fs_tracker.get_artifact('weights'))
(weights / 'step').write_text(os.environ['STUDIOML_ATTEMPT'])
(weights / 'blob').write_bytes(bytes(range(256)) * 2000 + os.environ['STUDIOML_ATTEMPT'].encode())
print('trained')
"""


@pytest.fixture(scope="module")
def shim(tmp_path_factory):
    library = tmp_path_factory.mktemp("shim") / "fault_shim.so"
    source = pathlib.Path(__file__).with_name("fault_shim.c")
    subprocess.run(["cc", "-O1", "-fPIC", "-shared", "-o", str(library), str(source)], check=True)
    return library


class Home:
    """A home with one finished attempt (version v0), and commands in it."""

    def __init__(self, root):
        self.root = root
        self.work = root / "work"
        self.weights = root / "weights"
        self.work.mkdir(parents=True)
        (self.work / "train.py").write_text(SCRIPT)

    def environment(self, **more):
        kept = {"PATH": "/usr/bin:/bin", "HOME": str(self.root), "LANG": "C.UTF-8"}
        return {**kept, **{name: str(value) for name, value in more.items()}}

    def studio(self, *arguments, **more):
        return subprocess.run([STUDIO, *arguments], cwd=self.work, env=self.environment(**more), timeout=120,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def run(self, **more):
        return self.studio("run", "-e", "exp", "--capture=%s:weights" % self.weights, "train.py", **more)

    def check(self, name):
        """v0 is there, whole; the store verifies; the same name runs again."""
        listed = self.studio("runs", "list")
        assert listed.returncode == 0, (name, listed.stderr)
        first = self.studio("artifacts", "cat", "exp/weights@v0", "step")
        assert first.stdout == b"0", (name, first)
        verified = self.studio("store", "verify")
        assert verified.returncode == 0, (name, verified.stdout, verified.stderr)
        again = self.run()
        deadline = time.monotonic() + 60
        while b"its script still runs" in again.stderr and time.monotonic() < deadline:  # Studio died before its child
            time.sleep(0.05)
            again = self.run()
        assert again.returncode == 0 and again.stdout == b"trained\n", (name, again)
        blob = self.studio("artifacts", "cat", "exp/weights", "blob")
        assert blob.stdout == (self.weights / "blob").read_bytes(), name
        verified = self.studio("store", "verify")
        assert verified.returncode == 0, (name, verified.stdout, verified.stderr)


@pytest.fixture(scope="module")
def prepared(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("prepared") / "home")
    assert home.run().returncode == 0
    return home


def copy_of(prepared, directory):
    shutil.copytree(prepared.root, directory / "home", symlinks=True)
    home = Home.__new__(Home)
    home.root = directory / "home"
    home.work, home.weights = home.root / "work", home.root / "weights"
    return home


def count_calls(prepared, shim, directory):
    home = copy_of(prepared, directory)
    counter = directory / "count"
    done = home.run(LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_COUNT=counter)
    assert done.returncode == 0, done.stderr
    return int(counter.read_text().split()[-1])


def points(total):
    if os.environ.get("STUDIO_FAULT_ALL"):
        return range(1, total + 1)
    return sorted({1 + i * (total - 1) // (SAMPLE - 1) for i in range(SAMPLE)})


@pytest.mark.parametrize("action", ["kill-before", "kill-after"])
def test_killed_at_any_call_nothing_acknowledged_is_lost(prepared, shim, tmp_path, action):
    total = count_calls(prepared, shim, tmp_path / "count")
    assert total > 30
    for at in points(total):
        home = copy_of(prepared, tmp_path / str(at))
        home.run(LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_AT=at, FAULT_ACTION=action)
        home.check("%s at call %d of %d" % (action, at, total))
        shutil.rmtree(home.root)


@pytest.mark.parametrize("action", ["ENOSPC", "EIO"])
def test_failing_at_any_call_is_told_and_nothing_acknowledged_is_lost(prepared, shim, tmp_path, action):
    total = count_calls(prepared, shim, tmp_path / "count")
    for at in points(total):
        home = copy_of(prepared, tmp_path / str(at))
        done = home.run(LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_AT=at, FAULT_ACTION=action)
        name = "%s at call %d of %d" % (action, at, total)
        # Either the script ran undisturbed and its exit code is passed on, or Studio said before the start why not.
        assert done.returncode in (0, 255), (name, done)
        if done.returncode == 0:
            assert done.stdout == b"trained\n", (name, done)
        else:
            assert done.stderr.count(b"studio: error:") == 1, (name, done)
        home.check(name)
        shutil.rmtree(home.root)
