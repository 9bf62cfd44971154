"""The user's own TensorBoard behind the server: the real one, from PyPI."""

import http.client
import json
import os
import pathlib
import re
import shutil
import signal

import pytest
from playwright.sync_api import expect

import event_file
from harness import alive, skip_loudly, wait_until
from server import Server

TRAIN = '''
    import os, sys
    from event_file import scalar
    from studio import fs_tracker
    directory = fs_tracker.get_tensorboard_dir()
    os.makedirs(directory + '/val')
    with open(directory + '/events.out.tfevents.1', 'wb') as events:
        for step in range(20):
            events.write(scalar(step, 'loss', float(sys.argv[1]) / (1 + step)))
    with open(directory + '/val/events.out.tfevents.1', 'wb') as events:
        events.write(scalar(3, 'accuracy', 0.5))
'''


def server_with_tensorboard(sandbox):
    program = shutil.which('tensorboard')
    if program is None:
        skip_loudly('no tensorboard')
    return Server(sandbox, env={'PATH': '%s:%s' % (os.path.dirname(program), sandbox.environment()['PATH'])})


def write_scripts(sandbox):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', TRAIN)


@pytest.fixture(scope='module')
def trained(shared_sandbox):
    write_scripts(shared_sandbox)
    shared_sandbox.run('run', '-e', 'first', 'train.py', '1')
    shared_sandbox.run('run', '-e', 'first', 'train.py', '2')
    shared_sandbox.run('run', '-e', 'second', 'train.py', '3')
    return server_with_tensorboard(shared_sandbox)


def ask(server, method, target, headers=None):
    connection = http.client.HTTPConnection('127.0.0.1', server.port, timeout=60)
    connection.request(method, target, headers=headers or {})
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def start(server, *experiments):
    """A TensorBoard that runs."""
    token = json.loads(ask(server, 'GET', '/api/v1/session')[1])['token']
    query = '&'.join('experiment=' + each for each in experiments)
    response, body = ask(server, 'POST', '/api/v1/tensorboards?' + query, {'X-Studio-Token': token})
    assert response.status == 202, body
    board = json.loads(body)
    while board['state'] == 'starting':
        board = json.loads(ask(server, 'GET', '/api/v1/tensorboards/' + board['id'])[1])
    assert board['state'] == 'running', board
    return board


def tags(server, board):
    response, body = ask(server, 'GET', board['url'] + 'data/plugin/scalars/tags')
    assert response.status == 200, body
    return {run: sorted(found) for run, found in json.loads(body).items()}


def processes(server):
    """What the server has started."""
    found = []
    for children in pathlib.Path('/proc/%d/task' % server.process.pid).glob('*/children'):
        found += [int(pid) for pid in children.read_text().split()]
    return found


def restored(sandbox):
    return sorted((sandbox.studio_home / 'cache/tensorboard').iterdir())


def test_it_reads_what_was_captured(trained):
    board = start(trained, 'first', 'second', 'first/0')
    expected = {run + below: [tag] for run in ('first', 'first@0', 'second') for below, tag in (('', 'loss'), ('/val', 'accuracy'))}
    wait_until(lambda: tags(trained, board) == expected, what='all runs')
    values = {}
    for run in ('first@0', 'first', 'second'):
        _, body = ask(trained, 'GET', board['url'] + 'data/plugin/scalars/scalars?tag=loss&run=' + run)
        values[run] = json.loads(body)[0][2]
    assert values == {'first@0': 1, 'first': 2, 'second': 3}
    assert start(trained, 'first/0', 'second', 'first')['id'] == board['id']


