"""The list of experiments."""

import json
import re
import sqlite3

import pytest
from playwright.sync_api import expect

from server import Server

WAITING = '''
    mark('started')
    wait_for('end')
'''


@pytest.fixture(scope='module')
def few(shared_sandbox):
    """Five experiments, the newest last."""
    shared_sandbox.write_script('train.py', 'import sys; sys.exit(int(sys.argv[1]))')
    shared_sandbox.write_script('evaluate.py', '')
    for key, project, script, code in (
            ('Alpha', 'vision', 'train.py', 0), ('beta', 'vision', 'train.py', 3), ('gamma', 'speech', 'train.py', 0),
            ('delta', 'speech', 'evaluate.py', 0), ('epsilon', 'vision', 'train.py', 1)):
        shared_sandbox.run('run', '-e', key, '--project', project, script, str(code), check_code=code)
    shared_sandbox.run('run', '-e', 'Alpha', '--project', 'vision', 'train.py', '0')
    return Server(shared_sandbox)


def rows(page):
    return page.locator('[role=row][data-index]')


def row(page, key):
    return rows(page).filter(has=page.get_by_role('link', name=key, exact=True))


def keys(page):
    return page.get_by_role('grid', name='Experiments').locator('.cell-key a')


def expect_keys(page, expected):
    expect(keys(page)).to_have_text(expected)


def test_before_the_first_experiment_it_tells_how_to_make_one(sandbox, server, browse):
    page = browse(server)
    expect(page.get_by_role('heading', name='No experiments yet')).to_be_visible()
    expect(page.get_by_text('studio run train.py')).to_be_visible()
    page.get_by_role('button', name='Copy command').click()
    expect(page.get_by_text('Copied')).to_be_attached()
    assert page.evaluate('navigator.clipboard.readText()') == 'studio run train.py'


def test_an_experiment_appears_runs_and_ends_without_a_reload(sandbox, server, browse):
    sandbox.write_script('train.py', WAITING)
    page = browse(server)
    expect(page.get_by_text('No experiments yet')).to_be_visible()
    page.evaluate('window.hasStayed = true')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    expect(row(page, 'exp')).to_contain_text('running')
    expect(page.get_by_text('1 experiment', exact=True)).to_be_visible()
    duration = row(page, 'exp').locator('.cell-duration')
    before = duration.inner_text()
    expect(duration).not_to_have_text(before)
    sandbox.mark('end')
    run.wait()
    expect(row(page, 'exp')).to_contain_text('finished')
    assert page.evaluate('window.hasStayed')


def test_a_row_tells_what_ran(few, browse):
    page = browse(few)
    expect_keys(page, ['epsilon', 'delta', 'gamma', 'beta', 'Alpha'])
    beta = row(page, 'beta')
    expect(beta.locator('.cell-state')).to_have_text('failed')
    expect(beta.locator('.cell-state')).to_have_attribute('title', re.compile('exit code 3'))
    expect(beta.locator('.cell-project')).to_have_text('vision')
    expect(beta.locator('.cell-command')).to_have_text('train.py 3')
    expect(beta.locator('.cell-started time')).to_have_attribute('title', re.compile(r'\d{4}-\d\d-\d\d .* UTC$'))
    expect(row(page, 'Alpha').locator('.cell-attempts')).to_have_text('2')
    expect(page.get_by_text('5 experiments', exact=True)).to_be_visible()


def test_a_search_is_in_the_address_and_back_leaves_it(few, browse):
    page = browse(few)
    expect(keys(page)).to_have_count(5)
    page.keyboard.press('/')
    box = page.get_by_role('searchbox', name='Search experiments')
    expect(box).to_be_focused()
    page.keyboard.type('VISION train')
    expect_keys(page, ['epsilon', 'beta', 'Alpha'])
    expect(page).to_have_url(re.compile(r'\?search=VISION\+train$'))
    page.reload()
    expect(box).to_have_value('VISION train')
    expect_keys(page, ['epsilon', 'beta', 'Alpha'])
    page.go_back()
    expect(box).to_have_value('')
    expect(keys(page)).to_have_count(5)
    box.fill('no such thing')
    expect(page.get_by_role('heading', name='No experiment is like that')).to_be_visible()
    page.get_by_role('button', name='Show all').click()
    expect(keys(page)).to_have_count(5)


