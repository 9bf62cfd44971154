"""What a script writes for TensorBoard besides scalars: images, histograms, text, hyperparameters."""

import json
import re
import urllib.error
import urllib.parse
import urllib.request

import pytest
from playwright.sync_api import expect

import event_file
from server import Server
from test_accessibility import serious
from test_compare import cells

SCRIPT = '''
import os, sys
from event_file import histogram, hyperparameters, image, png, scalar, text
from studio import fs_tracker
rate = float(sys.argv[1])
directory = fs_tracker.get_tensorboard_dir()
with open(os.path.join(directory, 'events.out.tfevents.1'), 'wb') as file:
    file.write(hyperparameters({'rate': rate, 'layers': 3, 'bias': True, 'optimizer': '<b>adam</b>'}, group='sweep'))
    for step in range(0, 50, 10):
        file.write(scalar(step, 'loss', 1 / (1 + step)))
        file.write(image(step, 'samples/first', png(8, 4, lambda x, y: (step * 5, 0, 255)), size=(8, 4)))
        file.write(image(step, 'samples/pair', *[png(300, 200, lambda x, y: (0, n * 100, x % 256)) for n in range(2)]))
        file.write(histogram(step, 'weights/dense', [(at - 2 - step / 50, at - 1 - step / 50, 10 * at + 1) for at in range(4)]))
        file.write(text(step, 'notes', '| a | b |\\n|---|---|\\n| %d | 2 |' % step, '<img src=x onerror="window.hacked = 1">'))
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><script>window.hacked = 1</script></svg>'
    page = b'<html><script>window.hacked = 1</script></html>'
    file.write(image(0, 'hostile/drawing', svg))
    file.write(image(0, 'hostile/page', page))
    file.write(image(0, 'hostile/claims', b'GIF89a' + bytes([255] * 4) + bytes(3), size=(10 ** 18, 10 ** 18)))
    file.write(image(0, 'hostile/broken', png(3, 3, lambda x, y: (0, 0, 0))[:40]))
os.makedirs(os.path.join(directory, 'eval'))
with open(os.path.join(directory, 'eval', 'events.out.tfevents.1'), 'wb') as file:
    file.write(image(7, 'samples/first', png(8, 4, lambda x, y: (0, 255, 0)), size=(8, 4)))
    whole = text(0, 'long', 'x' * 1000)
    file.write(whole + whole[:3] + b'\\xff' * 1000)  # a huge length
'''


@pytest.fixture(scope='module')
def summarised(shared_sandbox):
    shared_sandbox.write(shared_sandbox.workspace / 'event_file.py', event_file.source())
    shared_sandbox.write_script('train.py', SCRIPT)
    for key, rate in (('exp', '0.1'), ('other', '0.5')):
        shared_sandbox.run('run', '-e', key, 'train.py', rate)
    return Server(shared_sandbox)


def card(page, tag, run=''):
    return page.locator('.summary-card[data-tag="%s"][data-run="%s"]' % (tag, run))


def open_charts(browse, server, query='', **options):
    page = browse(server, '/experiments/exp/charts' + query, **options)
    expect(card(page, 'samples/first')).to_be_visible()
    return page


def is_drawn(image):
    return image.evaluate('image => image.decode().then(() => [image.naturalWidth, image.naturalHeight])')


def get(server, path, **query):
    url = '%s/api/v1/experiments/exp/attempts/0/summaries%s?%s' % (server.url, path, urllib.parse.urlencode(query))
    try:
        with urllib.request.urlopen(url) as answer:
            return answer.status, answer.headers, answer.read()
    except urllib.error.HTTPError as error:
        return error.code, error.headers, error.read()


def get_json(server, path='', **query):
    status, _, body = get(server, path, **query)
    assert status == 200, body
    return json.loads(body)


