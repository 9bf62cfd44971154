"""Deleting experiments, the way back, and what other open pages see of it."""

import re

import pytest
from playwright.sync_api import expect

from server import Server
from test_accessibility import serious
from test_experiments import WAITING, expect_keys, keys, multiply, row


@pytest.fixture
def three(sandbox):
    sandbox.write_script('train.py', '')
    for key in ('one', 'two', 'three'):
        sandbox.run('run', '-e', key, 'train.py')
    return Server(sandbox)


def toast(page):
    return page.locator('.toast')


def select(page, *names):
    for name in names:
        page.get_by_role('checkbox', name='Select ' + name, exact=True).click()
    return page.get_by_role('region', name='Selected experiments')


def test_deleted_rows_leave_and_undo_brings_them_back(sandbox, three, browse):
    page = browse(three)
    expect_keys(page, ['three', 'two', 'one'])
    bar = select(page, 'three', 'one')
    bar.get_by_role('button', name='Delete 2').click()
    expect_keys(page, ['two'])
    expect(page.get_by_text('1 experiment', exact=True)).to_be_visible()
    expect(toast(page)).to_contain_text('2 experiments deleted')
    expect(bar).to_have_count(0)
    assert [run['key'] for run in sandbox.runs('--deleted')] == ['three', 'one']
    toast(page).get_by_role('button', name='Undo').click()
    expect_keys(page, ['three', 'two', 'one'])
    expect(toast(page)).to_contain_text('2 experiments restored')
    expect(toast(page).get_by_role('button', name='Undo')).to_have_count(0)
    toast(page).get_by_role('button', name='Close').click()
    expect(toast(page)).to_have_count(0)
    assert sandbox.runs('--deleted') == []


def test_it_works_with_the_keyboard_alone(sandbox, three, browse):
    page = browse(three)
    expect(keys(page)).to_have_count(3)
    page.get_by_role('columnheader', name='Duration').get_by_role('button').focus()
    for key in ('Tab', 'ArrowDown', 'Space'):
        page.keyboard.press(key)
    expect(row(page, 'two')).to_have_attribute('aria-selected', 'true')
    button = page.get_by_role('button', name='Delete', exact=True)
    for _ in range(10):
        if not button.evaluate('element => element === document.activeElement'):
            page.keyboard.press('Tab')
    expect(button).to_be_focused()
    page.keyboard.press('Enter')
    expect(toast(page)).to_contain_text('two deleted')
    expect(toast(page).get_by_role('button', name='Undo')).to_be_focused()
    expect_keys(page, ['three', 'one'])
    page.keyboard.press('Enter')
    expect_keys(page, ['three', 'two', 'one'])
    expect(toast(page).get_by_role('button', name='Close')).to_be_focused()
    page.keyboard.press('Enter')
    expect(toast(page)).to_have_count(0)


def test_the_way_back_stays_a_while_and_longer_for_who_is_at_it(three, browse):
    page = browse(three)
    page.clock.install()
    select(page, 'one').get_by_role('button', name='Delete', exact=True).click()
    expect(toast(page)).to_be_visible()
    page.clock.run_for(19_000)
    expect(toast(page)).to_be_visible()
    toast(page).hover()
    page.clock.run_for(30_000)
    expect(toast(page)).to_be_visible()
    page.get_by_role('heading', name='Experiments').click()
    page.clock.run_for(21_000)
    expect(toast(page)).to_have_count(0)


def test_deleted_ones_have_a_list_of_their_own(sandbox, three, browse):
    sandbox.run('runs', 'delete', 'one', 'three')
    page = browse(three)
    expect_keys(page, ['two'])
    page.get_by_role('button', name='Deleted').click()
    expect(page).to_have_url(re.compile(r'\?deleted=true$'))
    expect_keys(page, ['three', 'one'])
    expect(page.get_by_text('2 deleted experiments', exact=True)).to_be_visible()
    expect(page.get_by_role('button', name='Deleted')).to_have_attribute('aria-pressed', 'true')
    bar = select(page, 'three')
    expect(bar.get_by_role('button', name='Delete')).to_have_count(0)
    bar.get_by_role('button', name='Restore').click()
    expect_keys(page, ['one'])
    expect(toast(page)).to_contain_text('three restored')
    sandbox.run('runs', 'restore', 'one')
    expect(page.get_by_role('heading', name='No deleted experiment is like that')).to_be_visible()
    page.get_by_role('button', name='Show all').click()
    expect_keys(page, ['three', 'two', 'one'])
    page.go_back()
    expect(page.get_by_role('heading', name='No deleted experiment is like that')).to_be_visible()


@pytest.mark.parametrize('address', ['/', '/?sort=key', '/?search=train&status=finished'])
def test_other_open_pages_follow(sandbox, three, browse, address):
    page = browse(three, address)
    expect(keys(page)).to_have_count(3)
    page.evaluate('window.hasStayed = true')
    sandbox.run('runs', 'delete', 'two')
    expect(keys(page)).to_have_count(2)
    expect(row(page, 'two')).to_have_count(0)
    sandbox.run('runs', 'restore', 'two')
    expect(keys(page)).to_have_count(3)
    expect(row(page, 'two')).to_be_visible()
    assert page.evaluate('window.hasStayed')


