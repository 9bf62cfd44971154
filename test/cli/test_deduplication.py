"""Unchanged bytes are stored once, and an unchanged tree costs nothing."""

import os

from oracle import contents, random_bytes, stored_size, text_bytes


def stored(sandbox):
    return stored_size(sandbox.studio_home / 'store')


def packs(sandbox):
    return {path: len(content) for path, content in contents(sandbox.studio_home / 'store/packs').items()}


def run(sandbox, *flags):
    sandbox.run('run', '-e', 'exp', *flags, 'train.py')


def test_the_same_data_under_two_tags_is_stored_once(sandbox):
    sandbox.write('a/x', random_bytes(3_000_000))
    sandbox.write('b/renamed', random_bytes(3_000_000))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/a:a')
    before = stored(sandbox)
    run(sandbox, '-co', '~/a:a', '-co', '~/b:b')
    assert stored(sandbox) - before < 100_000, 'the second tag adds next to nothing'
    version = sandbox.log('exp/b')[-1]
    assert version['bytes'] == 3_000_000 and version['new_bytes'] < 100_000, version


def test_the_same_data_in_two_experiments_is_stored_once(sandbox):
    sandbox.write('a/x', random_bytes(3_000_000))
    sandbox.write_script('train.py', '')
    for key in ('one', 'two'):
        sandbox.run('run', '-e', key, '-co', '~/a:a', 'train.py')
    assert stored(sandbox) < 3_300_000


def test_an_insert_at_the_front_of_a_large_file_adds_little(sandbox):
    data = random_bytes(5_000_000)
    path = sandbox.write('a/x', data)
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/a:a')
    before = stored(sandbox)
    path.write_bytes(b'inserted' + data)
    run(sandbox, '-co', '~/a:a')
    assert sandbox.cat('exp/a@v1', 'x') == b'inserted' + data
    assert stored(sandbox) - before < 2_000_000, 'only what is around the insert is stored anew'


def test_appending_stores_what_is_new(sandbox):
    path = sandbox.write('a/log', random_bytes(5_000_000))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/a:a')
    before = stored(sandbox)
    with open(path, 'ab') as stream:
        stream.write(random_bytes(10_000, 9))
    run(sandbox, '-co', '~/a:a')
    assert 10_000 <= stored(sandbox) - before < 2_000_000
    assert sandbox.log('exp/a')[-1]['changes'] == {'added': 0, 'modified': 1, 'removed': 0}


def test_an_unchanged_rerun_makes_no_new_version_and_stores_nothing(sandbox):
    for number in range(50):
        sandbox.write('data/%d' % number, random_bytes(10_000, number))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/data:once', '-c', '~/data:always')
    before = packs(sandbox)
    for _ in range(2):
        run(sandbox, '-co', '~/data:once', '-c', '~/data:always')
    for tag in ('once', 'always', 'workspace'):
        assert [version['version'] for version in sandbox.log('exp/' + tag)] == ['v0'], tag
    new = {path: size for path, size in packs(sandbox).items() if path not in before}
    # Output and modeldir of the new attempt are new files, so their times may take a few bytes.
    assert sum(new.values()) < 16_384, 'no content is written again: %r' % new


def test_a_touched_file_stores_no_content_again(sandbox):
    path = sandbox.write('data/x', random_bytes(1_000_000))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/data:data')
    before = stored(sandbox)
    os.utime(path)
    run(sandbox, '-co', '~/data:data')
    assert stored(sandbox) - before < 100_000


def test_text_is_compressed_and_random_bytes_are_not_blown_up(sandbox):
    sandbox.write('text/x', text_bytes(3_000_000))
    sandbox.write('noise/x', random_bytes(1_000_000))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/text:text', '-co', '~/noise:noise')
    text, noise = sandbox.log('exp/text')[-1], sandbox.log('exp/noise')[-1]
    assert text['new_bytes'] >= 3_000_000 and text['stored_bytes'] < 1_500_000, text
    assert 1_000_000 <= noise['stored_bytes'] < 1_050_000, noise
    assert stored(sandbox) < 2_700_000


def test_repeated_content_within_a_file_is_stored_once(sandbox):
    sandbox.write('data/zeros', bytes(8_000_000))
    sandbox.write('data/copies', b''.join(random_bytes(2_000_000) for _ in range(3)))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/data:data')
    assert stored(sandbox) < 5_000_000
    sandbox.run('artifacts', 'get', 'exp/data', 'got')
    assert contents(sandbox.workspace / 'got') == contents(sandbox.home / 'data')


def test_stats_tell_of_deduplication(sandbox):
    path = sandbox.write('data/x', random_bytes(5_000_000))
    sandbox.write_script('train.py', '')
    run(sandbox, '-co', '~/data:data')
    with open(path, 'ab') as stream:
        stream.write(b'one more')
    run(sandbox, '-co', '~/data:data')
    stats = sandbox.json('store', 'stats')
    mine = next(a for a in stats['artifacts'] if a['tag'] == 'data')
    assert (mine['experiment'], mine['versions'], mine['logical_bytes']) == ('exp', 2, 10_000_008)
    assert 5_000_000 <= mine['new_bytes'] < 8_000_000
    assert stats['unique_bytes'] < stats['logical_bytes']
    assert stats['stored_bytes'] <= stored(sandbox) and stats['stored_bytes'] >= 5_000_000
    assert stats['packs'] == len(packs(sandbox)) and stats['versions'] >= 2 and stats['chunks'] >= 2
