"""`studio ui`: the server's API as a browser and a program meet it."""

import gzip
import http.client
import io
import json
import os
import pathlib
import signal
import sqlite3
import tarfile
import urllib.parse

import pytest

import event_file
from harness import events_in, wait_until

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
        yield from events_in(response)
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
        assert page.get('/experiments') == {'runs': [], 'total': 0, 'sequence': 0, 'metrics': [], 'parameters': [], 'problems': []}, 'before the first run'
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
    assert page.get('/experiments')['runs'] == sandbox.json('runs', 'list')['runs']
    assert page.get('/storage') == sandbox.json('store', 'stats')
    sandbox.write('more', 'of it')
    sandbox.run('run', '-e', 'one', 'train.py')
    assert page.get('/storage') == sandbox.json('store', 'stats')
    assert [run['key'] for run in page.get('/experiments?project=other')['runs']] == ['two']
    assert [run['key'] for run in page.get('/experiments?prefix=o')['runs']] == ['one']
    assert [run['key'] for run in page.get('/experiments?limit=1')['runs']] == ['two']
    assert page.get('/experiments?status=failed&status=running')['runs'] == []
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


def keys_of(page, query):
    return [run['key'] for run in page.get('/experiments?' + query)['runs']]


def test_experiments_are_searched_and_sorted(sandbox, page):
    sandbox.write_script('train.py', 'import sys; sys.exit(int(sys.argv[1]))')
    for key, project, code in (('Alpha', 'vision', 0), ('beta', 'vision', 3), ('gamma', 'speech', 0)):
        sandbox.run('run', '-e', key, '--project', project, 'train.py', str(code), check_code=code)
    assert keys_of(page, 'sort=key') == ['Alpha', 'beta', 'gamma']
    assert keys_of(page, 'sort=-key') == ['gamma', 'beta', 'Alpha']
    assert keys_of(page, 'sort=-created&limit=1&offset=1') == ['beta']
    assert keys_of(page, 'search=ALPHA') == ['Alpha']
    assert keys_of(page, 'search=vision+train.py&sort=key') == ['Alpha', 'beta']
    assert keys_of(page, 'search=vision%20gamma') == []
    assert keys_of(page, 'status=failed&project=vision') == ['beta']
    assert page.get('/experiments?project=vision&limit=0')['total'] == 2
    assert keys_of(page, 'sort=metric:none') == ['Alpha', 'beta', 'gamma']
    for bad in ('sort=colour', 'sort=', 'status=good', 'limit=1001', 'limit=-1', 'offset=x'):
        assert page.get('/experiments?' + bad, 400)['error']['code'] == 'invalid', bad


def test_experiments_are_sorted_by_what_their_commands_give(sandbox, page):
    sandbox.write_script('train.py', '')
    for key, arguments in (('a', ['--lr', '10', '--seed=1']), ('b', ['lr=-9', '--seed', '1', '--debug']), ('c', ['--lr=auto', '--seed=1']), ('d', ['data'])):
        sandbox.run('run', '-e', key, 'train.py', *arguments)
    assert keys_of(page, 'sort=parameter:lr') == ['b', 'a', 'c', 'd']
    assert keys_of(page, 'sort=-parameter:lr') == ['a', 'b', 'c', 'd']
    assert keys_of(page, 'sort=parameter:argument%201') == ['d', 'a', 'b', 'c']
    assert page.get('/experiments')['parameters'] == [
        {'name': name, 'differs': True} for name in ('lr', 'seed', 'argument 1', 'debug')]
    assert page.get('/experiments?search=--debug')['parameters'] == [
        {'name': name, 'differs': False} for name in ('debug', 'lr', 'seed')]
    expected = [{'name': 'lr', 'value': '-9'}, {'name': 'seed', 'value': '1'}, {'name': 'debug', 'value': 'true'}]
    assert page.get('/experiments/b')['parameters'] == expected
    assert sandbox.show('b')['parameters'] == expected


def test_a_damaged_record_is_told_and_the_others_are_listed(sandbox, page):
    sandbox.write_script('train.py', '')
    for key in ('a', 'bad', 'c'):
        sandbox.run('run', '-e', key, 'train.py')
    sequence = page.get('/experiments')['sequence']
    events = page.events('/experiment-events?after=%d' % sequence)
    change = "UPDATE experiments SET record = replace(record, '\"format\":%d', '\"format\":%d') WHERE key = 'bad'"
    database = sqlite3.connect(sandbox.studio_home / 'studio.db')
    with database:
        database.execute(change % (1, 2))
    for each in (page, Page(sandbox)):
        answer = each.get('/experiments?sort=key')
        assert [run['key'] for run in answer['runs']] == ['a', 'c'] and answer['total'] == 2
        problem, = answer['problems']
        assert problem['experiment'] == 'bad' and "experiment 'bad'" in problem['problem'] and 'newer Studio' in problem['hint']
    with database:
        database.execute(change % (2, 1))
    database.close()
    assert keys_of(page, 'sort=key') == ['a', 'bad', 'c']
    assert page.get('/experiments')['problems'] == []
    assert next(events)[2]['key'] == 'bad', 'the stream went on'


