"""The charts of what a script wrote for TensorBoard."""

import re
import urllib.parse

import pytest
from playwright.sync_api import expect

import event_file
from server import Server

SCRIPT = '''
import math, os
from event_file import scalar
from studio import fs_tracker
directory = fs_tracker.get_tensorboard_dir()
for run, scale in (('train', 1.0), ('val', 2.0)):
    os.makedirs(os.path.join(directory, run))
    with open(os.path.join(directory, run, 'events.out.tfevents.1'), 'wb') as file:
        for step in range(2000):
            file.write(scalar(step, 'loss/total', scale / (1 + step) + 0.1 * (step % 2), 1e9 + step))
        for step in range(0, 2000, 100):
            file.write(scalar(step, 'loss/l2', scale * step, 1e9 + step))
            file.write(scalar(step, 'rate', 0.5, 1e9 + step))
'''


@pytest.fixture(scope='module')
def charted(shared_sandbox):
    shared_sandbox.write(shared_sandbox.workspace / 'event_file.py', event_file.source())
    shared_sandbox.write_script('train.py', SCRIPT)
    shared_sandbox.run('run', '-e', 'exp', 'train.py')
    shared_sandbox.run('run', '-e', 'other', 'train.py')
    return Server(shared_sandbox)


def card(page, tag):
    return page.locator('.chart-card[data-tag="%s"]' % tag)


def loaded_points(page, tag):
    """How many points each line of a chart has."""
    return [int(number) for number in card(page, tag).get_attribute('data-points').split()]


def open_charts(browse, server, query='', **options):
    page = browse(server, '/experiments/exp/charts' + query, **options)
    expect(card(page, 'loss/total').locator('canvas')).to_be_visible()
    return page


def picture(page, tag):
    """What is drawn, as text that is equal when the pictures are."""
    return card(page, tag).locator('canvas').evaluate('canvas => canvas.toDataURL()')


def expect_other_picture(page, tag, before):
    page.wait_for_function('''([tag, before]) => {
        const canvas = document.querySelector(`.chart-card[data-tag="${tag}"] canvas`);
        return canvas && canvas.toDataURL() !== before;
    }''', arg=[tag, before])


def test_a_chart_for_each_tag_by_group(charted, browse):
    page = open_charts(browse, charted)
    expect(page.locator('.chart-group h2')).to_have_text(['loss', 'Other'])
    expect(page.locator('.chart-group').first.locator('.chart-title')).to_have_text(['loss/l2', 'loss/total'])
    lines = card(page, 'loss/total').get_by_role('listitem')
    expect(lines).to_have_count(2)
    expect(lines.first).to_contain_text('train')
    expect(lines.first).to_contain_text('0.1005')  # the last value, 1 / 2000 + 0.1
    expect(lines.last).to_contain_text('val')
    assert loaded_points(page, 'loss/total') == [800, 800]
    assert lines.first.locator('.swatch').evaluate('e => getComputedStyle(e).color') != \
        lines.last.locator('.swatch').evaluate('e => getComputedStyle(e).color')


def test_lines_are_drawn_in_both_schemes(charted, browse):
    pictures = []
    for scheme in ('light', 'dark'):
        page = open_charts(browse, charted, scheme=scheme)
        colours = card(page, 'loss/total').locator('canvas').evaluate('''canvas => {
            const {data} = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
            const seen = new Set();
            for (let at = 0; at < data.length; at += 4) if (data[at + 3] === 255) seen.add(`${data[at]},${data[at + 1]},${data[at + 2]}`);
            return [...seen];
        }''')
        for number in range(2):
            token = page.evaluate('n => getComputedStyle(document.documentElement).getPropertyValue(`--series-${n}`).trim()', number)
            assert '%d,%d,%d' % tuple(bytes.fromhex(token[1:])) in colours
        pictures.append(picture(page, 'loss/total'))
    assert pictures[0] != pictures[1]


def test_smoothing_scale_and_axis_are_in_the_address(charted, browse):
    page = open_charts(browse, charted)
    before = picture(page, 'loss/total')
    slider = page.get_by_role('slider', name='Smoothing')
    slider.fill('0.9')
    expect(page).to_have_url(re.compile(r'[?&]smoothing=0\.9$'))
    expect_other_picture(page, 'loss/total', before)
    before = picture(page, 'loss/total')
    page.get_by_role('button', name='Log scale').click()
    expect(page).to_have_url(re.compile('scale=log'))
    expect_other_picture(page, 'loss/total', before)
    with page.expect_request(re.compile('axis=time')):
        page.get_by_label('Axis').select_option('Relative time')
    page.reload()
    expect(slider).to_have_value('0.9')
    expect(page.get_by_role('button', name='Log scale')).to_have_attribute('aria-pressed', 'true')
    expect(page.get_by_label('Axis')).to_have_value('relative')