def test_states_and_projects_filter(few, browse):
    page = browse(few)
    states = page.get_by_role('group', name='States')
    states.get_by_role('button', name='failed').click()
    expect_keys(page, ['epsilon', 'beta'])
    expect(states.get_by_role('button', name='failed')).to_have_attribute('aria-pressed', 'true')
    states.get_by_role('button', name='finished').click()
    expect(keys(page)).to_have_count(5)
    project = page.get_by_label('Project', exact=True)
    project.fill('speech')
    project.press('Enter')
    expect_keys(page, ['delta', 'gamma'])
    assert set(page.url.split('?')[1].split('&')) == {'status=failed', 'status=finished', 'project=speech'}
    page.go_back()
    expect(keys(page)).to_have_count(5)
    expect(project).to_have_value('')


def test_a_header_sorts(few, browse):
    page = browse(few)
    expect(keys(page)).to_have_count(5)
    header = page.get_by_role('columnheader', name='Key')
    for order, expected in (('ascending', ['Alpha', 'beta', 'delta', 'epsilon', 'gamma']),
                            ('descending', ['gamma', 'epsilon', 'delta', 'beta', 'Alpha']),
                            ('none', ['epsilon', 'delta', 'gamma', 'beta', 'Alpha'])):
        header.get_by_role('button').click()
        expect(header).to_have_attribute('aria-sort', order)
        expect_keys(page, expected)


def test_rows_are_selected_and_compared(few, browse):
    page = browse(few)
    bar = page.get_by_role('region', name='Selected experiments')
    page.get_by_role('checkbox', name='Select epsilon').click()
    expect(bar).to_contain_text('1 selected')
    page.get_by_role('checkbox', name='Select beta').click(modifiers=['Shift'])
    expect(bar).to_contain_text('4 selected')
    expect(row(page, 'gamma')).to_have_attribute('aria-selected', 'true')
    expect(page.get_by_role('checkbox', name='Select gamma')).to_be_checked()
    page.get_by_role('checkbox', name='Select gamma').click()
    expect(row(page, 'gamma')).to_have_attribute('aria-selected', 'false')
    expect(bar).to_contain_text('3 selected')
    bar.get_by_role('link', name='Compare').click()
    expect(page).to_have_url(few.url + '/compare?keys=epsilon,delta,beta')
    page.go_back()
    page.get_by_role('checkbox', name='Select delta').click()
    bar.get_by_role('button', name='Clear').click()
    expect(bar).to_have_count(0)


def test_it_works_with_the_keyboard_alone(few, browse):
    page = browse(few)
    expect(keys(page)).to_have_count(5)
    page.get_by_role('columnheader', name='Duration').get_by_role('button').focus()
    page.keyboard.press('Tab')
    expect(row(page, 'epsilon')).to_be_focused()
    page.keyboard.press('ArrowDown')
    expect(row(page, 'delta')).to_be_focused()
    page.keyboard.press('Space')
    expect(row(page, 'delta')).to_have_attribute('aria-selected', 'true')
    page.keyboard.press('Shift+ArrowDown')
    expect(row(page, 'gamma')).to_have_attribute('aria-selected', 'true')
    expect(row(page, 'gamma')).to_be_focused()
    page.keyboard.press('Escape')
    expect(row(page, 'delta')).to_have_attribute('aria-selected', 'false')
    page.keyboard.press('End')
    expect(row(page, 'Alpha')).to_be_focused()
    page.keyboard.press('Enter')
    expect(page).to_have_url(few.url + '/experiments/Alpha')
    expect(page.get_by_role('heading', name='Alpha', level=1)).to_be_visible()


def test_runs_are_stopped_from_the_list(sandbox, server, browse):
    sandbox.write_script('train.py', WAITING)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    page = browse(server)
    expect(row(page, 'exp')).to_contain_text('running')
    page.get_by_role('checkbox', name='Select exp').click()
    bar = page.get_by_role('region', name='Selected experiments')
    bar.get_by_role('button', name='Stop').click()
    bar.get_by_role('button', name='Cancel').click()
    expect(bar.get_by_role('button', name='Yes, stop')).to_have_count(0)
    expect(row(page, 'exp')).to_contain_text('running')
    bar.get_by_role('button', name='Stop').click()
    expect(bar.get_by_role('button', name='Yes, stop')).to_be_focused()
    page.keyboard.press('Enter')
    expect(bar.get_by_role('status')).to_have_text('Asked exp to stop.')
    run.wait(check_code=143)
    expect(row(page, 'exp')).to_contain_text('stopped')