def test_who_reuses_an_experiment(sandbox, page):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'source', 'train.py')
    assert page.get('/experiments/source/reuses') == {'experiment': 'source', 'reuses': [], 'total': 0}
    sandbox.run('run', '-e', 'user', '--reuse', 'source/output@v0:text', 'train.py')
    sandbox.run('run', '-e', 'user', '--reuse', 'source/workspace:code', 'train.py')
    sandbox.run('run', '-e', 'user', 'train.py')
    expected = {'experiment': 'source', 'total': 2, 'reuses': [
        {'tag': tag, 'version': 'v0', 'by': {'experiment': 'user', 'attempt': attempt, 'tag': name, 'status': 'finished'}}
        for tag, attempt, name in (('output', 0, 'text'), ('workspace', 1, 'code'))]}
    assert page.get('/experiments/source/reuses') == expected
    assert Page(sandbox).get('/experiments/source/reuses') == expected, 'as told by a server that has seen none of it'
    assert page.get('/experiments/user/reuses')['reuses'] == []
    assert page.get('/experiments/none/reuses', 404)['error']['code'] == 'not_found'


def test_what_happens_to_experiments_is_told(sandbox, page):
    sandbox.write_script('train.py', '''
        mark('started')
        wait_for('end')
    ''')
    sequence = page.get('/experiments')['sequence']
    events = page.events('/experiment-events?after=%d' % sequence)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    seen = []
    while not seen or seen[-1][2]['status'] != 'running':
        seen.append(next(events))
    sandbox.mark('end')
    while seen[-1][2]['status'] != 'finished':
        seen.append(next(events))
    run.wait()
    assert {(name, data['key']) for name, _, data in seen} == {('change', 'exp')}
    ids = [event[1] for event in seen]
    assert ids == sorted(ids) and ids[0] > sequence
    # One that connects again gets what it has missed.
    again = page.events('/experiment-events', {'Last-Event-ID': str(ids[-1] - 1)})
    assert next(again) == seen[-1]
    stranger = page.events('/experiment-events', {'Last-Event-ID': '999999'})
    assert next(stranger) == ('reset', ids[-1], {})


def test_what_a_run_uses_is_read_as_it_runs(sandbox, page):
    sandbox.write_script('train.py', """
        import subprocess
        # The whole is counted, whoever uses it.
        child = subprocess.Popen([sys.executable, '-c', 'held = bytearray(b"x" * (64 << 20)); input()'], stdin=subprocess.PIPE)
        mark('started')
        while not os.path.exists(os.path.join(os.environ['TEST_MARKS'], 'end')):
            pass
        child.communicate(b'\\n')
    """)
    resources = '/experiments/exp/attempts/0/resources'
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    wait_until(lambda: any(sample['memory_bytes'] > 64 << 20 for sample in page.get(resources)['samples']), what='what the child holds')
    sandbox.mark('end')
    run.wait()
    more = page.get(resources)['samples']
    assert more[0]['seconds'] >= 1 and more[0]['cpu_percent'] > 0
    stored = sandbox.studio_home / 'store/experiments/exp/attempts/0/resources.json'
    assert json.loads(stored.read_text())['samples'] == more
    (sandbox.studio_home / 'experiments/exp/attempts/0/resources.json').unlink()
    assert page.get(resources)['samples'] == more, 'where it did not run'
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'short', 'train.py')
    assert page.get('/experiments/short/attempts/0/resources') == {'samples': []}


