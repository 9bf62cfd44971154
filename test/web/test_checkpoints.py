"""The checkpoints that an attempt wrote."""

import re

import pytest
from playwright.sync_api import expect

from server import Server

SCRIPT = '''
import json, os, pickle, struct, zipfile
from studio import fs_tracker

directory = fs_tracker.get_model_directory()


def save(name, shapes, cut=0):
    head, at = {'__metadata__': {'note': 'of the test'}}, 0
    for tensor, shape in shapes.items():
        size = 4 * shape[0] * shape[1]
        head[tensor] = {'dtype': 'F32', 'shape': shape, 'data_offsets': [at, at + size]}
        at += size
    text = json.dumps(head).encode()
    content = struct.pack('<Q', len(text)) + text + bytes(at)
    with open(os.path.join(directory, name), 'wb') as file:
        file.write(content[:len(content) - cut])


class Call:
    def __reduce__(self):
        return os.system, ('true',)


layers = {'layer.%d.weight' % number: [10, 10] for number in range(40)}
save('step_100.safetensors', {**layers, 'head.weight': [10, 5], 'old.bias': [1, 5]})
save('step_200.safetensors', {**layers, 'head.weight': [10, 7], 'new.bias': [1, 7]})
save('step_300.safetensors', layers, cut=100)
with zipfile.ZipFile(os.path.join(directory, 'evil.pt'), 'w') as archive:
    archive.writestr('evil/data.pkl', pickle.dumps(Call(), protocol=2))
    archive.writestr('evil/version', '3')
'''


@pytest.fixture(scope='module')
def saved(shared_sandbox):
    shared_sandbox.write_script('train.py', SCRIPT)
    shared_sandbox.run('run', '-e', 'exp', 'train.py')
    shared_sandbox.write_script('none.py', '')
    shared_sandbox.run('run', '-e', 'none', 'none.py')
    return Server(shared_sandbox)


def row(page, name):
    return page.get_by_role('row').filter(has=page.get_by_role('button', name=name, exact=True))


def fact(page, name):
    return page.locator('.fact').filter(has=page.get_by_text(name, exact=True)).locator('dd')


def open_checkpoints(browse, server):
    page = browse(server, '/experiments/exp/checkpoints')
    expect(row(page, 'step_100.safetensors')).to_be_visible()
    return page


def test_each_is_told_from_its_head(saved, browse):
    page = open_checkpoints(browse, saved)
    expect(fact(page, 'Checkpoints')).to_have_text('4')
    expect(fact(page, 'Not whole')).to_have_text('1')
    expect(fact(page, 'Dangerous')).to_have_text('1')
    cells = row(page, 'step_100.safetensors').get_by_role('cell')
    expect(cells.nth(0)).to_have_text('100')
    expect(cells.nth(3)).to_have_text(re.compile(r'^4\.0[56]k$'))
    expect(cells.nth(3)).to_have_attribute('title', '4,055')
    expect(cells.nth(4)).to_have_text('42')
    expect(cells.nth(5)).to_have_text('float32')
    expect(cells.nth(6)).to_have_text('safetensors')
    expect(row(page, 'step_300.safetensors').get_by_text('incomplete')).to_be_visible()
    expect(row(page, 'evil.pt').get_by_text('dangerous')).to_have_attribute('title', re.compile('system'))
    page.get_by_role('button', name='evil.pt', exact=True).click()
    expect(page.get_by_role('alert')).to_contain_text('Loading this file runs code.')


def test_tensors_are_filtered_and_compared(saved, browse):
    page = open_checkpoints(browse, saved)
    page.get_by_role('button', name='step_200.safetensors', exact=True).click()
    tensors = page.get_by_role('table', name='Tensors')
    told = page.locator('.tensors').get_by_role('status')
    expect(told).to_have_text('42 tensors')
    page.get_by_role('searchbox', name='Filter tensors').fill('layer.3')
    expect(told).to_have_text('11 of 42')
    expect(tensors.get_by_role('row')).to_have_count(11)
    page.get_by_role('searchbox', name='Filter tensors').fill('')
    page.get_by_role('button', name='Compare with step_100.safetensors at v0').click()
    expect(told).to_have_text('43 tensors, 3 changes')
    page.get_by_label('Only changes').check()
    expect(tensors.get_by_role('row')).to_have_text([
        re.compile(r'^changed head.weightfloat32float32 10 × 5 → 10 × 7'), re.compile('^added new.bias'), re.compile('^removed old.bias')])
    page.get_by_text('1 entry of metadata').click()
    expect(fact(page, 'note')).to_have_text('of the test')


def test_an_attempt_without_any(saved, browse):
    page = browse(saved, '/experiments/none/checkpoints')
    expect(page.get_by_role('heading', name='No checkpoints')).to_be_visible()