def test_the_pointer_reads_the_same_place_in_all_charts(charted, browse):
    page = open_charts(browse, charted)
    expect(card(page, 'loss/l2').locator('canvas')).to_be_visible()
    box = card(page, 'loss/total').locator('.u-over').bounding_box()
    page.mouse.move(box['x'] + box['width'] / 2, box['y'] + 50)
    place = card(page, 'loss/total').locator('.chart-place')
    expect(place).to_have_text(re.compile(r'^step \d'))
    step = int(place.inner_text().removeprefix('step ').replace(',', ''))
    assert 900 < step < 1100
    other = card(page, 'loss/l2')
    expect(other.locator('.chart-place')).to_have_text(re.compile(r'^step (9|1,0)\d\d$'))
    shown = int(other.locator('.chart-place').inner_text().removeprefix('step ').replace(',', ''))
    expect(other.get_by_role('listitem').last.locator('.legend-value')).to_have_text(str(2 * shown))


def test_dragging_zooms_into_what_is_loaded_anew(charted, browse):
    page = open_charts(browse, charted)
    over = card(page, 'loss/total').locator('.u-over')
    box = over.bounding_box()
    with page.expect_request(lambda request: '/scalars/series?' in request.url and 'from=' in request.url) as asked:
        page.mouse.move(box['x'] + box['width'] * 0.25, box['y'] + 60)
        page.mouse.down()
        page.mouse.move(box['x'] + box['width'] * 0.35, box['y'] + 70, steps=4)
        page.mouse.up()
    query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(asked.value.url).query))
    first, last = int(query['from']), int(query['to'])
    assert 450 < first < 550 and 650 < last < 750
    expect(card(page, 'loss/total')).to_have_attribute('data-points', ' '.join([str(last - first + 1)] * 2))
    reset = page.get_by_role('button', name='Reset zoom')
    expect(reset).to_be_enabled()
    over.dblclick()
    expect(reset).to_be_disabled()
    expect(card(page, 'loss/total')).to_have_attribute('data-points', '800 800')


def test_tags_and_runs_are_chosen(charted, browse):
    page = open_charts(browse, charted)
    page.get_by_role('searchbox', name='Filter tags').fill('L2')
    expect(page.locator('.chart-title')).to_have_text(['loss/l2'])
    page.get_by_role('searchbox', name='Filter tags').fill('')
    expect(page.locator('.chart-title')).to_have_count(3)
    page.get_by_role('group', name='Runs').get_by_label('val').uncheck()
    expect(card(page, 'loss/total').get_by_role('listitem')).to_have_text([re.compile('train')])


def test_charts_grow_while_the_script_runs(sandbox, server, browse):
    sandbox.configure('saveWorkspaceFrequency: 500ms')
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', '''
        from event_file import scalar
        from studio import fs_tracker
        with open(os.path.join(fs_tracker.get_tensorboard_dir(), 'events.out.tfevents.1'), 'wb', buffering=0) as file:
            for step in range(10):
                file.write(scalar(step, 'loss/total', step))
            wait_for('more')
            for step in range(10, 30):
                file.write(scalar(step, 'loss/total', step))
            wait_for('end')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    page = browse(server, '/experiments/exp/charts')
    expect(card(page, 'loss/total')).to_have_attribute('data-points', '10')
    card(page, 'loss/total').locator('canvas').evaluate('canvas => canvas.isTheSame = true')
    sandbox.mark('more')
    expect(card(page, 'loss/total')).to_have_attribute('data-points', '30')
    expect(card(page, 'loss/total').get_by_role('listitem')).to_contain_text('29')
    assert card(page, 'loss/total').locator('canvas').evaluate('canvas => canvas.isTheSame === true'), 'drawn on, not made anew'
    sandbox.mark('end')
    run.wait()


def test_without_charts_it_says_where_they_come_from(sandbox, server, browse):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = browse(server, '/experiments/exp/charts')
    expect(page.get_by_role('heading', name='No charts')).to_be_visible()


def test_compared_experiments_share_a_chart(charted, browse):
    page = browse(charted, '/compare?keys=exp,other')
    lines = card(page, 'loss/total').get_by_role('listitem')
    expect(lines).to_have_count(4)
    expect(lines.filter(has_text='exp · train')).to_have_count(1)
    colours = {line.locator('.swatch').evaluate('e => getComputedStyle(e).color') for line in lines.all()}
    assert len(colours) == 2, 'a colour for each experiment'
