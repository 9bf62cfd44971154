"""The artifacts of an experiment: versions and files."""

import re
import struct
import tarfile
import zlib

import pytest
from playwright.sync_api import expect

import event_file
from harness import wait_until
from server import Server

REST = 1100  # files in a directory, more than a page of the listing holds


def png(width, height):
    """A picture of one colour."""
    def chunk(kind, data):
        return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))

    rows = b''.join(b'\0' + b'\x30\x60\xd0' * width for _ in range(height))
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)) + \
        chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def npy(shape):
    head = repr({'descr': '<f4', 'fortran_order': False, 'shape': shape}).encode()
    head += b' ' * (-(10 + len(head) + 1) % 64) + b'\n'
    count = 1
    for length in shape:
        count *= length
    return b'\x93NUMPY\x01\x00' + struct.pack('<H', len(head)) + head + bytes(4 * count)


@pytest.fixture(scope='module')
def kept(shared_sandbox):
    sandbox = shared_sandbox
    data = sandbox.home / 'data'
    sandbox.write(data / 'notes.txt', 'one\ntwo\n')
    sandbox.write(data / 'page.html', '<script>document.title = "hacked"</script>')
    sandbox.write(data / 'drawing.svg', '<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>')
    sandbox.write(data / 'config.json', '{"rate": 0.1, "layers": [1, 2]}')
    sandbox.write(data / 'table.csv', 'name,value\n"last, first",1\n' + ''.join('row %d,%d\n' % (n, n) for n in range(300)))
    sandbox.write(data / 'picture.png', png(40, 20))
    sandbox.write(data / 'weights.npy', npy((3, 5)))
    sandbox.write(data / 'bytes.dat', bytes(range(256)) * 8)
    sandbox.write(data / 'long.txt', 'a line of text\n' * 40_000)
    sandbox.write(data / 'odd 100% ü/deeper/a+b&c?.txt', 'found')
    for number in range(REST):
        (data / 'many').mkdir(exist_ok=True)
        (data / 'many' / ('file-%04d' % number)).write_text(str(number))
    (data / 'link').symlink_to('notes.txt')
    sandbox.write_script('train.py', '''
        import os
        with open(os.path.expanduser('~/data/notes.txt'), 'a') as notes:
            notes.write('three\\n')
    ''')
    sandbox.run('run', '-e', 'exp', '-c', '~/data:data', 'train.py')
    sandbox.run('run', '-e', 'exp', '-c', '~/data:data', 'train.py')
    sandbox.run('run', '-e', 'exp', '-c', '~/data:data', 'train.py')
    return Server(sandbox)


def open_data(browse, server, query='', **options):
    page = browse(server, '/experiments/exp/artifacts?tag=data' + query, **options)
    expect(page.get_by_role('rowheader', name='notes.txt', exact=True)).to_be_visible()
    return page


def preview(page, name):
    page.get_by_role('button', name=name, exact=True).click()
    return page.get_by_role('region', name='Preview of ' + name)


def test_all_artifacts_are_listed(kept, browse):
    page = browse(kept, '/experiments/exp/artifacts')
    artifacts = page.get_by_role('list', name='Artifacts').get_by_role('button')
    expect(artifacts.locator('.artifact-tag')).to_have_text(['data', 'modeldir', 'output', 'tb', 'workspace'])
    artifacts.filter(has_text='workspace').click()
    expect(page).to_have_url(kept.url + '/experiments/exp/artifacts?tag=workspace')
    expect(page.get_by_role('rowheader', name='train.py')).to_be_visible()


