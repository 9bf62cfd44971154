"""Columns of metrics and parameters in the list of experiments."""

import event_file
import pytest
from playwright.sync_api import expect

from server import Server
from test_accessibility import serious
from test_experiments import expect_keys, row, rows

USUAL = ['Select', 'State', 'Key', 'Project', 'Command', 'Owner', 'Started', 'Duration', 'Attempts']


@pytest.fixture(scope='module')
def varied(shared_sandbox):
    """Three experiments whose commands differ in two parameters, and a fourth without any; each with a metric."""
    shared_sandbox.write(shared_sandbox.workspace / 'event_file.py', event_file.source())
    shared_sandbox.write_script('train.py', """
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            events.write(scalar(1, 'loss', 0.5))
    """)
    for key, arguments in (('ten', ('--lr', '10', '--depth=3', '--debug')), ('nine', ('--lr=9', '--depth=3')),
                           ('auto', ('lr=auto', '--depth=3'))):
        shared_sandbox.run('run', '-e', key, '--project', 'digits', '--metric', 'loss', 'train.py', *arguments)
    shared_sandbox.run('run', '-e', 'plain', '--metric', 'loss', 'train.py')
    return Server(shared_sandbox)


def headers(page):
    return page.get_by_role('columnheader')


def with_values(*names):
    return USUAL[:5] + list(names) + USUAL[5:]


def chooser(page):
    return page.get_by_role('group', name='Columns')


def choice(page, name):
    return chooser(page).get_by_role('checkbox', name=name, exact=True)


def open_chooser(page):
    page.get_by_role('button', name='Columns').click()
    expect(chooser(page)).to_be_visible()


def test_a_parameter_gets_a_column_that_sorts_and_stays(varied, browse):
    page = browse(varied)
    expect(headers(page)).to_have_text(with_values('loss'))
    open_chooser(page)
    expect(choice(page, 'loss')).to_be_checked()
    expect(choice(page, 'lr')).not_to_be_checked()
    # On its words, as one does.
    chooser(page).get_by_text('lr', exact=True).click()
    expect(choice(page, 'lr')).to_be_checked()
    expect(headers(page)).to_have_text(with_values('loss', 'lr'))
    expect(row(page, 'auto').locator('.cell-value')).to_have_text(['0.5', 'auto'])
    expect(row(page, 'plain').locator('.cell-value')).to_have_text(['0.5', ''])
    choice(page, 'loss').uncheck()
    expect(headers(page)).to_have_text(with_values('lr'))
    page.get_by_role('heading', name='Experiments').click()
    expect(chooser(page)).to_be_hidden()
    header = page.get_by_role('columnheader', name='lr')
    for order, expected in (('ascending', ['nine', 'ten', 'auto', 'plain']), ('descending', ['ten', 'nine', 'auto', 'plain'])):
        header.get_by_role('button').click()
        expect(header).to_have_attribute('aria-sort', order)
        expect_keys(page, expected)
    page.reload()
    expect_keys(page, ['ten', 'nine', 'auto', 'plain'])
    expect(headers(page)).to_have_text(with_values('lr'))


def test_parameters_that_differ_are_offered_first(varied, browse):
    page = browse(varied, '/?project=digits')
    expect(rows(page)).to_have_count(3)
    open_chooser(page)
    expect(chooser(page).get_by_role('checkbox')).to_have_count(4)
    expect(chooser(page).locator('legend, .column-choice')).to_have_text(
        ['Metrics', 'loss', 'Parameters that differ', 'lr', 'debug', 'Parameters that are the same', 'depth'])
    page.goto(varied.url + '/?search=plain')
    expect(rows(page)).to_have_count(1)
    open_chooser(page)
    expect(chooser(page).locator('.column-choice')).to_have_text(['loss'])


def test_columns_are_chosen_with_the_keyboard_alone(varied, browse):
    page = browse(varied)
    expect(rows(page)).to_have_count(4)
    button = page.get_by_role('button', name='Columns')
    button.focus()
    page.keyboard.press('Enter')
    expect(choice(page, 'loss')).to_be_focused()
    page.keyboard.press('Tab')
    expect(choice(page, 'depth')).to_be_focused()
    page.keyboard.press('Space')
    expect(choice(page, 'depth')).to_be_checked()
    expect(headers(page)).to_have_text(with_values('loss', 'depth'))
    page.keyboard.press('Escape')
    expect(chooser(page)).to_be_hidden()
    expect(button).to_be_focused()
    expect(button).to_have_attribute('aria-expanded', 'false')
    page.keyboard.press('Enter')
    expect(choice(page, 'loss')).to_be_focused()
    page.keyboard.press('Shift+Tab')
    page.keyboard.press('Shift+Tab')
    expect(chooser(page)).to_be_hidden()


def test_many_columns_are_scrolled_to_within_the_table(varied, browse):
    page = browse(varied, width=1024)
    expect(rows(page)).to_have_count(4)
    open_chooser(page)
    for name in ('lr', 'debug', 'depth'):
        choice(page, name).check()
    expect(headers(page)).to_have_text(with_values('loss', 'lr', 'debug', 'depth'))
    assert page.evaluate('document.documentElement.scrollWidth') <= 1024
    page.keyboard.press('Escape')
    last = page.get_by_role('columnheader', name='Attempts')
    last.evaluate('element => element.scrollIntoView({inline: "end"})')
    for part in (last, row(page, 'plain').locator('.cell-attempts')):
        box = part.bounding_box()
        assert box['width'] >= 60 and box['x'] + box['width'] <= 1024
    assert last.bounding_box()['x'] == row(page, 'plain').locator('.cell-attempts').bounding_box()['x']


@pytest.mark.parametrize('scheme', ['light', 'dark'])
def test_nothing_serious_in_the_chooser(varied, browse, scheme):
    page = browse(varied, scheme=scheme)
    expect(rows(page)).to_have_count(4)
    open_chooser(page)
    choice(page, 'lr').check()
    expect(headers(page)).to_have_text(with_values('loss', 'lr'))
    assert serious(page) == []


def test_on_a_phone_rows_are_put_in_the_order_of_a_column(varied, browse):
    page = browse(varied)
    expect(rows(page)).to_have_count(4)
    open_chooser(page)
    choice(page, 'lr').check()
    expect(headers(page)).to_have_text(with_values('loss', 'lr'))
    page.set_viewport_size({'width': 360, 'height': 640})
    expect(page.get_by_role('button', name='Columns')).to_be_hidden()
    page.get_by_label('Order').select_option('parameter:lr')
    expect_keys(page, ['nine', 'ten', 'auto', 'plain'])
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
    assert page.locator('.run-table').evaluate('element => element.scrollWidth <= element.clientWidth')
