"""What a script writes, as a terminal shows it."""

import re
import signal

import pytest
from playwright.sync_api import expect

from server import Server

DRAWING = r'''
import sys
write = sys.stdout.write
write('\033[31mred\033[0m plain \033[1;38;5;46mgreen\033[0m \033[38;2;1;2;3mexact\033[0m\n')
for done in range(0, 101, 10):
    write('\r%3d%% of it' % done)
write('\nlong line of progress\rshort\033[K\n')
write('abc\b\b\bxyz\n')
write('<b>no markup</b> \N{GREEK SMALL LETTER ALPHA}\n')
write('upper\nlower\n\033[2A\033[2KUPPER\033[2B')
'''


def lines(page):
    return page.locator('.t-row .t-text')


def open_output(browse, server, key, **options):
    page = browse(server, '/experiments/%s/output' % key, **options)
    expect(page.get_by_role('region', name='Output')).to_be_visible()
    return page


def line_count(page):
    return page.locator('.output-length')


def test_it_looks_as_on_a_terminal(sandbox, server, browse):
    sandbox.write_script('train.py', DRAWING)
    sandbox.run('run', '-e', 'exp', 'train.py')
    for scheme in ('light', 'dark'):
        page = open_output(browse, server, 'exp', scheme=scheme)
        expect(lines(page)).to_have_text(
            ['red plain green exact', '100% of it', 'short', 'xyz', '<b>no markup</b> α', 'UPPER', 'lower'])
        red, green, exact = (page.locator('.t-text span').nth(number) for number in range(3))
        ground, colour = page.evaluate('''() => [getComputedStyle(document.querySelector('.terminal')).backgroundColor,
                                                 getComputedStyle(document.querySelector('.t-text span')).color]''')
        expect(red).to_have_css('color', colour)
        assert colour not in (ground, page.locator('.t-text').first.evaluate('e => getComputedStyle(e).color'))
        expect(green).to_have_css('color', 'rgb(0, 255, 0)')
        expect(green).to_have_css('font-weight', '700')
        expect(exact).to_have_css('color', 'rgb(1, 2, 3)')


