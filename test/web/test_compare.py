"""Experiments beside each other, and the store."""

import pytest
from playwright.sync_api import expect

from server import Server


@pytest.fixture(scope='module')
def pair(shared_sandbox):
    shared_sandbox.write_script('train.py', 'import os; open(os.environ["STUDIO_ARTIFACT_MODELDIR"] + "/w", "w").write("x" * 5000)')
    shared_sandbox.run('run', '-e', 'slow', 'train.py', '--rate', '0.1', '--depth=3', '--debug', env={'OMP_NUM_THREADS': '1'})
    shared_sandbox.run('run', '-e', 'fast', 'train.py', '--rate', '0.5', '--depth=3', env={'OMP_NUM_THREADS': '2'})
    return Server(shared_sandbox)


def table(page, name):
    return page.get_by_role('group', name=name)


def cells(page, name, row):
    return table(page, name).get_by_role('row').filter(has=page.get_by_role('rowheader', name=row, exact=True)).get_by_role('cell')


def test_what_differs_is_shown(pair, browse):
    page = browse(pair, '/compare?keys=slow,fast')
    expect(cells(page, 'Parameters', 'rate')).to_have_text(['0.1', '0.5'])
    expect(cells(page, 'Parameters', 'debug')).to_have_text(['true', '–'])
    expect(cells(page, 'Environment', '$OMP_NUM_THREADS')).to_have_text(['1', '2'])
    expect(cells(page, 'Parameters', 'depth')).to_have_count(0)
    expect(page.get_by_text('The artifacts have the same sizes.')).to_be_visible()
    page.get_by_label('Show what is the same too').check()
    expect(cells(page, 'Parameters', 'depth')).to_have_text(['3', '3'])
    expect(cells(page, 'Artifacts', 'modeldir')).to_have_text(['5.00 kB, 1 version'] * 2)


def test_experiments_are_added_and_left_out(pair, browse):
    page = browse(pair, '/compare')
    expect(page.get_by_role('heading', name='Nothing to compare yet')).to_be_visible()
    box = page.get_by_label('Key of an experiment to add')
    for key in ('slow', 'fast'):
        box.fill(key)
        box.press('Enter')
        expect(page.get_by_role('button', name='Leave out ' + key)).to_be_visible()
    expect(page).to_have_url(pair.url + '/compare?keys=slow%2Cfast')
    expect(table(page, 'Parameters').get_by_role('columnheader')).to_have_text(['slow', 'fast'])
    page.get_by_role('button', name='Leave out slow').click()
    expect(page).to_have_url(pair.url + '/compare?keys=fast')
    page.goto(pair.url + '/compare?keys=fast,none')
    expect(page.get_by_role('alert')).to_contain_text("there is no experiment 'none'")


def test_the_store_by_experiment_and_tag(pair, shared_sandbox, browse):
    page = browse(pair, '/storage')
    stats = shared_sandbox.json('store', 'stats')
    total = page.locator('.total').filter(has_text='All versions').locator('dd span')
    expect(total).to_have_attribute('title', '{:,} bytes'.format(stats['logical_bytes']))
    expect(page.locator('.total').filter(has=page.get_by_text('Deduplication', exact=True)).locator('dd')).to_have_text(
        '%.2f : 1' % (stats['logical_bytes'] / stats['unique_bytes']))
    stored = {key: sum(each['stored_bytes'] for each in stats['artifacts'] if each['experiment'] == key) for key in ('slow', 'fast')}
    for key, count in stored.items():
        row = table(page, 'By experiment').get_by_role('row').filter(has_text=key)
        expect(row.get_by_role('cell').last.locator('.number')).to_have_attribute('title', '{:,} bytes'.format(count))
    expect(table(page, 'By tag').get_by_role('rowheader', name='modeldir')).to_be_visible()
    table(page, 'By experiment').get_by_role('link', name='slow').click()
    expect(page).to_have_url(pair.url + '/experiments/slow/artifacts')


def test_an_empty_store(sandbox, server, browse):
    page = browse(server, '/storage')
    expect(page.get_by_role('heading', name='The store is empty')).to_be_visible()
