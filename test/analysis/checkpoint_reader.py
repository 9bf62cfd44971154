"""What the tests of checkpoints share: our reader, and files that are none."""

import json
import os
import pathlib
import random
import subprocess

GIVEN = os.environ.get('PRINT_CHECKPOINT')
READER = pathlib.Path(GIVEN or pathlib.Path(__file__).resolve().parents[2] / 'build/release/test/print_checkpoint')
# A reader with a sanitizer, which takes what memory it likes, is given.
COMMAND = [GIVEN] if GIVEN else ['prlimit', '--as=%d' % (1 << 30), READER]


def run(path):
    return subprocess.run(COMMAND + [path], capture_output=True, text=True)


def read(path):
    result = run(path)
    assert result.returncode == 0, result.stderr
    return json.loads(result.stdout)


def refused(path):
    result = run(path)
    assert result.returncode == 1, result.stdout
    assert len(result.stderr.splitlines()) == 1
    return result.stderr


def facts_of(name, array):
    return {'name': name, 'type': array.dtype.name, 'shape': list(array.shape), 'bytes': array.nbytes}


def parts_are_never_taken_for_the_whole(path, step=1):
    """A file that is cut off is refused or incomplete, wherever that is."""
    content = path.read_bytes()
    for size in range(0, len(content), step):
        path.write_bytes(content[:size])
        result = run(path)
        assert result.returncode in (0, 1), (size, result.stderr)
        if result.returncode == 0:
            facts = json.loads(result.stdout)
            assert facts is None or facts['incomplete'], size
    path.write_bytes(content)


def changed_bytes_never_crash(path, rounds=300, among=1 << 20):
    content = path.read_bytes()
    generator = random.Random(1)
    for _ in range(rounds):
        changed = bytearray(content)
        for _ in range(generator.randrange(1, 4)):
            changed[generator.randrange(min(len(changed), among))] = generator.choice((0, 1, 0x7f, 0x80, 0xff, generator.randrange(256)))
        path.write_bytes(changed)
        result = run(path)
        assert result.returncode in (0, 1), result.stderr
    path.write_bytes(content)
