#!/usr/bin/env python3
"""Holds every #include of src/ against doc/layers.txt."""
import pathlib
import re
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
INCLUDE = re.compile(r'^\s*#\s*include\s+"([a-z_]+)/')


def allowed_rooms():
    rooms = {}
    for line in (ROOT / "doc" / "layers.txt").read_text().splitlines():
        if line and not line.startswith("#"):
            room, _, others = line.partition(":")
            rooms[room] = {room, *others.split()}
    return rooms


def violations(sources, rooms):
    for path in sources:
        room = path.relative_to(ROOT / "src").parts[0]
        for number, line in enumerate(path.read_text().splitlines(), 1):
            match = INCLUDE.match(line)
            if match and match.group(1) not in rooms.get(room, set()):
                yield "%s:%d: %s may not include %s" % (path.relative_to(ROOT), number, room, match.group(1))


class LayersTest(unittest.TestCase):
    def test_every_room_includes_only_what_it_may(self):
        sources = [path for path in sorted((ROOT / "src").rglob("*.[ch]pp")) if not path.stem.endswith(("_test", "_testing"))]
        self.assertGreater(len(sources), 50)
        self.assertEqual(list(violations(sources, allowed_rooms())), [])

    def test_the_rules_themselves_have_no_cycle(self):
        rooms = allowed_rooms()
        done = set()
        while len(done) < len(rooms):
            ready = {room for room, others in rooms.items() if others - {room} <= done} - done
            self.assertTrue(ready, "cycle among %s" % sorted(set(rooms) - done))
            done |= ready

    def test_no_source_file_is_longer_than_600_lines(self):
        long = [str(path) for path in (ROOT / "src").rglob("*.[ch]pp") if len(path.read_text().splitlines()) > 600]
        self.assertEqual(long, [])


if __name__ == "__main__":
    sys.exit(unittest.main())
