"""A damaged, emptied or newer store: what is wrong is told, and wrong bytes are never handed out."""

import json
import os
import shutil
import subprocess

import pytest

from harness import remove_tree
from oracle import assert_same, random_bytes, snapshot, text_bytes


@pytest.fixture(scope='module')
def original(shared_sandbox):
    """A home with one experiment: data with two versions; 300 KB of noise, so that some pack is mostly that."""
    sandbox = shared_sandbox
    sandbox.write('data/blob.bin', random_bytes(300_000))
    sandbox.write('data/sub/text.txt', text_bytes(100_000))
    sandbox.write_script('train.py', 'print("trained")')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    sandbox.truth = {'v0': snapshot(sandbox.home / 'data')}
    sandbox.write('data/more', 'one more file')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    sandbox.truth['v1'] = snapshot(sandbox.home / 'data')
    return sandbox


class Copy:
    """A copy of the whole of Studio's home, to be damaged."""

    def __init__(self, sandbox, home):
        self.sandbox = sandbox
        self.home = home
        self.store = home / 'store'
        subprocess.run(['cp', '-a', sandbox.studio_home, home], check=True)
        self.env = {'STUDIOML_HOME': home}

    def run(self, *args, **options):
        return self.sandbox.run(*args, env=self.env, **options)

    def json(self, *args, **options):
        return self.sandbox.json(*args, env=self.env, **options)

    def fails(self, code, *args, **options):
        return self.sandbox.fails(code, *args, env=self.env, **options)

    def packs(self):
        return sorted((p for p in (self.store / 'packs').rglob('*') if p.is_file()), key=lambda p: -p.stat().st_size)

    def assert_never_wrong(self, version='v0'):
        """get gives the very tree, or an error and nothing; returns whether it gave it."""
        destination = self.sandbox.workspace / 'got'
        result = self.run('artifacts', 'get', 'exp/data@' + version, destination, check_code=(0, 255))
        if result.code == 0:
            assert_same(self.sandbox.truth[version], snapshot(destination))
            remove_tree(destination)
        else:
            assert not destination.exists(), 'all or nothing'
            assert 'studio: error: ' in result.err, result.told()
        return result.code == 0


@pytest.fixture
def copy(original, request):
    result = Copy(original, original.root / 'copy')
    yield result
    remove_tree(result.home)


def flip(path, position):
    data = bytearray(path.read_bytes())
    data[position] ^= 0x10
    path.chmod(0o644)
    path.write_bytes(data)


def test_a_flipped_byte_of_a_file_is_found_by_get_cat_and_verify(copy):
    pack = copy.packs()[0]
    assert pack.stat().st_size > 300_000, 'the noise lies in the largest pack'
    flip(pack, 150_000)
    copy.fails(255, 'artifacts', 'get', 'exp/data', 'got', tells=['blob.bin'])
    assert not (copy.sandbox.workspace / 'got').exists(), 'all or nothing'
    result = copy.run('artifacts', 'cat', 'exp/data', 'blob.bin', check_code=255)
    assert 'studio: error: ' in result.err, result.told()
    assert random_bytes(300_000).startswith(result.stdout), 'no wrong byte was handed out'
    verdict = copy.json('store', 'verify', check_code=1)
    assert verdict['ok'] is False and verdict['errors']
    affected = [name for error in verdict['errors'] for name in error['affected']]
    assert {'exp/data@v0: blob.bin', 'exp/data@v1: blob.bin'} <= set(affected), affected
    assert not [name for name in affected if 'text.txt' in name or 'more' in name], 'and no file that is whole'
    text = copy.run('store', 'verify', check_code=1)
    assert 'exp/data@v0: blob.bin' in text.out + text.err, 'people are told the same' + text.told()


def test_files_beside_a_damaged_one_can_still_be_read(copy):
    flip(copy.packs()[0], 150_000)
    assert copy.run('artifacts', 'cat', 'exp/data', 'sub/text.txt').stdout == text_bytes(100_000)


