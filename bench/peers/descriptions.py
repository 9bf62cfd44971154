"""How each peer captures, captures again and restores: command lines for bash. Used by compare.py.

{source}  the folder to capture
{place}   an empty folder of the peer's own, also its $HOME
{number}  counts the captures, from 1
{out}     where to restore the last capture; not there yet
{studio}  the Studio binary
"""

import dataclasses
import shutil


@dataclasses.dataclass(frozen=True)
class Peer:
    name: str
    program: str          # looked for in PATH; '' for Studio, which is named by its path
    capture: str
    restore: str
    prepare: str = 'true'
    recapture: str = ''   # empty: the peer does not know what it has captured before
    stored: str = ''      # below {place}: what counts as stored

    def is_installed(self):
        return not self.program or shutil.which(self.program) is not None

    def again(self):
        return self.recapture or self.capture


def versioned(name, program, prepare, capture, restore, stored='repo'):
    """A peer whose captures are all the same command."""
    return Peer(name, program, capture, restore, prepare, capture, stored)


def copying(name, program, command):
    """A peer that makes a folder equal to another one, and keeps no versions."""
    return Peer(name, program, command % ('{source}', '{place}/copy'), command % ('{place}/copy', '{out}'),
                recapture=command % ('{source}', '{place}/copy'), stored='copy')


def restic(name, options):
    command = 'restic -q -r {place}/repo '
    return versioned(name, 'restic', command + 'init', 'cd {source}; ' + command + options + 'backup .',
                     command + 'restore latest --target {out}')


def borg(compression):
    return versioned('borg, ' + compression, 'borg', 'borg init -e none {place}/repo',
                     'cd {source}; borg create -C ' + compression + ' {place}/repo::{number} .',
                     'mkdir {out}; cd {out}; borg extract {place}/repo::{number}')


CP = Peer('cp -r', 'cp', 'cp -r {source} {place}/copy', 'cp -r {place}/copy {out}', stored='copy')

PEERS = [
    CP,
    versioned('studio', '', 'mkdir {place}/workspace',
              'cd {place}/workspace; {studio} run --quiet -e bench -co {source}:data /bin/true',
              '{studio} artifacts get bench/data {out}', stored='studio/store'),
    copying('rsync -a', 'rsync', 'rsync -a %s/ %s/'),
    Peer('tar, zstd -1', 'zstd', 'tar -C {source} -cf - . | zstd -q -1 -T2 -o {place}/{number}.tar.zst',
         'mkdir {out}; zstd -q -dc {place}/{number}.tar.zst | tar -C {out} -xf -'),
    restic('restic', ''),
    restic('restic, no compression', '--compression off --pack-size 64 '),
    borg('lz4'),
    borg('none'),
    copying('rclone sync', 'rclone', 'rclone sync %s %s'),
    versioned('casync', 'casync', 'mkdir {place}/repo', 'casync make --store={place}/repo/store.castr {place}/repo/{number}.caidx {source}',
              'casync extract --store={place}/repo/store.castr {place}/repo/{number}.caidx {out}'),
    versioned('ostree', 'ostree', 'ostree --repo={place}/repo init --mode=bare-user',
              'ostree --repo={place}/repo commit -b data --tree=dir={source}',
              'ostree --repo={place}/repo checkout -U -C data {out}'),
    versioned('zpaq -m1', 'zpaq', 'mkdir {place}/repo', 'cd {source}; zpaq add {place}/repo/archive.zpaq . -m1 -t2',
              'mkdir {out}; cd {out}; zpaq extract {place}/repo/archive.zpaq'),
]