def test_who_came_after_the_deletion_sees_it_restored(sandbox, three, browse):
    sandbox.run('runs', 'delete', 'two')
    page = browse(three)
    expect_keys(page, ['three', 'one'])
    sandbox.run('runs', 'restore', 'two')
    expect_keys(page, ['three', 'two', 'one'])


def test_an_experiment_is_deleted_and_restored_on_its_page(sandbox, three, browse):
    page = browse(three, '/experiments/one')
    other = browse(three, '/experiments/one/output')
    page.get_by_role('button', name='Delete').click()
    for each in (page, other):
        expect(each.locator('.experiment-head')).to_contain_text('Deleted just now')
        expect(each.get_by_role('button', name='Restore')).to_be_visible()
    expect(toast(page)).to_contain_text('one deleted')
    expect(toast(other)).to_have_count(0)
    other.get_by_role('button', name='Restore').click()
    for each in (page, other):
        expect(each.get_by_role('button', name='Delete')).to_be_visible()
        expect(each.locator('.experiment-head')).not_to_contain_text('Deleted')
    page.get_by_role('button', name='Delete').click()
    expect(page.get_by_role('button', name='Restore')).to_be_visible()
    toast(page).get_by_role('button', name='Undo').click()
    expect(page.get_by_role('button', name='Delete')).to_be_visible()
    assert sandbox.show('one')['deleted'] is None


def test_what_runs_cannot_be_deleted(sandbox, browse):
    sandbox.write_script('train.py', WAITING)
    sandbox.write_script('ok.py', '')
    sandbox.run('run', '-e', 'ended', 'ok.py')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    server = Server(sandbox)
    page = browse(server)
    expect(row(page, 'exp')).to_contain_text('running')
    bar = select(page, 'exp')
    expect(bar.get_by_role('button', name='Stop')).to_be_visible()
    expect(bar.get_by_role('button', name='Delete')).to_have_count(0)
    select(page, 'ended')
    expect(bar.get_by_role('button', name='Delete', exact=True)).to_be_visible()
    own = browse(server, '/experiments/exp')
    expect(own.get_by_role('button', name='Stop')).to_be_visible()
    expect(own.get_by_role('button', name='Delete')).to_have_count(0)
    sandbox.mark('end')
    run.wait()
    expect(bar.get_by_role('button', name='Delete 2')).to_be_visible()
    expect(own.get_by_role('button', name='Delete')).to_be_visible()


def test_what_the_server_refuses_is_told(three, browse):
    page = browse(three)
    error = {'code': 'conflict', 'message': "experiment 'one' runs on here", 'hint': 'end it first'}
    page.route('**/api/v1/experiments/one', lambda route: route.fulfill(status=409, json={'error': error}))
    select(page, 'one', 'two').get_by_role('button', name='Delete 2').click()
    expect(toast(page)).to_contain_text("two deleted; experiment 'one' runs on here (end it first)")
    expect_keys(page, ['three', 'one'])
    toast(page).get_by_role('button', name='Undo').click()
    expect_keys(page, ['three', 'two', 'one'])


@pytest.mark.parametrize('scheme, width', [('light', 1280), ('dark', 1280), ('light', 360)])
def test_nothing_serious(three, browse, scheme, width):
    page = browse(three, scheme=scheme, width=width)
    select(page, 'one').get_by_role('button', name='Delete', exact=True).click()
    expect(toast(page)).to_be_visible()
    select(page, 'two')
    assert serious(page) == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width
    page.goto(three.url + '/?deleted=true')
    expect_keys(page, ['one'])
    assert serious(page) == []
    page.goto(three.url + '/experiments/one')
    expect(page.get_by_role('button', name='Restore')).to_be_visible()
    assert serious(page) == []


def test_a_row_leaves_wherever_the_list_is_scrolled_to(sandbox, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'first', 'train.py')
    multiply(sandbox, 999)
    page = browse(Server(sandbox))
    expect(page.get_by_text('1,000 experiments')).to_be_visible()
    grid = page.locator('.run-table')
    grid.evaluate('element => element.scrollTo(0, 500 * 36)')
    expect(row(page, 'copy-000505')).to_be_visible()
    top = grid.evaluate('element => element.scrollTop')
    sandbox.run('runs', 'delete', 'copy-000505')
    expect(row(page, 'copy-000505')).to_have_count(0)
    expect(page.get_by_text('999 experiments')).to_be_visible()
    expect(row(page, 'copy-000506')).to_be_visible()
    sandbox.run('runs', 'restore', 'copy-000505')
    expect(row(page, 'copy-000505')).to_be_visible()
    assert grid.evaluate('element => element.scrollTop') == top
