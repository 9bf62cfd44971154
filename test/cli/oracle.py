"""The truth about trees: what one holds, down to modes, times, links and holes, independent of Studio."""

import dataclasses
import gzip
import hashlib
import io
import os
import random
import stat
import tarfile
import typing


@dataclasses.dataclass(frozen=True)
class Entry:
    kind: str
    mode: int
    modified_ns: typing.Optional[int] = None
    size: int = 0
    digest: str = ''
    target: bytes = b''
    links: tuple = ()  # the other names of a hard-linked file


def kind_of(mode):
    for test, name in ((stat.S_ISREG, 'file'), (stat.S_ISDIR, 'directory'), (stat.S_ISLNK, 'symlink'),
                       (stat.S_ISFIFO, 'fifo'), (stat.S_ISSOCK, 'socket')):
        if test(mode):
            return name
    return 'device'


def walk(root):
    """Every path of a tree below root as bytes, root itself as b'', with its lstat."""
    yield b'', os.lstat(root)
    stack = [b''] if stat.S_ISDIR(os.lstat(root).st_mode) else []
    while stack:
        directory = stack.pop()
        for name in sorted(os.listdir(os.path.join(root, directory) if directory else root)):
            path = os.path.join(directory, name)
            status = os.lstat(os.path.join(root, path))
            yield path, status
            if stat.S_ISDIR(status.st_mode):
                stack.append(path)


def snapshot(root):
    """{path: Entry} of a tree, or of one file, under b''."""
    root = os.fsencode(root)
    found = dict(walk(root))
    names = {}
    for path, status in found.items():
        if status.st_nlink > 1 and not stat.S_ISDIR(status.st_mode):
            names.setdefault(status.st_ino, []).append(path)
    result = {}
    for path, status in found.items():
        full = os.path.join(root, path) if path else root
        kind = kind_of(status.st_mode)
        entry = Entry(kind, stat.S_IMODE(status.st_mode), status.st_mtime_ns,
                      links=tuple(p for p in names.get(status.st_ino, ()) if p != path))
        if kind == 'file':
            with open(full, 'rb') as stream:
                digest = hashlib.sha256(stream.read()).hexdigest()
            entry = dataclasses.replace(entry, size=status.st_size, digest=digest)
        elif kind == 'symlink':
            entry = dataclasses.replace(entry, target=os.readlink(full))
        result[path] = entry
    return result


def assert_same(expected, actual):
    """Compare two snapshots and name the first differences."""
    differences = ['missing: %r' % path for path in sorted(expected.keys() - actual.keys())]
    differences += ['not asked for: %r' % path for path in sorted(actual.keys() - expected.keys())]
    for path in sorted(expected.keys() & actual.keys()):
        if expected[path] != actual[path]:
            differences.append('%r is\n    %s\n  instead of\n    %s' % (path, actual[path], expected[path]))
    assert not differences, 'the trees differ:\n  ' + '\n  '.join(differences[:10])


def assert_same_tree(expected, actual):
    assert_same(snapshot(expected), snapshot(actual))


def contents(root):
    """{path: bytes} of the regular files below root."""
    root = os.fsencode(root)
    result = {}
    for path, status in walk(root):
        if stat.S_ISREG(status.st_mode):
            with open(os.path.join(root, path) if path else root, 'rb') as stream:
                result[path] = stream.read()
    return result


def stored_size(root):
    """Bytes of all regular files below root."""
    return sum(status.st_size for _, status in walk(os.fsencode(root)) if stat.S_ISREG(status.st_mode))


def random_bytes(size, seed=0):
    return random.Random(seed).randbytes(size)


