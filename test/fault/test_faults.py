"""Strikes the real binary at every call that changes the disk: nothing that was acknowledged may be lost, and the next command mends the rest.

By default a sample of the calls is struck, spread over all of them; STUDIO_FAULT_ALL=1 strikes each one.
"""
import os
import pathlib
import random
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


LARGE = {"large": 30_000_000, "other/large": 5_000_000}  # several packs, and groups of chunks for all threads


def fill(folder):
    """Bytes that do not compress, in files of all sizes and kinds."""
    numbers = random.Random(5)
    for name, size in LARGE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(numbers.randbytes(size))
    for i in range(300):
        (folder / ("small %d" % (i % 7))).mkdir(exist_ok=True)
        (folder / ("small %d" % (i % 7)) / str(i)).write_bytes(numbers.randbytes(i * 40))
    os.link(folder / "large", folder / "other/name of large")
    os.symlink("large", folder / "link")
    with open(folder / "sparse", "wb") as sparse:
        sparse.write(b"begin")
        sparse.truncate(3_000_000)


def contents(folder):
    """What is in a folder; not what a killed update left beside it."""
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.name.startswith(".studio-get"):
            continue
        kind = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(folder))] = (path.lstat().st_mode, path.lstat().st_mtime_ns if path.is_file() else 0, kind)
    return found


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    home = Home(tmp_path_factory.mktemp("filled") / "home")
    fill(home.root / "data")
    return home


@pytest.fixture(scope="module")
def captured(tmp_path_factory):
    """The same, captured; a copy of it in `there` in which much is another."""
    home = Home(tmp_path_factory.mktemp("captured") / "home")
    fill(home.root / "data")
    done = home.studio("run", "-e", "exp", "-co", "%s:data" % (home.root / "data"), "/bin/true")
    assert done.returncode == 0, done.stderr
    there = home.root / "there"
    shutil.copytree(home.root / "data", there, symlinks=True)
    for i in range(0, 300, 3):
        (there / ("small %d" % (i % 7)) / str(i)).write_text("another")
    (there / "large").write_text("another")
    (there / "sparse").unlink()
    (there / "link").unlink()
    (there / "link").write_text("no link")
    return home


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


def count_calls(prepared, shim, directory, command=Home.run):
    home = copy_of(prepared, directory)
    counter = directory / "count"
    done = command(home, LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_COUNT=counter)
    assert done.returncode == 0, done.stderr
    shutil.rmtree(home.root)
    return int(counter.read_text().split()[-1])


def points(total, sample=SAMPLE):
    if os.environ.get("STUDIO_FAULT_ALL"):
        return range(1, total + 1)
    return sorted({1 + i * (total - 1) // (sample - 1) for i in range(sample)})


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


@pytest.mark.parametrize("action", ["kill-after", "EIO"])
def test_a_capture_by_many_threads_that_is_struck_can_be_done_again(filled, shim, tmp_path, action):
    """Which call it is that is struck differs from time to time: the threads race."""
    def capture(home, **more):
        return home.studio("run", "-e", "exp", "-co", "%s:data" % (home.root / "data"), "/bin/true", **more)

    total = count_calls(filled, shim, tmp_path / "count", capture)
    for at in points(total, 10):
        home = copy_of(filled, tmp_path / str(at))
        name = "%s at call %d of %d" % (action, at, total)
        capture(home, LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_AT=at, FAULT_ACTION=action)
        verified = home.studio("store", "verify")
        assert verified.returncode == 0, (name, verified.stdout, verified.stderr)
        done = capture(home)
        assert done.returncode == 0 and b"complete" not in done.stderr, (name, done)
        got = home.studio("artifacts", "get", "exp/data", str(home.root / "there"))
        assert got.returncode == 0, (name, got.stderr)
        assert contents(home.root / "there") == contents(home.root / "data"), name
        verified = home.studio("store", "verify")
        assert verified.returncode == 0, (name, verified.stdout, verified.stderr)
        shutil.rmtree(home.root)


@pytest.mark.parametrize("action", ["kill-before", "EIO"])
def test_an_update_that_is_struck_leaves_each_file_old_or_new_and_can_be_done_again(captured, shim, tmp_path, action):
    def update(home, **more):
        return home.studio("artifacts", "get", "exp/data", str(home.root / "there"), "--update", **more)

    total = count_calls(captured, shim, tmp_path / "count", update)
    for at in points(total, 10):
        home = copy_of(captured, tmp_path / str(at))
        name = "%s at call %d of %d" % (action, at, total)
        old, new = contents(home.root / "there"), contents(home.root / "data")
        done = update(home, LD_PRELOAD=shim, FAULT_PROGRAM="studio", FAULT_AT=at, FAULT_ACTION=action)
        if done.returncode == 0:  # the call only cleared up
            assert contents(home.root / "there") == new, name
        for path, found in contents(home.root / "there").items():
            assert found[2] in (old.get(path, new[path])[2], new[path][2]), (name, path)
        done = update(home)
        assert done.returncode == 0, (name, done)
        assert contents(home.root / "there") == new, name
        shutil.rmtree(home.root)
