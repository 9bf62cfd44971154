"""One experiment: its header, what it was, and what it reused."""

import re
import subprocess

import pytest
from playwright.sync_api import expect

import event_file
from server import Server

GIT = ['git', '-c', 'user.name=Test', '-c', 'user.email=test@example.org']


@pytest.fixture(scope='module')
def recorded(shared_sandbox):
    sandbox = shared_sandbox
    sandbox.write_script('train.py', 'import sys; print(sys.argv); sys.exit(int(sys.argv[1]))')
    for command in (['init', '-q', '-b', 'main'], ['add', '.'], ['commit', '-q', '-m', 'First']):
        subprocess.run(GIT + command, cwd=sandbox.workspace, check=True, env=sandbox.environment())
    sandbox.write_script('train.py', 'import sys; sys.exit(int(sys.argv[1]))')
    sandbox.run('run', '-e', 'exp', 'train.py', '3', 'two words', check_code=3)
    sandbox.run('run', '-e', 'exp', 'train.py', '0', 'two words')
    sandbox.run('run', '-e', 'middle', '--reuse', 'exp/output@v0:text', 'train.py', '0')
    sandbox.run('run', '-e', 'last', '--reuse', 'middle/workspace:code', 'train.py', '0')
    return Server(sandbox)


def fact(page, name):
    return page.locator('.fact').filter(has=page.get_by_text(name, exact=True)).locator('dd')


def test_it_tells_all_that_was_recorded(recorded, shared_sandbox, browse):
    page = browse(recorded, '/experiments/exp')
    environment = shared_sandbox.show('exp')['environment']
    expect(page.get_by_role('heading', name='exp', level=1)).to_be_visible()
    expect(fact(page, 'State')).to_have_text('finished')
    expect(fact(page, 'Exit code')).to_have_text('0')
    expect(fact(page, 'Commit')).to_contain_text(environment['git']['commit'][:12])
    expect(fact(page, 'Branch')).to_have_text('main')
    expect(fact(page, 'Changes')).to_have_text('not committed')
    expect(fact(page, 'System')).to_have_text(environment['host']['system'])
    expect(fact(page, 'Python')).to_have_text(environment['python']['version'])
    expect(fact(page, 'Peak memory').locator('span')).to_have_attribute('title', re.compile(r'^[\d,]+ bytes$'))
    expect(page.locator('.command-directory code')).to_have_text(str(shared_sandbox.workspace))
    removed = page.locator('.diff-removed')
    expect(removed).to_have_text('-import sys; print(sys.argv); sys.exit(int(sys.argv[1]))')
    assert removed.evaluate('e => getComputedStyle(e).backgroundColor') != \
        page.locator('.diff-added').evaluate('e => getComputedStyle(e).backgroundColor')


def test_the_command_can_be_copied_as_a_shell_takes_it(recorded, browse):
    page = browse(recorded, '/experiments/exp')
    page.get_by_role('button', name='Copy command').click()
    expect(page.get_by_text('Copied')).to_be_attached()
    assert page.evaluate('navigator.clipboard.readText()') == "train.py 0 'two words'"


def test_variables_are_searched(recorded, browse):
    page = browse(recorded, '/experiments/exp')
    names = page.get_by_role('group', name='variables')
    expect(names.get_by_role('rowheader', name='HOME', exact=True)).to_be_visible()
    page.get_by_role('searchbox', name='Search variables').fill('lang')
    expect(names.get_by_role('row')).to_have_count(2)  # one is the heading
    expect(names.get_by_role('row').last).to_contain_text('C.UTF-8')


def test_an_earlier_attempt(recorded, browse):
    page = browse(recorded, '/experiments/exp')
    page.get_by_label('Attempt').select_option('0')
    expect(page).to_have_url(recorded.url + '/experiments/exp?attempt=0')
    expect(fact(page, 'State')).to_have_text('failed')
    expect(fact(page, 'Exit code')).to_have_text('3')
    page.get_by_role('tab', name='Output').click()
    expect(page).to_have_url(recorded.url + '/experiments/exp/output?attempt=0')
    page.go_back()
    page.go_back()
    expect(fact(page, 'State')).to_have_text('finished')


def test_tabs_by_keyboard(recorded, browse):
    page = browse(recorded, '/experiments/exp')
    page.get_by_role('tab', name='Overview').focus()
    page.keyboard.press('ArrowLeft')
    expect(page.get_by_role('tab', name='Lineage')).to_be_focused()
    page.keyboard.press('Home')
    page.keyboard.press('ArrowRight')
    page.keyboard.press('Enter')
    expect(page).to_have_url(recorded.url + '/experiments/exp/output')
    expect(page.get_by_role('tab', name='Output')).to_have_attribute('aria-selected', 'true')
    expect(page.get_by_role('tabpanel', name='Output')).to_be_visible()