def test_nobody_else_reaches_it(trained):
    board = start(trained, 'first')
    page = board['url']
    for headers in ({'Sec-Fetch-Site': 'cross-site'}, {'Sec-Fetch-Site': 'same-site'}, {'Origin': 'http://evil.example'}, {'Origin': 'null'},
                    {'Host': 'evil.example'}, {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'}):
        for method in ('GET', 'POST'):
            assert ask(trained, method, page + 'data/runs', headers)[0].status == 403, headers
    assert ask(trained, 'POST', '/api/v1/tensorboards?experiment=first')[0].status == 403, 'without the token'
    assert ask(trained, 'DELETE', '/api/v1/tensorboards/' + board['id'])[0].status == 403
    other = page.replace(board['id'], '0' * 64)
    for target in (other, other + 'data/runs', page + '../api/v1/session', page + '%2e%2e/' + board['id'] + '/data/runs', page + 'data%2fruns'):
        assert ask(trained, 'GET', target)[0].status in (400, 404), target
    assert ask(trained, 'PUT', page + 'data/runs')[0].status == 405


def opened(page, click):
    with page.context.expect_page() as tab:
        click()
    return tab.value


def test_one_click_opens_it(trained, browse):
    page = browse(trained, '/experiments/first/charts')
    tab = opened(page, page.get_by_role('button', name='Open TensorBoard').click)
    expect(tab).to_have_url(re.compile(trained.url + '/tb/[0-9a-f]{64}/'))
    expect(tab.get_by_text('first', exact=True).first).to_be_visible()
    expect(tab.get_by_text('loss').first).to_be_visible()
    page.get_by_role('button', name='End TensorBoard').click()
    expect(page.get_by_role('button', name='End TensorBoard')).to_have_count(0)
    tab.reload()
    expect(tab.get_by_text('this TensorBoard has ended')).to_be_visible()


def test_experiments_that_are_compared_are_in_one(trained, browse):
    page = browse(trained, '/compare?keys=first,second')
    tab = opened(page, page.get_by_role('button', name='Open TensorBoard').click)
    for run in ('first', 'second', 'second/val'):
        expect(tab.get_by_text(run, exact=True).first).to_be_visible()


def test_the_page_says_how_to_get_it(sandbox, server, browse):
    write_scripts(sandbox)
    sandbox.run('run', '-e', 'exp', 'train.py', '1')
    page = browse(server, '/experiments/exp/charts')
    page.get_by_role('button', name='Open TensorBoard').click()
    expect(page.get_by_text('TensorBoard is not installed')).to_be_visible()
    expect(page.get_by_text('pip install tensorboard')).to_be_visible()
    expect(page.get_by_role('heading', name='loss')).to_be_visible()
    assert len(page.context.pages) == 1


def test_the_page_says_why_it_does_not_run(sandbox, browse):
    write_scripts(sandbox)
    sandbox.run('run', '-e', 'exp', 'train.py', '1')
    sandbox.write('bin/tensorboard', '#!/bin/sh\necho "No module named numpy" >&2\nexit 1\n').chmod(0o755)
    server = Server(sandbox, env={'PATH': '%s/bin:/usr/bin:/bin' % sandbox.home})
    page = browse(server, '/experiments/exp/charts')
    page.get_by_role('button', name='Open TensorBoard').click()
    expect(page.get_by_role('alert')).to_contain_text('exit code 1')
    expect(page.get_by_role('alert')).to_contain_text('No module named numpy')


def test_a_run_is_shown_as_it_is_written(sandbox):
    write_scripts(sandbox)
    sandbox.write_script('live.py', '''
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            for tag in ('before', 'after'):
                events.write(scalar(1, tag, 1.0))
                events.flush()
                mark('wrote ' + tag)
                wait_for('go on')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'live.py')
    sandbox.wait_mark('wrote before')
    server = server_with_tensorboard(sandbox)
    board = start(server, 'exp')
    wait_until(lambda: tags(server, board) == {'exp': ['before']}, what='what was written before')
    sandbox.mark('go on')
    sandbox.wait_mark('wrote after')
    wait_until(lambda: tags(server, board) == {'exp': ['after', 'before']}, what='what was written since')
    run.wait()
    assert start(server, 'exp')['id'] != board['id'], 'now its last version is shown'


def test_it_ends_with_the_server(sandbox):
    write_scripts(sandbox)
    sandbox.run('run', '-e', 'exp', 'train.py', '1')
    server = server_with_tensorboard(sandbox)
    start(server, 'exp')
    children = processes(server)
    assert len(children) == 1 and restored(sandbox)
    server.process.signal(signal.SIGTERM)
    server.process.wait()
    assert not alive(children[0]) and restored(sandbox) == []

    server = server_with_tensorboard(sandbox)
    start(server, 'exp')
    children = processes(server)
    server.process.signal(signal.SIGKILL)
    wait_until(lambda: not alive(children[0]), what='the end of TensorBoard')
    assert restored(sandbox)
    server_with_tensorboard(sandbox)
    assert restored(sandbox) == [], 'what was left behind is removed'
