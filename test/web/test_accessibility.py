"""Each page through axe-core, in both colour schemes and on a phone."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import event_file
from server import Server

# Each with what is there when it has loaded.
PAGES = {
    '/': '.cell-key a',
    '/?search=nothing': 'text=No experiment is like that',
    '/experiments/exp': '.name-list',
    '/experiments/exp/output': '.t-text span',
    '/experiments/exp/charts': '.chart-card canvas',
    '/experiments/exp/artifacts?tag=workspace&file=data.csv': '.data-table',
    '/experiments/exp/artifacts?tag=workspace&file=train.py': '.text-block',
    '/experiments/exp/checkpoints?attempt=0': '.data-table',
    '/experiments/exp/lineage': 'text=Nothing was reused',
    '/experiments/next/lineage': '.lineage-card .state',
    '/experiments/none': '[role=alert]',
    '/compare': 'text=Nothing to compare yet',
    '/compare?keys=exp,next': '.compare-table',
    '/storage': '.data-table',
    '/account': 'text=it has no accounts',
}
SCRIPT = r'''
import json, os, struct, sys
from event_file import scalar
from studio import fs_tracker
for code in list(range(30, 38)) + list(range(90, 98)) + list(range(40, 48)) + list(range(100, 108)):
    print('\033[%dm colour %d \033[0m' % (code, code))
for run in ('train', 'val'):
    os.makedirs(os.path.join(fs_tracker.get_tensorboard_dir(), run), exist_ok=True)
    with open(os.path.join(fs_tracker.get_tensorboard_dir(), run, 'events.out.tfevents.1'), 'wb') as file:
        for step in range(10):
            file.write(scalar(step, 'loss', step))
head = json.dumps({'w': {'dtype': 'F32', 'shape': [2], 'data_offsets': [0, 8]}}).encode()
with open(os.path.join(fs_tracker.get_model_directory(), 'step_1.safetensors'), 'wb') as file:
    file.write(struct.pack('<Q', len(head)) + head + bytes(8))
sys.exit(int(sys.argv[1]))
'''


@pytest.fixture(scope='module')
def filled(shared_sandbox):
    sandbox = shared_sandbox
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write(sandbox.workspace / 'data.csv', 'a,b\n1,2\n')
    sandbox.write_script('train.py', SCRIPT)
    sandbox.run('run', '-e', 'exp', 'train.py', '1', check_code=1)
    sandbox.run('run', '-e', 'exp', 'train.py', '0')
    sandbox.run('run', '-e', 'next', '--reuse', 'exp/modeldir:weights', 'train.py', '3', check_code=3)
    return Server(sandbox)


def serious(page):
    violations = Axe().run(page).response['violations']
    return [(each['id'], [node['html'] for node in each['nodes']][:3]) for each in violations
            if each['impact'] in ('serious', 'critical')]


@pytest.mark.parametrize('scheme, width', [('light', 1280), ('dark', 1280), ('light', 360)])
@pytest.mark.parametrize('address', PAGES)
def test_nothing_serious(filled, browse, address, scheme, width):
    page = browse(filled, address, scheme=scheme, width=width)
    expect(page.locator(PAGES[address]).first).to_be_visible()
    assert serious(page) == []
    if width < 1280:
        assert page.evaluate('document.documentElement.scrollWidth') <= width


def test_the_bar_of_what_is_selected(filled, browse):
    page = browse(filled)
    for key in ('exp', 'next'):
        page.get_by_role('checkbox', name='Select ' + key).click()
    expect(page.get_by_role('link', name='Compare').last).to_be_visible()
    assert serious(page) == []


def test_axe_itself_finds_something(filled, browse):
    page = browse(filled)
    page.evaluate('document.body.append(document.createElement("img"))')
    assert [name for name, _ in serious(page)] == ['image-alt']
