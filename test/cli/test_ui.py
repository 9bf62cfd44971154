"""`studio ui`: the server's API as a browser and a program meet it."""

import http.client
import io
import json
import os
import signal
import tarfile
import urllib.parse

import pytest

from harness import wait_until

ODD_NAMES = ['plain.txt', 'with space', 'ünïcode', '100%', 'a+b&c=d?e#f;g', '"quoted"', "it's", '-dash', '<b>']


class Page:
    """A running `studio ui` and requests to it."""

    def __init__(self, sandbox, *args):
        self.process = sandbox.start('ui', '--port', '0', *args)
        self.process.wait_output(b'http://')
        url = urllib.parse.urlsplit(self.process.stdout.decode().strip())
        self.address = (url.hostname, url.port)

    def ask(self, method, target, headers=None):
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        connection.request(method, target, headers=headers or {})
        response = connection.getresponse()
        body = response.read()
        connection.close()
        return response, body

    def get(self, target, status=200):
        response, body = self.ask('GET', '/api/v1' + target)
        assert response.status == status, body
        return json.loads(body)

    def bytes(self, target):
        response, body = self.ask('GET', '/api/v1' + target)
        assert response.status == 200, body
        return body

    def token(self):
        return self.get('/session')['token']

    def events(self, target, headers=None):
        """Server-Sent Events, one (name, id, data) after the other."""
        connection = http.client.HTTPConnection(*self.address, timeout=60)
        connection.request('GET', '/api/v1' + target, headers=headers or {})
        response = connection.getresponse()
        assert response.status == 200
        event = {}
        for line in iter(response.readline, b''):
            line = line.decode().rstrip('\n')
            if line.startswith(':'):
                continue
            if not line and event:
                yield event['event'], int(event['id']), json.loads(event['data'])
                event = {}
            elif line:
                name, value = line.split(': ', 1)
                event[name] = value
        connection.close()


@pytest.fixture
def page(sandbox):
    return Page(sandbox)


def quoted(path):
    return '/'.join(urllib.parse.quote(os.fsencode(part), safe='') for part in path.split('/'))


def test_it_says_where_and_ends_when_it_is_interrupted(sandbox):
    for number in (signal.SIGINT, signal.SIGTERM):
        page = Page(sandbox)
        assert page.address[0] == '127.0.0.1'
        assert page.get('/experiments') == {'runs': []}, 'before the first run'
        page.process.signal(number)
        assert page.process.wait().out.startswith('http://127.0.0.1:')


def test_a_port_that_is_taken_is_one_clear_line(sandbox, page):
    port = str(page.address[1])
    sandbox.fails(255, 'ui', '--port', port, tells=[port, 'in use', '--port N'])
    for bad in ('x', '-1', '65536', ''):
        sandbox.fails(254, 'ui', '--port', bad, tells=['--port'])


def test_documents_are_those_of_the_command_line(sandbox, page):
    sandbox.write_script('train.py', 'print("hello")')
    sandbox.run('run', '-e', 'one', 'train.py')
    sandbox.run('run', '-e', 'two', '--project', 'other', 'train.py')
    sandbox.run('run', '-e', 'one', 'train.py')
    assert page.get('/experiments') == sandbox.json('runs', 'list')
    assert [run['key'] for run in page.get('/experiments?project=other')['runs']] == ['two']
    assert [run['key'] for run in page.get('/experiments?prefix=o')['runs']] == ['one']
    assert [run['key'] for run in page.get('/experiments?limit=1')['runs']] == ['two']
    assert page.get('/experiments?status=failed&status=running') == {'runs': []}
    assert page.get('/experiments/one') == sandbox.json('runs', 'show', 'one')
    assert page.get('/experiments/one?attempt=0') == sandbox.json('runs', 'show', 'one', '--attempt', '0')
    assert page.get('/experiments/one/artifacts') == sandbox.json('artifacts', 'list', 'one')
    assert page.get('/experiments/one/artifacts/output/versions') == sandbox.json('artifacts', 'log', 'one/output')
    for target in ('/experiments/none', '/experiments/on', '/experiments/one?attempt=7', '/experiments/none/artifacts',
                   '/experiments/one/artifacts/none/versions'):
        error = page.get(target, 404)['error']
        assert error['code'] == 'not_found' and error['message']


def test_files_of_any_name_can_be_had(sandbox, page):
    data = sandbox.home / 'data'
    names = ODD_NAMES + [os.fsdecode(b'bad \xff utf-8')]
    for name in names:
        sandbox.write(data / 'sub dir' / name, name.encode('utf-8', 'surrogateescape') * 3)
    sandbox.write(data / 'empty', b'')
    (data / 'link').symlink_to('empty')
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/data:data', 'train.py')
    version = '/experiments/exp/artifacts/data/versions/v0'
    top = page.get(version + '/tree')
    assert [entry['name'] for entry in top['entries']] == ['empty', 'link', 'sub dir']
    assert top['entries'][2]['files'] == len(names) and top['next'] is None
    listed = page.get(version + '/tree?path=sub%20dir')['entries']
    commanded = sandbox.json('artifacts', 'files', 'exp/data', 'sub dir')['entries']
    assert [{**entry, 'problem': None} for entry in commanded] == listed
    for name in names:
        assert page.bytes('%s/files/%s' % (version, quoted('sub dir/' + name))) == os.fsencode(name) * 3
    assert page.bytes(version + '/files/empty') == b''
    assert page.get(version + '/files/link', 400)['error']['code'] == 'invalid'
    assert page.get(version + '/files/sub%20dir', 400)['error']['code'] == 'invalid'
    # A page at a time.
    found, after = [], ''
    while after is not None:
        page_of_three = page.get('%s/tree?path=sub%%20dir&limit=3%s' % (version, after and '&after=' + after))
        assert len(page_of_three['entries']) <= 3
        found += page_of_three['entries']
        after = page_of_three['next']
    assert found == listed