def test_versions_are_gone_through(kept, browse):
    page = open_data(browse, kept)
    notes = preview(page, 'notes.txt')
    expect(notes.get_by_label('Content')).to_have_text('one\ntwo\nthree\nthree\nthree\n')
    slider = page.get_by_role('slider', name='Versions in time')
    expect(slider).to_have_attribute('aria-valuenow', '2')
    slider.focus()
    page.keyboard.press('Home')
    expect(page).to_have_url(re.compile('version=v0'))
    expect(slider).to_have_attribute('aria-valuenow', '0')
    expect(page.get_by_text('attempt 0')).to_be_visible()
    preview(page, 'notes.txt')
    expect(notes.get_by_label('Content')).to_have_text('one\ntwo\nthree\n')
    page.get_by_role('button', name='Version after').click()
    expect(page.get_by_role('combobox', name='Version')).to_have_value('v1')
    page.get_by_role('combobox', name='Version').select_option('v2')
    expect(slider).to_have_attribute('aria-valuenow', '2')
    box = slider.bounding_box()
    page.mouse.click(box['x'] + 2, box['y'] + box['height'] / 2)
    expect(page.get_by_role('combobox', name='Version')).to_have_value('v0')


def test_versions_stand_under_the_loss(sandbox, server, browse):
    sandbox.configure('saveWorkspaceFrequency: 100ms\n')
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', """
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            def write(step, loss):
                events.write(scalar(step, 'accuracy', 1 - loss) + scalar(step, 'train/loss', loss) + scalar(step, 'val/loss', 2 * loss))
                events.flush()
            write(0, 0.5)
            write(1, 0.25)
            with open(fs_tracker.get_artifact('modeldir') + '/weights', 'w') as weights:
                weights.write('one')
            wait_for('captured')
            write(2, 0.125)
            write(3, float('nan'))
            with open(fs_tracker.get_artifact('modeldir') + '/weights', 'w') as weights:
                weights.write('two')
    """)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    wait_until(lambda: sandbox.run('artifacts', 'cat', 'exp/modeldir', 'weights', check_code=None).out == 'one')
    first = sandbox.log('exp/modeldir')[-1]['version']
    sandbox.mark('captured')
    run.wait()
    page = browse(server, '/experiments/exp/artifacts?tag=modeldir')
    curve = page.locator('.version-curve')
    expect(curve.locator('figcaption')).to_have_text('val/loss: 0.25')
    expect(curve.locator('polyline')).to_be_visible()
    page.get_by_role('combobox', name='Version').select_option(first)
    expect(curve.locator('figcaption')).to_have_text('val/loss: 0.5')
    assert curve.bounding_box()['width'] == page.get_by_role('slider').bounding_box()['width'], 'one scale'
    page.get_by_role('button', name='workspace').click()
    expect(curve.locator('figcaption')).to_contain_text('val/loss')


def test_without_scalars_there_is_no_room_for_a_curve(kept, browse):
    page = browse(kept, '/experiments/exp/artifacts?tag=data')
    expect(page.get_by_role('slider')).to_be_visible()
    expect(page.locator('.version-curve')).to_have_count(0)


def test_directories_and_back(kept, browse):
    page = open_data(browse, kept)
    page.get_by_role('button', name='odd 100% ü/').click()
    page.get_by_role('button', name='deeper/').click()
    content = preview(page, 'a+b&c?.txt')
    expect(content.get_by_label('Content')).to_have_text('found')
    page.reload()
    expect(content.get_by_label('Content')).to_have_text('found')
    crumbs = page.get_by_role('navigation', name='Directory')
    crumbs.get_by_role('button', name='odd 100% ü').click()
    expect(page.get_by_role('button', name='deeper/')).to_be_visible()
    page.get_by_role('button', name='Directory above').click()
    expect(page.get_by_role('rowheader', name='notes.txt', exact=True)).to_be_visible()
    page.go_back()
    expect(page.get_by_role('button', name='deeper/')).to_be_visible()


def test_a_long_directory_comes_in_pages(kept, browse):
    page = open_data(browse, kept)
    page.get_by_role('button', name='many/').click()
    files = page.get_by_role('rowheader', name=re.compile('^file-'))
    expect(files).to_have_count(1000)
    page.get_by_role('button', name='Show more').click()
    expect(files).to_have_count(REST)
    expect(files.last).to_have_text('file-%04d' % (REST - 1))
    expect(page.get_by_role('button', name='Show more')).to_have_count(0)


def test_files_are_shown_as_what_they_are(kept, browse):
    page = open_data(browse, kept)
    expect(preview(page, 'config.json').get_by_label('Content')).to_have_text(
        re.compile(r'^\{\n  "rate": 0.1,\n  "layers": \[\n'))
    table = preview(page, 'table.csv')
    expect(table.get_by_role('columnheader')).to_have_text(['name', 'value'])
    expect(table.get_by_role('row')).to_have_count(201)
    expect(table.get_by_role('row').nth(1).get_by_role('cell').first).to_have_text('last, first')
    expect(table.get_by_text('The first 200 rows are shown.')).to_be_visible()
    picture = preview(page, 'picture.png')
    expect(picture.get_by_role('img', name='picture.png')).to_be_visible()
    expect(picture.get_by_text('40 × 20')).to_be_visible()
    array = preview(page, 'weights.npy')
    expect(array.get_by_role('table', name='Tensors').get_by_role('row')).to_contain_text('3 × 5')
    raw = preview(page, 'bytes.dat')
    expect(raw.get_by_label('Bytes')).to_contain_text('00000020  20 21 22 23 24 25 26 27 28 29 2a 2b 2c 2d 2e 2f   !"#$%&\'()*+,-./')
    long = preview(page, 'long.txt')
    expect(long.get_by_text('The first 262 kB are shown.')).to_be_visible()


def test_nothing_of_a_file_is_run(kept, browse):
    page = open_data(browse, kept)
    expect(preview(page, 'page.html').get_by_label('Content')).to_have_text('<script>document.title = "hacked"</script>')
    expect(preview(page, 'drawing.svg').get_by_label('Content')).to_contain_text('onload')
    assert 'hacked' not in page.title()
    assert page.locator('.preview img, .preview iframe, .preview object').count() == 0


def test_files_and_versions_are_downloaded(kept, browse):
    page = open_data(browse, kept)
    with page.expect_download() as download:
        preview(page, 'config.json').get_by_role('link', name='Download file').click()
    with open(download.value.path()) as file:
        assert file.read() == '{"rate": 0.1, "layers": [1, 2]}'
    with page.expect_download() as download:
        page.get_by_role('link', name='Download tar.gz').click()
    assert download.value.suggested_filename == 'exp-data-v2.tar.gz'
    with tarfile.open(download.value.path()) as tar:
        assert tar.extractfile('data/notes.txt').read() == b'one\ntwo\nthree\nthree\nthree\n'


def test_the_flag_that_reuses_it_can_be_copied(kept, shared_sandbox, browse):
    page = open_data(browse, kept, '&version=v1')
    page.get_by_role('button', name='Copy --reuse line').click()
    expect(page.get_by_text('Copied')).to_be_attached()
    flag = page.evaluate('navigator.clipboard.readText()')
    assert flag == '--reuse=exp/data@v1:data'
    shared_sandbox.write_script('check.py', 'from studio import fs_tracker; print(open(fs_tracker.get_artifact("data") + "/notes.txt").read())')
    assert b'one\ntwo\nthree\nthree\n\n' in shared_sandbox.run('run', '-e', 'again', flag, 'check.py').stdout


def test_what_every_run_has_of_its_own_is_reused_under_another_tag(kept, shared_sandbox, browse):
    page = browse(kept, '/experiments/exp/artifacts?tag=workspace')
    page.get_by_role('button', name='Copy --reuse line').click()
    expect(page.get_by_text('Copied')).to_be_attached()
    flag = page.evaluate('navigator.clipboard.readText()')
    shared_sandbox.write_script('none.py', '')
    shared_sandbox.run('run', '-e', 'other', flag, 'none.py')
    sources = [artifact['source'] for artifact in shared_sandbox.show('other')['history'][0]['artifacts']]
    assert flag.startswith('--reuse=%s:' % next(filter(None, sources)))


def test_an_artifact_that_is_one_file(kept, browse):
    page = browse(kept, '/experiments/exp/artifacts?tag=output')
    expect(page.get_by_role('region', name='Preview of output')).to_be_visible()


def test_it_fits_a_phone(kept, browse):
    page = open_data(browse, kept, width=360, height=640)
    preview(page, 'table.csv')
    assert page.evaluate('document.documentElement.scrollWidth') <= 360