def test_it_is_followed_as_it_is_written(sandbox, server, browse):
    sandbox.write_script('train.py', '''
        print('first')
        wait_for('go on')
        sys.stdout.write('50%')
        wait_for('more')
        print('\\r100%')
        for number in range(500):
            print('line', number)
        wait_for('again')
        print('last')
        wait_for('end')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    run.wait_output(b'first')
    page = open_output(browse, server, 'exp')
    expect(lines(page)).to_have_text(['first'])
    expect(page.get_by_text('live', exact=True)).to_be_visible()
    sandbox.mark('go on')
    expect(lines(page)).to_have_text(['first', '50%'])
    sandbox.mark('more')
    expect(lines(page).last).to_have_text('line 499')
    expect(line_count(page)).to_contain_text('502 lines')
    follow = page.get_by_role('button', name='Follow')
    expect(follow).to_have_attribute('aria-pressed', 'true')
    # To scroll up is to stop following.
    page.get_by_role('region', name='Output').hover()
    page.mouse.wheel(0, -1200)
    expect(follow).to_have_attribute('aria-pressed', 'false')
    seen = lines(page).first.inner_text()
    sandbox.mark('again')
    expect(line_count(page)).to_contain_text('503 lines')
    assert lines(page).first.inner_text() == seen
    follow.click()
    expect(lines(page).last).to_have_text('last')
    expect(follow).to_have_attribute('aria-pressed', 'true')
    sandbox.mark('end')
    run.wait()
    expect(page.get_by_text('live', exact=True)).to_have_count(0)


def test_it_goes_on_after_the_server_was_away(sandbox, browse):
    sandbox.write_script('train.py', """
        print('first')
        wait_for('go on')
        print('while nobody listened')
        mark('written')
        wait_for('end')
        print('last')
    """)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    run.wait_output(b'first')
    server = Server(sandbox)
    page = open_output(browse, server, 'exp')
    expect(lines(page)).to_have_text(['first'])
    server.process.signal(signal.SIGTERM)
    server.process.wait()
    sandbox.mark('go on')
    sandbox.wait_mark('written')
    Server(sandbox, server.port)
    expect(lines(page)).to_have_text(['first', 'while nobody listened'], timeout=30_000)
    sandbox.mark('end')
    expect(lines(page)).to_have_text(['first', 'while nobody listened', 'last'], timeout=30_000)
    run.wait()


@pytest.fixture(scope='module')
def long(shared_sandbox):
    shared_sandbox.write_script('train.py', '''
        for number in range(500_000):
            print('step', number, 'loss', 1 / (1 + number))
        print('wide ' + 'x' * 3000 + ' needle')
        print('end of it')
    ''')
    shared_sandbox.run('run', '-e', 'exp', 'train.py')
    return Server(shared_sandbox)


def test_of_many_lines_only_those_in_sight_are_in_the_page(long, browse):
    page = open_output(browse, long, 'exp')
    expect(line_count(page)).to_contain_text('500,002 lines')
    expect(lines(page).first).to_have_text('step 0 loss 1.0')
    assert lines(page).count() < 100
    page.get_by_role('region', name='Output').focus()
    page.keyboard.press('End')
    expect(lines(page).last).to_have_text('end of it')
    assert lines(page).count() < 100
    # The wheel moves by lines also where the whole is taller than a browser's element can be.
    numbers = page.locator('.t-number')
    page.get_by_role('region', name='Output').evaluate('e => e.scrollTo(0, e.scrollHeight / 2)')
    expect(numbers.first).to_have_attribute('data-number', re.compile(r'^2[45]\d{4}$'))
    before = int(numbers.first.get_attribute('data-number'))
    page.get_by_role('region', name='Output').hover()
    page.mouse.wheel(0, 180)
    expect(numbers.first).to_have_attribute('data-number', str(before + 10))


def test_search_goes_from_match_to_match(long, browse):
    page = open_output(browse, long, 'exp')
    expect(line_count(page)).to_contain_text('500,002 lines')
    box = page.get_by_role('searchbox', name='Search output')
    told = page.get_by_role('search').get_by_role('status')
    box.fill('STEP 12345')
    expect(told).to_have_text('11')
    box.press('Enter')
    expect(told).to_have_text('1 of 11')
    current = page.locator('mark.mark-current')
    expect(current).to_have_text('step 12345')
    expect(page.locator('.t-row').filter(has=current)).to_contain_text('step 12345 loss')
    box.press('Enter')
    expect(told).to_have_text('2 of 11')
    expect(page.locator('.t-row').filter(has=current)).to_contain_text('step 123450 loss')
    page.get_by_role('button', name='Previous match').click()
    page.get_by_role('button', name='Previous match').click()
    expect(told).to_have_text('11 of 11')
    expect(page.locator('.t-row').filter(has=current)).to_contain_text('step 123459 loss')
    box.fill('not in it')
    expect(told).to_have_text('no match')
    expect(page.locator('mark')).to_have_count(0)
    expect(page.get_by_role('button', name='Next match')).to_be_disabled()


def test_long_lines_are_wrapped_or_not(long, browse):
    page = open_output(browse, long, 'exp')
    expect(line_count(page)).to_contain_text('500,002 lines')
    box = page.get_by_role('searchbox', name='Search output')
    box.fill('needle')
    box.press('Enter')
    needle = page.locator('mark.mark-current')
    expect(needle).to_be_in_viewport()
    # Its row begins in the middle of a line.
    row = page.locator('.t-row').filter(has=needle)
    expect(row.locator('.t-number')).to_have_attribute('data-number', '')
    page.get_by_role('button', name='Wrap').click()
    expect(row.locator('.t-number')).to_have_attribute('data-number', '500001')
    box.press('Enter')
    expect(needle).to_be_in_viewport()


def test_it_can_be_downloaded(sandbox, server, browse):
    sandbox.write_script('train.py', DRAWING)
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = open_output(browse, server, 'exp')
    with page.expect_download() as download:
        page.get_by_role('link', name='Download').click()
    assert download.value.suggested_filename == 'exp-0.log'
    with open(download.value.path(), 'rb') as file:
        assert file.read() == sandbox.cat('exp/output')


def test_an_attempt_whose_file_is_gone_comes_from_the_store(sandbox, server, browse):
    sandbox.write_script('train.py', 'import sys; print("attempt", sys.argv[1])')
    for number in range(2):
        sandbox.run('run', '-e', 'exp', 'train.py', str(number))
    page = open_output(browse, server, 'exp')
    expect(lines(page)).to_have_text(['attempt 1'])
    page.get_by_label('Attempt').select_option('0')
    expect(lines(page)).to_have_text(['attempt 0'])


def test_a_script_that_wrote_nothing(sandbox, server, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = open_output(browse, server, 'exp')
    expect(page.get_by_text('Nothing was written.')).to_be_visible()