def test_parts_of_a_sparse_file(sandbox, page):
    path = sandbox.home / 'sparse'
    with open(path, 'wb') as stream:
        stream.write(b'begin')
        stream.seek(5 << 20)
        stream.write(b'middle')
        stream.truncate(9 << 20)
    content = path.read_bytes()
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', '-co', '~/sparse:file', 'train.py')
    target = '/api/v1/experiments/exp/artifacts/file/versions/latest/files/sparse'
    for begin, end in ((0, 10), (3, 5 << 20), (4, (5 << 20) + 3), ((5 << 20) - 2, (5 << 20) + 9), ((5 << 20) + 2, 9 << 20),
                       ((8 << 20), (8 << 20) + 1), (0, 9 << 20)):
        response, body = page.ask('GET', target, {'Range': 'bytes=%d-%d' % (begin, end - 1)})
        assert response.status == 206 and body == content[begin:end], (begin, end)
    assert page.bytes(target.removeprefix('/api/v1')) == content


def test_the_archive_is_that_of_the_command_line(sandbox, page):
    sandbox.write_script('train.py', 'open("made", "w").write("x" * 3000000)')
    sandbox.run('run', '-e', 'exp', 'train.py')
    archive = page.bytes('/experiments/exp/artifacts/workspace/versions/latest/archive.tar.gz')
    assert archive == sandbox.run('artifacts', 'tar', 'exp/workspace').stdout
    with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
        assert tar.extractfile('workspace/made').read() == b'x' * 3000000
    response, body = page.ask('HEAD', '/api/v1/experiments/exp/artifacts/workspace/versions/latest/archive.tar.gz')
    assert response.status == 200 and body == b''
    assert 'exp-workspace-v' in response.getheader('Content-Disposition')


def test_output_is_followed_as_it_is_written(sandbox, page):
    sandbox.write_script('train.py', '''
        print('first é')
        wait_for('go on')
        print('second', end='')
        mark('written')
        wait_for('end')
        print('\\rthird')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    run.wait_output(b'first')
    events = page.events('/experiments/exp/attempts/0/output/events')
    assert next(events) == ('output', 9, {'offset': 0, 'text': 'first é\n'})
    sandbox.mark('go on')
    assert next(events) == ('output', 15, {'offset': 9, 'text': 'second'})
    assert page.bytes('/experiments/exp/attempts/0/output') == 'first é\nsecond'.encode(), 'as far as it is'
    sandbox.mark('end')
    assert next(events) == ('output', 22, {'offset': 15, 'text': '\rthird\n'})
    assert next(events) == ('end', 22, {})
    assert next(events, None) is None
    run.wait()
    again = list(page.events('/experiments/exp/attempts/0/output/events', {'Last-Event-ID': '15'}))
    assert again == [('output', 22, {'offset': 15, 'text': '\rthird\n'}), ('end', 22, {})]
    assert page.bytes('/experiments/exp/attempts/0/output') == 'first é\nsecond\rthird\n'.encode()


def test_output_whose_file_is_gone_comes_from_the_store(sandbox, page):
    sandbox.write_script('train.py', 'import sys; print("attempt", sys.argv[1])')
    for number in range(3):
        sandbox.run('run', '-e', 'exp', 'train.py', str(number))
    assert not (sandbox.studio_home / 'experiments/exp/attempts/0').exists()
    for number in range(3):
        target = '/experiments/exp/attempts/%d/output' % number
        assert page.bytes(target) == b'attempt %d\n' % number
    assert page.ask('GET', '/api/v1/experiments/exp/attempts/0/output', {'Range': 'bytes=-2'})[1] == b'0\n'
    assert page.get('/experiments/exp/attempts/3/output', 404)['error']['hint'] == 'it has 0, 1, 2'


def test_a_run_can_be_stopped(sandbox, page):
    sandbox.write_script('train.py', '''
        mark('started')
        wait_for('never')
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    response, body = page.ask('POST', '/api/v1/experiments/exp/stop')
    assert response.status == 403 and 'X-Studio-Token' in json.loads(body)['error']['message']
    response, body = page.ask('POST', '/api/v1/experiments/exp/stop', {'X-Studio-Token': page.token()})
    assert response.status == 202, body
    run.wait(check_code=143)
    wait_until(lambda: page.get('/experiments/exp')['status'] == 'stopped', what='the record says so')
    response, body = page.ask('POST', '/api/v1/experiments/exp/stop', {'X-Studio-Token': page.token()})
    assert response.status == 409 and 'does not run' in json.loads(body)['error']['message']


def test_only_this_machine_by_its_own_names(sandbox, page):
    port = page.address[1]
    for host in ('evil.example', 'evil.example:%d' % port, '0.0.0.0:%d' % port):
        assert page.ask('GET', '/api/v1/session', {'Host': host})[0].status == 403
    assert page.ask('GET', '/api/v1/session', {'Origin': 'http://evil.example'})[0].status == 403
    assert page.ask('GET', '/api/v1/session', {'Host': 'localhost:%d' % port})[0].status == 200