def test_the_export_of_a_damaged_version_fails_loudly(copy):
    flip(copy.packs()[0], 150_000)
    result = copy.run('artifacts', 'tar', 'exp/data', check_code=255)
    assert 'studio: error: ' in result.err, result.told()


def test_reuse_of_a_damaged_artifact_starts_no_script(copy):
    flip(copy.packs()[0], 150_000)
    copy.sandbox.write_script('reader.py', 'open("started", "w")')
    copy.fails(255, 'run', '-r', 'exp/data:w', 'reader.py')
    assert not (copy.sandbox.workspace / 'started').exists()


@pytest.mark.parametrize('place', [0, 0.001, 0.25, 0.5, 0.75, 0.999, 1])
def test_no_flipped_byte_of_any_pack_goes_unseen(copy, place):
    for pack in copy.packs():
        before = pack.read_bytes()
        flip(pack, min(int(len(before) * place), len(before) - 1))
        for version in ('v0', 'v1'):
            copy.assert_never_wrong(version)
        verdict = copy.json('store', 'verify', check_code=1)
        assert not verdict['ok'] and verdict['errors'], 'verify reads every byte of a pack'
        pack.write_bytes(before)
    assert copy.assert_never_wrong(), 'undone, all is well'
    assert copy.json('store', 'verify')['ok']


def test_no_flipped_byte_of_any_other_object_gives_a_wrong_tree(copy):
    others = [p for p in copy.store.rglob('*') if p.is_file() and p.stat().st_size and 'packs' not in p.parts
              and p.name != 'studio.json']
    assert others, 'there are versions and an index'
    for path in others:
        if not path.exists():
            continue  # the index was rebuilt into another object
        before = path.read_bytes()
        for place in (0, len(before) // 3, len(before) // 2, len(before) - 1):
            flip(path, place)
            for version in ('v0', 'v1'):
                copy.assert_never_wrong(version)
            copy.run('store', 'verify', check_code=(0, 1))
            path.write_bytes(before)


def test_a_pack_cut_short_is_found(copy):
    pack = copy.packs()[0]
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:200_000])
    copy.assert_never_wrong()
    copy.fails(255, 'artifacts', 'get', 'exp/data', 'got')
    assert not copy.json('store', 'verify', check_code=1)['ok']


def test_a_missing_pack_is_found_and_its_files_are_named(copy):
    copy.packs()[0].unlink()
    copy.fails(255, 'artifacts', 'get', 'exp/data', 'got')
    verdict = copy.json('store', 'verify', check_code=1)
    affected = [name for error in verdict['errors'] for name in error['affected']]
    assert any(name.startswith('exp/data@v0') for name in affected), verdict


def test_a_store_without_packs_is_damaged_and_not_empty(copy):
    shutil.rmtree(copy.store / 'packs')
    verdict = copy.json('store', 'verify', check_code=1)
    assert not verdict['ok'] and verdict['errors']
    assert not copy.assert_never_wrong()


def index_of(copy):
    index = copy.store / 'index'
    assert index.is_dir() and [p for p in index.rglob('*') if p.is_file()], 'the index lies in store/index'
    return index


def delete_index(copy):
    shutil.rmtree(index_of(copy))


def empty_index(copy):
    for path in list(index_of(copy).rglob('*')):
        if path.is_file():
            path.unlink()


def scramble_index(copy):
    for number, path in enumerate(p for p in index_of(copy).rglob('*') if p.is_file()):
        path.chmod(0o644)
        path.write_bytes(random_bytes(path.stat().st_size, number))


def truncate_index(copy):
    for path in (p for p in index_of(copy).rglob('*') if p.is_file()):
        path.chmod(0o644)
        path.write_bytes(b'')


DAMAGES = [delete_index, empty_index, scramble_index, truncate_index]


