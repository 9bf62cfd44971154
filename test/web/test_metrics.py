"""Metrics beside the experiments: `studio run --metric`."""

import event_file
import pytest
from playwright.sync_api import expect

from server import Server
from test_experiments import expect_keys, row, rows


@pytest.fixture(scope='module')
def measured(shared_sandbox):
    """Three experiments with a metric, of which one has not written it, and one without any."""
    shared_sandbox.write(shared_sandbox.workspace / 'event_file.py', event_file.source())
    shared_sandbox.write_script('train.py', """
        import sys
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            for step, loss in enumerate(sys.argv[1:]):
                events.write(scalar(step, 'eval/loss', float(loss)))
    """)
    for key, losses in (('good', ('0.5', '0.125', '0.25')), ('bad', ('4',)), ('silent', ())):
        shared_sandbox.run('run', '-e', key, '--metric', 'eval/loss:min', 'train.py', *losses)
    shared_sandbox.run('run', '-e', 'plain', 'train.py')
    return Server(shared_sandbox)


def test_a_metric_has_a_column_that_sorts(measured, browse):
    page = browse(measured)
    header = page.get_by_role('columnheader', name='eval/loss')
    expect(header).to_be_visible()
    expect(row(page, 'good').locator('.cell-value')).to_have_text('0.125')
    expect(row(page, 'silent').locator('.cell-value')).to_have_text('–')
    expect(row(page, 'plain').locator('.cell-value')).to_have_text('')
    header.get_by_role('button').click()
    expect(header).to_have_attribute('aria-sort', 'ascending')
    expect_keys(page, ['good', 'bad', 'plain', 'silent'])
    header.get_by_role('button').click()
    expect_keys(page, ['bad', 'good', 'plain', 'silent'])
    page.reload()
    expect_keys(page, ['bad', 'good', 'plain', 'silent'])


def test_without_metrics_there_is_no_column(sandbox, server, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = browse(server)
    expect(rows(page)).to_have_count(1)
    expect(page.get_by_role('columnheader')).to_have_text(
        ['Select', 'State', 'Key', 'Project', 'Command', 'Owner', 'Started', 'Duration', 'Attempts'])


def test_the_overview_tells_the_step(measured, browse):
    page = browse(measured, '/experiments/good')
    section = page.locator('section', has=page.get_by_role('heading', name='Metrics'))
    expect(section).to_contain_text('0.125')
    expect(section).to_contain_text('min, at step 1')
    page.goto(measured.url + '/experiments/plain')
    expect(page.get_by_role('heading', name='Outcome')).to_be_visible()
    expect(page.get_by_role('heading', name='Metrics')).to_have_count(0)


def test_metrics_are_compared(measured, browse):
    page = browse(measured, '/compare?keys=good,bad')
    expect(page.get_by_role('row', name='eval/loss (min)')).to_contain_text('0.125 at step 1')
    expect(page.get_by_role('row', name='eval/loss (min)')).to_contain_text('4 at step 0')