def text_bytes(size, seed=0):
    """Text that compresses well and does not repeat itself."""
    source = random.Random(seed)
    words = [b'loss', b'epoch', b'step', b'0.25', b'accuracy', b'\n', b'gradient', b'rate']
    result = b' '.join(source.choice(words) for _ in range(size // 5 + 100))
    return result[:size]


UGLY_NAMES = [b'with space', b'new\nline', b'quote\'s "double"', b'back\\slash', b'$(touch pwned)', b';ls', b'-rf',
              b'tab\there', b'*?[x]', b'bad\xff\xfeutf8', 'naïve-日本'.encode(), b'..hidden', b'~', b'a:b',
              b'x' * 255]

MTIME_NS = 1_500_000_000_123_456_789


def make_nasty_tree(root):
    """A directory with one of everything that a capture may stumble over."""
    root = os.fsencode(root)
    os.makedirs(root)

    def write(name, content, mode=0o644):
        path = os.path.join(root, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, 'wb') as stream:
            stream.write(content)
        os.chmod(path, mode)
        return path

    write(b'empty', b'')
    write(b'one', b'1')
    write(b'data/random-300k', random_bytes(300_000, 1))
    write(b'data/random-5m', random_bytes(5_000_000, 2))
    write(b'data/text-2m', text_bytes(2_000_000, 3))
    write(b'data/zeros-1m', bytes(1_000_000))
    for mode in (0o400, 0o600, 0o640, 0o644, 0o755, 0o777):
        write(b'modes/%o' % mode, b'mode', mode)
    for name in UGLY_NAMES:
        write(b'names/' + name, name)
        write(b'dirs/' + name + b'/inner', name)
    for number in range(100):
        write(b'many/%03d' % number, b'%d' % number)
    write(b'deep/' + b'/'.join(b'd%d' % n for n in range(40)) + b'/leaf', b'leaf')

    os.makedirs(os.path.join(root, b'empty-dirs/a/b'))
    os.mkdir(os.path.join(root, b'sticky'))
    os.chmod(os.path.join(root, b'sticky'), 0o1777)

    with open(write(b'sparse', b''), 'r+b') as stream:
        stream.truncate(16 << 20)
        stream.seek(4 << 20)
        stream.write(b'island')
        stream.seek((12 << 20) + 5)
        stream.write(b'another')

    linked = write(b'links/first', b'one file, three names')
    os.link(linked, os.path.join(root, b'links/second'))
    os.link(linked, os.path.join(root, b'one-more-name'))
    for name, target in ((b'to-file', b'../one'), (b'to-directory', b'../data'), (b'dangling', b'/no/such/place'),
                         (b'loop', b'loop'), (b'ring-a', b'ring-b'), (b'ring-b', b'ring-a'), (b'up', b'..'),
                         (b'ugly', b'new\nline \xff')):
        os.symlink(target, os.path.join(root, b'links', name))
    os.mkfifo(os.path.join(root, b'fifo'), 0o620)

    write(b'read-only/inside', b'still restored')
    os.chmod(os.path.join(root, b'read-only'), 0o555)
    os.chmod(root, 0o750)
    set_times(root)


def set_times(root):
    """Give each entry a modification time of its own, to the nanosecond; directories last."""
    paths = sorted(path for path, _ in walk(root))
    for number, path in reversed(list(enumerate(paths))):
        stamp = MTIME_NS + number * 1_000_000_007
        os.utime(os.path.join(root, path) if path else root, ns=(stamp, stamp), follow_symlinks=False)


def open_tar(data):
    """A tar or tar.gz archive from bytes, with names as they were in the file system."""
    if data[:2] == b'\x1f\x8b':
        data = gzip.decompress(data)
    return tarfile.open(fileobj=io.BytesIO(data), mode='r:', encoding='utf-8', errors='surrogateescape')


def tar_snapshot(data, tag):
    """{path below the tag: Entry} of an archive; hard links are resolved, times are cut to seconds."""
    result = {}
    with open_tar(data) as archive:
        for member in archive:
            name = os.fsencode(member.name)
            assert name == tag or name.startswith(tag + b'/'), '%r does not begin with the tag' % name
            path = name[len(tag) + 1:]
            entry = Entry('', member.mode & 0o7777, int(member.mtime))
            if member.isreg() or member.islnk():
                content = archive.extractfile(member).read()
                entry = dataclasses.replace(entry, kind='file', size=len(content),
                                            digest=hashlib.sha256(content).hexdigest())
            elif member.issym():
                entry = dataclasses.replace(entry, kind='symlink', target=os.fsencode(member.linkname))
            else:
                entry = dataclasses.replace(entry, kind='directory' if member.isdir() else 'fifo')
            result[path] = entry
    return result


def as_in_tar(entries):
    """A snapshot as tar_snapshot would give it."""
    return {path: dataclasses.replace(entry, modified_ns=entry.modified_ns // 1_000_000_000, links=())
            for path, entry in entries.items()}