@pytest.mark.parametrize('damage', DAMAGES)
def test_verify_rebuilds_a_lost_or_damaged_index(copy, damage):
    assert copy.json('store', 'verify')['index_rebuilt'] is False
    damage(copy)
    verdict = copy.json('store', 'verify')
    assert verdict['ok'] is True and verdict['index_rebuilt'] is True, verdict
    assert copy.json('store', 'verify')['index_rebuilt'] is False, 'once is enough'
    assert copy.assert_never_wrong('v0') and copy.assert_never_wrong('v1')


@pytest.mark.parametrize('damage', DAMAGES)
def test_reading_does_without_the_index(copy, damage):
    damage(copy)
    assert copy.assert_never_wrong('v0') and copy.assert_never_wrong('v1')


@pytest.mark.parametrize('damage', DAMAGES)
def test_running_does_without_the_index(copy, damage):
    damage(copy)
    copy.run('run', '-e', 'another', '-co', '~/data:data', 'train.py')
    assert copy.run('artifacts', 'cat', 'another/data', 'more').stdout == b'one more file'
    assert copy.json('store', 'verify')['ok']


def test_a_store_of_a_newer_format_is_refused_and_not_written_to(copy):
    file = copy.store / 'studio.json'
    description = json.loads(file.read_text())
    assert 'format' in description
    description['format'] = 999
    file.chmod(0o644)
    file.write_text(json.dumps(description))
    before = snapshot(copy.store)
    copy.sandbox.write_script('new.py', 'open("started", "w")')
    copy.fails(255, 'run', '-e', 'exp', '-co', '~/data:data', 'new.py', tells=['999'])
    copy.fails(255, 'artifacts', 'get', 'exp/data', 'got', tells=['999'])
    copy.fails(255, 'store', 'verify', tells=['999'])
    assert_same(before, snapshot(copy.store))
    assert not (copy.sandbox.workspace / 'started').exists(), 'the script may not start'


@pytest.mark.parametrize('text', ['', '{', '[]', '{"format": "one"}', '{}'])
def test_a_broken_description_of_the_store_is_refused(copy, text):
    file = copy.store / 'studio.json'
    file.chmod(0o644)
    file.write_text(text)
    before = snapshot(copy.store)
    copy.fails(255, 'artifacts', 'get', 'exp/data', 'got', tells=['studio.json'])
    copy.fails(255, 'run', 'train.py', tells=['studio.json'])
    assert_same(before, snapshot(copy.store))


def test_a_broken_database_is_no_disaster(copy):
    for path in copy.home.glob('studio.db*'):
        path.unlink()
    (copy.home / 'studio.db').write_bytes(random_bytes(20_000))
    before = snapshot(copy.store / 'packs')
    for command in (['runs', 'list'], ['artifacts', 'list', 'exp'], ['run', 'train.py']):
        result = copy.run(*command, check_code=(0, 255))
        assert result.code == 0 or 'studio.db' in result.err, result.told()
    assert before.items() <= snapshot(copy.store / 'packs').items(), 'no content is thrown away'


def test_verify_of_a_sound_store_counts_what_there_is(original):
    verdict = original.json('store', 'verify')
    assert verdict['ok'] and verdict['errors'] == [] and verdict['index_rebuilt'] is False
    packs = [p for p in (original.studio_home / 'store/packs').rglob('*') if p.is_file()]
    assert verdict['packs'] == len(packs)
    assert verdict['versions'] == sum(len(original.log('exp/' + tag)) for tag in
                                      ('data', 'workspace', 'output', 'modeldir', 'tb'))
    assert verdict['bytes'] >= 300_000 and verdict['chunks'] >= 2


def test_the_exit_code_of_verify_does_not_depend_on_its_reader(sandbox):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    pack = next((sandbox.studio_home / 'store/packs').rglob('*/*'))
    pack.chmod(0o644)
    pack.write_bytes(pack.read_bytes()[:-100])
    read, write = os.pipe()
    os.close(read)
    verify = sandbox.start('store', 'verify', stdout=write, drain=False)
    os.close(write)
    verify.wait(1)