def test_an_unknown_experiment_is_told_in_the_servers_words(recorded, browse):
    page = browse(recorded, '/experiments/none')
    expect(page.get_by_role('alert')).to_contain_text("there is no experiment 'none'")
    page = browse(recorded, '/experiments/exp?attempt=7')
    expect(page.get_by_role('alert')).to_contain_text('it has 0, 1')


def test_an_unknown_address(recorded, browse):
    page = browse(recorded, '/experiments/exp/none')
    expect(page.get_by_role('heading', name='There is no such page')).to_be_visible()
    page.get_by_role('link', name='All experiments').click()
    expect(page).to_have_url(recorded.url + '/')


def test_lineage_leads_back_to_what_was_reused(recorded, browse):
    page = browse(recorded, '/experiments/last/lineage')
    expect(page.get_by_role('link', name='middle/workspace@v0')).to_be_visible()
    page.get_by_role('link', name='exp/output@v0').click()
    expect(page).to_have_url(recorded.url + '/experiments/exp/artifacts?tag=output&version=v0')
    expect(page.get_by_role('combobox', name='Version')).to_have_value('v0')
    page = browse(recorded, '/experiments/exp/lineage')
    expect(page.get_by_role('heading', name='Nothing was reused')).to_be_visible()


def test_lineage_leads_on_to_who_reuses_it(recorded, shared_sandbox, browse):
    page = browse(recorded, '/experiments/exp/lineage')
    cards = page.locator('.section', has=page.get_by_role('heading', name='Reused by')).locator('.lineage-card')
    expect(cards).to_have_count(1)
    expect(cards).to_have_text('output@v0bymiddleastextFinished', ignore_case=True)
    shared_sandbox.run('run', '-e', 'later', '--reuse', 'exp/workspace@v0:code', 'train.py', '0')
    expect(cards).to_have_count(2)  # without a click
    page.get_by_role('link', name='middle', exact=True).click()
    expect(page).to_have_url(recorded.url + '/experiments/middle/lineage?attempt=0')
    expect(page.get_by_role('heading', name='Reused', exact=True)).to_be_visible()
    page.get_by_role('link', name='last', exact=True).click()
    expect(page.get_by_role('link', name='exp/output@v0')).to_be_visible()
    expect(page.get_by_role('heading', name='Reused by')).to_have_count(0)


def test_what_a_run_uses_is_drawn_as_it_runs(sandbox, server, browse):
    sandbox.write_script('train.py', '''
        held = bytearray(os.urandom(1 << 20)) * 64
        mark('started')
        wait_for('end')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    page = browse(server, '/experiments/exp')
    memory = page.get_by_role('img', name=re.compile('^Memory: .* MB at last'))
    expect(memory).to_be_visible()
    expect(page.get_by_role('img', name=re.compile('^CPU: .* % at last, at most .* %'))).to_be_visible()
    memory.hover()
    expect(page.locator('.resource-chart', has=memory).get_by_text(' after ')).to_be_visible()
    sandbox.mark('end')
    run.wait()
    expect(fact(page, 'State')).to_have_text('finished')
    page.reload()
    expect(memory).to_be_visible()


def test_it_tells_how_far_a_run_is(sandbox, server, browse):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', """
        from event_file import scalar
        from studio import fs_tracker
        sys.stdout.write('epoch 1\\n\\x1b[32m 40%\\x1b[0m of it\\r 50%')
        mark('half')
        wait_for('go on')
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            events.write(scalar(7, 'loss', 0.5) + scalar(1234, 'loss', 0.25))
        print('\\r100%\\n<b>done</b>\\n\\n')
        wait_for('end')
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'ab') as events:
            events.write(scalar(2000, 'loss', 0.1))
        sys.exit('no such file: data.csv')
    """)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('half')
    page = browse(server, '/experiments/exp')
    last_line = page.locator('.last-line')
    expect(last_line).to_have_text(' 50% of it')
    expect(page.locator('.last-step')).to_have_text('')
    sandbox.mark('go on')
    expect(last_line).to_have_text('<b>done</b>')
    expect(page.locator('.last-step')).to_have_text('step 1,234')
    sandbox.mark('end')
    run.wait(check_code=1)
    expect(last_line).to_have_text('no such file: data.csv')
    expect(page.locator('.last-step')).to_have_text('step 2,000')


def test_of_a_silent_script_it_says_so(sandbox, server, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = browse(server, '/experiments/exp')
    expect(page.locator('.last-line')).to_have_text('It wrote nothing.')


def test_a_run_is_followed_and_killed_from_its_page(sandbox, server, browse):
    sandbox.write_script('train.py', '''
        mark('started')
        wait_for('end')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    page = browse(server, '/experiments/exp')
    expect(fact(page, 'State')).to_have_text('running')
    page.get_by_role('button', name='Stop').click()
    page.get_by_role('button', name='Kill').click()
    run.wait(check_code=137)
    expect(fact(page, 'State')).to_have_text('stopped')
    expect(fact(page, 'Signal')).to_have_text('SIGKILL')
    expect(page.get_by_role('button', name='Stop')).to_have_count(0)