def multiply(sandbox, count):
    """Makes `count` more of the only experiment there is, each older than the one before."""
    with sqlite3.connect(sandbox.studio_home / 'studio.db') as database:
        names = [column[1] for column in database.execute('PRAGMA table_info(experiments)')]
        one = dict(zip(names, database.execute('SELECT * FROM experiments').fetchone()))
        names.remove('sequence')  # a trigger gives it
        record = json.loads(one['record'])
        record['created'] = '2020-01-01T00:00:00.000000000Z'

        def copies():
            for number in range(count):
                key = 'copy-%06d' % number
                record['key'] = key
                changed = {'key': key, 'record': json.dumps(record), 'created': 1577836800 * 10**9 - number}
                yield [changed.get(name, one[name]) for name in names]

        database.executemany('INSERT INTO experiments (%s) VALUES (%s)' % (','.join(names), ','.join('?' * len(names))), copies())
    database.close()


def test_a_record_that_cannot_be_read_is_told_once(sandbox, server, browse):
    sandbox.write_script('train.py', '')
    for key in ('good', 'bad'):
        sandbox.run('run', '-e', key, 'train.py')
    with sqlite3.connect(sandbox.studio_home / 'studio.db') as database:
        database.execute("UPDATE experiments SET record = '{}' WHERE key = 'bad'")
    database.close()
    page = browse(server)
    expect_keys(page, ['good'])
    notice = page.locator('.notice')
    expect(notice).to_have_count(1)
    expect(notice).to_contain_text('1 experiment cannot be read, and is not listed')
    expect(notice).to_contain_text("experiment 'bad'")


def test_a_hundred_thousand_of_them(sandbox, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'first', 'train.py')
    multiply(sandbox, 99_999)
    server = Server(sandbox)
    page = browse(server)
    expect(page.get_by_text('100,000 experiments')).to_be_visible()
    expect(page.get_by_role('grid', name='Experiments')).to_have_attribute('aria-rowcount', '100001')
    expect(row(page, 'first')).to_be_visible()
    grid = page.locator('.run-table')
    grid.evaluate('element => element.scrollTo(0, 50000 * 36)')
    expect(row(page, 'copy-050000')).to_be_visible()
    assert rows(page).count() < 100, 'only what is in sight is in the page'
    rows(page).first.focus()
    page.keyboard.press('End')
    expect(row(page, 'copy-099998')).to_be_focused()
    # A new one moves nothing under the eyes of who looks further down.
    top = grid.evaluate('element => element.scrollTop')
    sandbox.run('run', '-e', 'newest', 'train.py')
    button = page.get_by_role('button', name='1 new')
    expect(button).to_be_visible()
    assert grid.evaluate('element => element.scrollTop') == top
    expect(row(page, 'copy-099998')).to_be_visible()
    button.click()
    expect(row(page, 'newest')).to_be_visible()
    assert grid.evaluate('element => element.scrollTop') == 0
    # Back comes to where one was.
    grid.evaluate('element => element.scrollTo(0, 70000 * 36)')
    row(page, 'copy-070005').get_by_role('link').click()
    expect(page.get_by_role('heading', name='copy-070005', level=1)).to_be_visible()
    page.go_back()
    expect(row(page, 'copy-070005')).to_be_visible()


def test_it_fits_a_phone(few, browse):
    page = browse(few, width=360, height=640)
    expect_keys(page, ['epsilon', 'delta', 'gamma', 'beta', 'Alpha'])
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    beta = row(page, 'beta')
    expect(beta.get_by_text('failed')).to_be_visible()
    expect(beta.locator('.cell-command')).to_be_visible()
    assert beta.bounding_box()['height'] == 60
    assert beta.get_by_text('failed').bounding_box()['y'] > beta.get_by_role('link').bounding_box()['y'] + 10, 'two lines'
    page.get_by_label('Order').select_option('key')
    expect_keys(page, ['Alpha', 'beta', 'delta', 'epsilon', 'gamma'])


def test_nothing_moves_while_it_loads(few, browse):
    page = browse(few)
    expect(keys(page)).to_have_count(5)
    shift = page.evaluate('''() => new Promise((resolve) => {
        let sum = 0;
        const observer = new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) if (!entry.hadRecentInput) sum += entry.value;
        });
        observer.observe({type: 'layout-shift', buffered: true});
        requestAnimationFrame(() => requestAnimationFrame(() => resolve(sum)));
    })''')
    assert shift < 0.02