def test_scalars_are_brought_to_the_width_of_a_chart(sandbox, page):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', '''
        import os
        from event_file import scalar
        from studio import fs_tracker
        directory = fs_tracker.get_tensorboard_dir()
        os.makedirs(directory + '/val')
        with open(directory + '/events.out.tfevents.1', 'wb') as train:
            for step in range(5000):
                train.write(scalar(step, 'loss', 1000 if step == 1234 else 1 / (1 + step), 1e9 + step))
            train.write(b'half a reco')
        with open(directory + '/val/events.out.tfevents.1', 'wb') as val:
            for step in (10, 20):
                val.write(scalar(step, 'loss', float('nan') if step == 20 else 2.0))
            val.write(scalar(10, 'acc/tôp 1', 0.5))
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    scalars = page.get('/experiments/exp/attempts/0/scalars')
    assert [(each['run'], each['tag'], each['points']) for each in scalars['series']] == [
        ('', 'loss', 5000), ('val', 'acc/tôp 1', 1), ('val', 'loss', 2)]
    loss = scalars['series'][0]
    assert (loss['first_step'], loss['last_step'], loss['max']) == (0, 4999, 1000.0)
    assert loss['last_value'] == loss['min'] == pytest.approx(1 / 5000)
    assert scalars['series'][2]['last_value'] is None, 'JSON has no NaN'
    assert scalars['problems'] == [] and scalars['version'] == 'v0'

    series = '/experiments/exp/attempts/0/scalars/series?tag='
    points = page.get(series + 'loss&buckets=50')['points']
    assert len(points) == 50
    assert [point for point in points if point[3] == 1000.0], 'no spike is lost'
    assert points[-1][0] == 4999 and points[-1][1] == 1e9 + 4999
    zoomed = page.get(series + 'loss&from=1230&to=1239')['points']
    assert [point[0] for point in zoomed] == list(range(1230, 1240))
    by_time = page.get(series + 'loss&axis=time&from=%f&to=%f' % (1e9 + 3, 1e9 + 4))['points']
    assert [point[0] for point in by_time] == [3, 4]
    assert page.get(series + urllib.parse.quote('acc/tôp 1') + '&run=val')['points'] == [
        [10, pytest.approx(page.get(series + 'loss&run=val')['points'][0][1], abs=60), 0.5, 0.5, 0.5]]
    assert page.get(series + 'none', 404)['error']['code'] == 'not_found'
    assert page.get(series + 'loss&axis=x', 400)['error']['code'] == 'invalid'
    assert page.get(series + 'loss&from=x', 400)['error']['code'] == 'invalid'
    assert page.get('/experiments/exp/attempts/1/scalars', 404)['error']['hint'] == 'it has 0'


def test_scalars_are_there_as_they_are_written(sandbox, page):
    sandbox.write(sandbox.workspace / 'event_file.py', event_file.source())
    sandbox.write_script('train.py', """
        from event_file import scalar
        from studio import fs_tracker
        with open(fs_tracker.get_tensorboard_dir() + '/events.out.tfevents.1', 'wb') as events:
            for step in range(3):
                events.write(scalar(step, 'loss', 1 / (1 + step)))
                events.flush()
                mark('written %d' % step)
                wait_for('go on %d' % step)
    """)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    for step in range(3):
        sandbox.wait_mark('written %d' % step)
        scalars = page.get('/experiments/exp/attempts/0/scalars')
        assert scalars['version'] is None and [each['last_step'] for each in scalars['series']] == [step]
        points = page.get('/experiments/exp/attempts/0/scalars/series?tag=loss')['points']
        assert [point[0] for point in points] == list(range(step + 1))
        sandbox.mark('go on %d' % step)
    run.wait()
    scalars = page.get('/experiments/exp/attempts/0/scalars')
    assert scalars['version'] == 'v0' and scalars['series'][0]['points'] == 3


def test_an_attempt_without_charts_has_none(sandbox, page):
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    assert page.get('/experiments/exp/attempts/0/scalars')['series'] == []
    assert page.get('/experiments/exp/attempts/0/checkpoints') == {'checkpoints': [], 'cut': False}