def test_what_has_images_only_is_not_said_to_have_nothing(sandbox, server, browse):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', """
        from event_file import text
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            events.write(text(1, 'notes', 'hello'))
    """)
    sandbox.run('run', '-e', 'exp', 'train.py')
    page = browse(server, '/experiments/exp/charts')
    expect(page.get_by_text('hello')).to_be_visible()
    expect(page.get_by_role('heading', name=re.compile('^No '))).to_have_count(0)


def test_a_section_for_each_kind(summarised, browse):
    page = open_charts(browse, summarised)
    expect(page.locator('.chart-group h2')).to_have_text(['Other', 'Images', 'Histograms', 'Text', 'Hyperparameters'])
    expect(page.locator('.summary-card[data-kind=image] .chart-title')).to_have_text(
        ['hostile/broken', 'hostile/claims', 'hostile/drawing', 'hostile/page', 'samples/first', 'samples/first eval', 'samples/pair'])
    page.get_by_role('searchbox', name='Filter tags').fill('pair')
    expect(page.locator('.chart-title')).to_have_text(['samples/pair'])


def test_images_by_step_with_the_keyboard(summarised, browse):
    page = open_charts(browse, summarised)
    first = card(page, 'samples/first')
    first.scroll_into_view_if_needed()
    expect(first.locator('.chart-place')).to_have_text('step 40')
    image = first.get_by_role('img', name='samples/first, step 40')
    assert is_drawn(image) == [8, 4]
    box = first.bounding_box()
    slider = first.get_by_role('slider', name='Step of samples/first')
    slider.focus()
    for step in (30, 20):
        page.keyboard.press('ArrowLeft')
        expect(first.locator('.chart-place')).to_have_text('step %d' % step)
    page.keyboard.press('Home')
    expect(slider).to_have_attribute('aria-valuetext', 'step 0')
    assert is_drawn(first.get_by_role('img', name='samples/first, step 0')) == [8, 4]
    after = first.bounding_box()
    assert (box['width'], box['height']) == (after['width'], after['height']), 'nothing moves'
    pair = card(page, 'samples/pair')
    pair.scroll_into_view_if_needed()
    expect(pair.get_by_role('img')).to_have_count(2)
    assert is_drawn(pair.get_by_role('img', name='samples/pair, step 40, image 2 of 2')) == [300, 200]
    expect(card(page, 'samples/first', 'eval').get_by_role('img')).to_have_count(1)


def test_histograms_in_both_schemes(summarised, browse):
    pictures = []
    for scheme in ('light', 'dark'):
        page = open_charts(browse, summarised, scheme=scheme)
        weights = card(page, 'weights/dense')
        weights.scroll_into_view_if_needed()
        expect(weights.locator('.summary-facts')).to_have_text('64 values, least -2.8, median 0.15238, greatest 1.2')
        expect(weights.get_by_role('img')).to_have_attribute('aria-label', re.compile('^Histograms of weights/dense. At step 40: 64 values'))
        canvas = weights.locator('canvas')
        page.wait_for_function('canvas => canvas.width > 300', arg=canvas.element_handle())
        pictures.append(canvas.evaluate('canvas => canvas.toDataURL()'))
        weights.get_by_role('slider').focus()
        page.keyboard.press('Home')
        expect(weights.locator('.summary-facts')).to_contain_text('least -2,')
        pictures.append(canvas.evaluate('canvas => canvas.toDataURL()'))
    assert len(set(pictures)) == 4


def test_text_is_never_more_than_text(summarised, browse):
    page = open_charts(browse, summarised)
    notes = card(page, 'notes').locator('pre')
    notes.scroll_into_view_if_needed()
    expect(notes).to_have_text('| a | b |\n|---|---|\n| 40 | 2 |\n<img src=x onerror="window.hacked = 1">')
    card(page, 'notes').get_by_role('slider').focus()
    page.keyboard.press('ArrowLeft')
    expect(notes).to_contain_text('| 30 | 2 |')
    assert page.evaluate('window.hacked') is None


def test_what_poses_as_an_image_is_none(summarised, browse):
    page = open_charts(browse, summarised)
    for tag, reason in (('drawing', 'neither PNG nor JPEG nor GIF'), ('page', 'neither PNG nor JPEG nor GIF'),
                        ('claims', 'too large to be shown: 65535 × 65535'), ('broken', 'The browser cannot show this image.')):
        shown = card(page, 'hostile/' + tag)
        shown.scroll_into_view_if_needed()
        expect(shown.locator('.summary-picture')).to_contain_text(reason)
    assert page.evaluate('window.hacked') is None
    for tag in ('drawing', 'page', 'claims'):
        status, headers, body = get(summarised, '/image', tag='hostile/' + tag, step=0)
        assert status == 400 and headers['Content-Type'] == 'application/json'
        assert b'<script' not in body
    status, headers, body = get(summarised, '/image', tag='samples/first', step=0)
    assert (status, headers['Content-Type'], headers['X-Content-Type-Options']) == (200, 'image/png', 'nosniff')
    assert 'sandbox' in headers['Content-Security-Policy'] and body.startswith(b'\x89PNG')


def test_damage_is_told(summarised, browse):
    page = open_charts(browse, summarised)
    expect(page.get_by_text('Some event files could not be read whole.')).to_be_visible()
    expect(page.get_by_text('eval/events.out.tfevents.1: the record at byte')).to_be_visible()
    index = get_json(summarised)
    assert [each['tag'] for each in index['series'] if each['run'] == 'eval'] == ['samples/first', 'long']


def test_hyperparameters_here_and_in_compare(summarised, browse):
    page = open_charts(browse, summarised)
    table = page.get_by_role('group', name='Hyperparameters')
    expect(table.get_by_role('row')).to_have_text(['Name(root)', 'biastrue', 'layers3', 'optimizer<b>adam</b>', 'rate0.1', '(session)group sweep'])
    page.goto(summarised.url + '/compare?keys=exp,other')
    expect(cells(page, 'Parameters', 'rate')).to_have_text(['0.1', '0.5'])
    expect(cells(page, 'Parameters', 'layers')).to_have_count(0)


def test_what_is_asked_for_is_bounded(summarised):
    histograms = get_json(summarised, '/histograms', tag='weights/dense', steps=2, bins=3)
    assert [point['step'] for point in histograms['points']] == [0, 40]
    assert all(len(point['counts']) == 3 for point in histograms['points'])
    assert sum(histograms['points'][1]['counts']) == pytest.approx(64)
    for path, query in (('/histograms', {'tag': 'weights/dense', 'steps': 501}), ('/histograms', {'tag': 'weights/dense', 'bins': 10 ** 9}),
                        ('/points', {'tag': 'notes', 'kind': 'audio'}), ('/text', {'tag': 'notes', 'step': '1e3'})):
        assert get(summarised, path, **query)[0] == 400, query
    assert get(summarised, '/text', tag='notes', step=41)[0] == 404
    assert get(summarised, '/points', tag='none', kind='text')[0] == 404


@pytest.mark.parametrize('scheme, width', [('light', 1280), ('dark', 1280), ('light', 360)])
def test_nothing_serious(summarised, browse, scheme, width):
    page = open_charts(browse, summarised, scheme=scheme, width=width)
    for each in page.locator('.summary-card').all():
        each.scroll_into_view_if_needed()
        expect(each.locator('.chart-place')).to_have_text(re.compile('^step '))
    expect(page.get_by_role('group', name='Hyperparameters')).to_be_visible()
    assert serious(page) == []
    assert page.evaluate('document.documentElement.scrollWidth') <= width


def test_they_grow_while_the_script_runs(sandbox, server, browse):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', '''
        from event_file import image, png, text
        from studio import fs_tracker
        with open(os.path.join(fs_tracker.get_tensorboard_dir(), 'events.out.tfevents.1'), 'wb', buffering=0) as file:
            file.write(text(1, 'notes', 'one') + image(1, 'shown', png(2, 2, lambda x, y: (255, 0, 0))))
            wait_for('more')
            file.write(text(2, 'notes', 'two') + image(2, 'shown', png(4, 4, lambda x, y: (0, 0, 255))))
            wait_for('damage')
            file.write(bytes(100))
            wait_for('end')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    page = browse(server, '/experiments/exp/charts')
    expect(card(page, 'notes').locator('pre')).to_have_text('one')
    sandbox.mark('more')
    expect(card(page, 'notes').locator('pre')).to_have_text('two')
    assert is_drawn(card(page, 'shown').get_by_role('img', name='shown, step 2')) == [4, 4]
    sandbox.mark('damage')
    expect(page.get_by_text('events.out.tfevents.1: the record at byte')).to_be_visible()
    sandbox.mark('end')
    run.wait()