def test_checkpoints_are_told_from_their_heads(sandbox, page):
    sandbox.write_script('train.py', '''
        import numpy, os
        from studio import fs_tracker
        directory = fs_tracker.get_model_directory() + '/'
        numpy.savez(directory + 'step_100.npz', w=numpy.zeros((3, 4), 'f4'), b=numpy.zeros(5))
        numpy.save(directory + 'epoch3.npy', numpy.zeros((2, 2)))
        with open(directory + 'broken.npz', 'wb') as broken:
            broken.write(b'PK but no archive')
        with open(directory + 'future.npy', 'wb') as future:
            future.write(b'\\x93NUMPY\\x09\\x00' + bytes(100))
        with open(directory + 'notes.txt', 'w') as notes:
            notes.write('no checkpoint')
        numpy.save('step_7.npy', numpy.zeros(1))
    ''')
    sandbox.run('run', '-e', 'exp', 'train.py')
    listed = page.get('/experiments/exp/attempts/0/checkpoints')
    assert not listed['cut']
    found = {(each['artifact'], each['path']): each for each in listed['checkpoints']}
    assert set(found) == {('modeldir', 'step_100.npz'), ('modeldir', 'epoch3.npy'), ('modeldir', 'broken.npz'),
                          ('modeldir', 'future.npy'),
                          ('workspace', 'step_7.npy')}
    npz = found['modeldir', 'step_100.npz']
    assert npz['format'] == 'npz' and npz['step'] == 100 and npz['epoch'] is None
    assert (npz['tensors'], npz['parameters'], npz['types']) == (2, 17, {'float32': 1, 'float64': 1})
    assert npz['problem'] is None and npz['incomplete'] is None and npz['dangerous'] == []
    assert found['modeldir', 'epoch3.npy']['epoch'] == 3
    for name in ('broken.npz', 'future.npy'):
        assert found['modeldir', name]['problem'] and found['modeldir', name]['format'] is None
    # What the next attempt leaves as it was is that attempt's, too.
    sandbox.run('run', '-e', 'exp', 'train.py')
    again = page.get('/experiments/exp/attempts/1/checkpoints')['checkpoints']
    assert {(each['artifact'], each['path']) for each in again} == set(found)
    version = '/experiments/exp/artifacts/modeldir/versions/v0'
    shown = page.get(version + '/checkpoint/step_100.npz')
    assert [(each['name'], each['type'], each['shape']) for each in shown['tensors']] == [
        ('b', 'float64', [5]), ('w', 'float32', [3, 4])]
    for name in ('broken.npz', 'future.npy'):
        assert page.get(version + '/checkpoint/' + name, 400)['error']['code'] == 'invalid'
    assert page.get(version + '/checkpoint/notes.txt', 400)['error']['code'] == 'invalid'
    assert page.get(version + '/checkpoint/none', 404)['error']['code'] == 'not_found'


def test_texts_are_no_parameters(sandbox, page):
    """TensorFlow keeps a description of its objects among the weights."""
    index = pathlib.Path(__file__).parents[1] / 'analysis/samples/tensorflow-2.21/saved_model/variables/variables.index'
    sandbox.write_script('train.py', 'import os, shutil\nshutil.copy(%r, os.environ["STUDIO_ARTIFACT_MODELDIR"])\n' % str(index))
    sandbox.run('run', '-e', 'exp', 'train.py')
    (listed,) = page.get('/experiments/exp/attempts/0/checkpoints')['checkpoints']
    assert listed['types'] == {'float32': 18, 'int64': 1, 'string': 1}
    # Of the layers 12 + 4 + 4 × 4 + 8, of the optimiser two of each that is trained, and its two numbers.
    assert listed['parameters'] == 40 + 2 * (12 + 4 + 2 * 4 + 8) + 2


def test_a_checkpoint_that_is_overwritten_counts_each_time(sandbox, page):
    sandbox.configure('saveWorkspaceFrequency: 1s')
    sandbox.write_script('train.py', '''
        import numpy, os
        from studio import fs_tracker
        directory = fs_tracker.get_model_directory() + '/'
        for number in range(3):
            numpy.save(os.path.expanduser('~/next.npy'), numpy.full(4, number))
            os.replace(os.path.expanduser('~/next.npy'), directory + 'model.npy')
            mark('saved %d' % number)
            wait_for('go on %d' % number)
    ''')
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    for number in range(3):
        sandbox.wait_mark('saved %d' % number)
        wait_until(lambda: len(page.get('/experiments/exp/attempts/0/checkpoints')['checkpoints']) == number + 1,
                   what='the next checkpoint')
        sandbox.mark('go on %d' % number)
    run.wait()
    assert [(each['path'], each['parameters']) for each in page.get('/experiments/exp/attempts/0/checkpoints')['checkpoints']] == [
        ('model.npy', 4)] * 3


def test_the_page_is_served(page):
    for address in ('/', '/experiments/any%20key/charts', '/compare?keys=a,b', '/storage'):
        response, body = page.ask('GET', address, {'Sec-Fetch-Site': 'cross-site', 'Sec-Fetch-Mode': 'navigate', 'Sec-Fetch-Dest': 'document'})
        assert response.status == 200 and response.getheader('Content-Type') == 'text/html; charset=utf-8', address
        assert b'<!doctype html>' in body.lower()
    response, packed = page.ask('GET', '/', {'Accept-Encoding': 'gzip, br'})
    assert response.getheader('Content-Encoding') == 'gzip' and gzip.decompress(packed) == body
    for unwilling in ('gzip;q=0', 'identity', '*;q=0'):
        plain, text = page.ask('GET', '/', {'Accept-Encoding': unwilling})
        assert plain.getheader('Content-Encoding') is None and text == body, unwilling
    etag = response.getheader('ETag')
    response, nothing = page.ask('GET', '/', {'If-None-Match': etag, 'Accept-Encoding': 'gzip'})
    assert response.status == 304 and nothing == b''
