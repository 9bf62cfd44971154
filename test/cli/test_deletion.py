"""runs delete and restore: a mark that lists respect, and that can be taken away."""

import json

import pytest

import fields
from harness import is_utc, wait_until
from test_ui import Page

WAITING = "mark('started')\nwait_for('end')\n"


@pytest.fixture
def three(sandbox):
    """Experiments that ended: one, other and two, in this order; one has the artifact w."""
    sandbox.write('weights/x', 'weights')
    sandbox.write_script('train.py', 'print("trained")')
    sandbox.write_script('read.py', '''
        from studio import fs_tracker
        print(open(fs_tracker.get_artifact('w') + '/x').read())
    ''')
    for key in ('one', 'other', 'two'):
        sandbox.run('run', '-e', key, '-co', '~/weights:w', 'train.py')
    return sandbox


def keys(sandbox, *flags):
    return [run['key'] for run in sandbox.runs(*flags)]


def test_what_is_deleted_leaves_the_list_and_comes_back(three):
    before = three.show('one')
    result = three.run('runs', 'delete', 'one', 'two')
    assert (result.out, result.err) == ('', 'studio: one deleted\nstudio: two deleted\n')
    assert keys(three) == ['other'] and keys(three, '--deleted') == ['two', 'one']
    assert three.run('runs', 'list').out.count('train.py') == 1
    assert keys(three, '--deleted', '--limit', '1') == ['two'] and keys(three, '--deleted', '--project', 'none') == []
    shown = three.show('one')
    assert is_utc(shown['deleted']) and before['deleted'] is None
    assert dict(shown, deleted=None) == before, 'nothing else changes'
    assert '\n  deleted     20' in three.run('runs', 'show', 'one').out
    assert '\n  deleted ' not in three.run('runs', 'show', 'other').out
    assert three.cat('one/w', 'x') == b'weights', 'its bytes stay'
    assert three.run('runs', 'restore', 'one', 'two').err == 'studio: one restored\nstudio: two restored\n'
    assert keys(three) == ['two', 'other', 'one'] and keys(three, '--deleted') == []
    assert three.show('one') == before


def test_json_gives_the_runs(three):
    document = three.json('runs', 'delete', 'one', 'one', 'two')
    fields.assert_documented(document, fields.RUNS_LIST)
    assert [run['key'] for run in document['runs']] == ['one', 'two'], 'each once'
    assert all(is_utc(run['deleted']) for run in document['runs'])
    document = three.json('runs', 'restore', 'two')
    assert [(run['key'], run['deleted']) for run in document['runs']] == [('two', None)]


def test_twice_is_no_error(three):
    three.run('runs', 'delete', 'one')
    first = three.show('one')['deleted']
    three.run('runs', 'delete', 'one')
    assert three.show('one')['deleted'] == first, 'it was deleted then'
    for _ in range(2):
        three.run('runs', 'restore', 'one')
    assert keys(three) == ['two', 'other', 'one']


def test_a_bad_key_among_good_ones_changes_nothing(three):
    three.run('runs', 'delete', 'two')
    for bad, told in (('none', 'none'), ('', 'empty'), ('o', 'one, other'), ('two/w', 'two/w'), ('[one,two]', '[one,two]'),
                      ('{}', '{}'), ('*', '*'), ('../one', '../one'), ('new\nline', 'new')):
        three.fails(254, 'runs', 'delete', 'one', bad, 'other', tells=[told])
        three.fails(254, 'runs', 'restore', 'two', bad, tells=[told])
    assert keys(three) == ['other', 'one'] and keys(three, '--deleted') == ['two']
    for command in ('delete', 'restore'):
        three.fails(254, 'runs', command, tells=['KEY', 'KEY…'])


def test_prefixes_stand_for_what_the_command_is_about(three):
    three.run('runs', 'delete', 'tw')
    assert keys(three, '--deleted') == ['two']
    three.fails(254, 'runs', 'delete', 'tw', tells=["'tw'"])
    three.fails(254, 'artifacts', 'list', 'tw', tells=["'tw'"])
    assert three.json('artifacts', 'list', 'two')['experiment'] == 'two', 'a whole key is found everywhere'
    assert three.show('tw')['key'] == 'two'
    three.run('runs', 'delete', 'other')
    three.run('runs', 'delete', 'o')
    assert keys(three) == [], 'o is unique among what is not deleted'
    three.fails(254, 'runs', 'restore', 'o', tells=['one, other'])
    three.run('runs', 'restore', 'tw', 'on')
    assert keys(three) == ['two', 'one']


def test_what_runs_cannot_be_deleted(sandbox):
    sandbox.write_script('train.py', WAITING)
    sandbox.write_script('ok.py', '')
    sandbox.run('run', '-e', 'ended', 'ok.py')
    run = sandbox.start('run', '-e', 'live', 'train.py')
    sandbox.wait_mark('started')
    sandbox.fails(255, 'runs', 'delete', 'ended', 'live', tells=["'live' runs on", 'studio runs stop live'])
    assert keys(sandbox) == ['live', 'ended'], 'nothing is changed'
    sandbox.run('runs', 'restore', 'live')
    sandbox.mark('end')
    run.wait()
    sandbox.run('runs', 'delete', 'ended', 'live')
    assert keys(sandbox) == []


def test_nor_what_is_lost_while_its_script_goes_on(sandbox):
    sandbox.write_script('train.py', WAITING)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    run.popen.kill()
    run.wait(None)
    sandbox.fails(255, 'runs', 'delete', 'exp', tells=['its script still runs', 'studio runs stop exp'])
    sandbox.run('runs', 'stop', 'exp')
    sandbox.run('runs', 'delete', 'exp')
    assert keys(sandbox, '--deleted') == ['exp']


def test_a_new_attempt_restores_and_says_so(three):
    three.run('runs', 'delete', 'one')
    result = three.run('run', '-e', 'one', 'train.py')
    assert 'studio: experiment one was deleted; this attempt restores it\n' in result.err
    assert keys(three) == ['two', 'other', 'one'] and three.show('one')['attempts'] == 2
    assert 'restores' not in three.run('run', '-e', 'one', 'train.py').err


def test_what_is_deleted_cannot_be_reused(three):
    three.run('run', '-e', 'reader', '-r', 'one/w', 'read.py')
    three.run('runs', 'delete', 'one')
    for reference in ('one/w', 'one/w@v0:w'):
        three.fails(254, 'run', '-e', 'late', '--reuse', reference, 'read.py',
                    tells=['--reuse', "'one' is deleted", 'studio runs restore one'])
    assert 'late' not in keys(three)
    assert three.json('store', 'verify')['ok']
    three.run('runs', 'restore', 'one')
    assert three.run('run', '-e', 'late', '-r', 'one/w', 'read.py').out == 'weights\n'


def test_who_has_pinned_it_goes_on(three):
    three.write_script('slow.py', '''
        from studio import fs_tracker
        mark('started')
        wait_for('deleted')
        print(open(fs_tracker.get_artifact('w') + '/x').read())
    ''')
    reader = three.start('run', '-e', 'reader', '-r', 'one/w', 'slow.py')
    three.wait_mark('started')
    three.run('runs', 'delete', 'one')
    three.mark('deleted')
    assert reader.wait().out == 'weights\n'


def test_a_rebuilt_catalog_knows_it(three):
    three.run('runs', 'delete', 'one', 'two')
    three.run('runs', 'restore', 'two')
    before = three.runs('--deleted')
    for path in three.studio_home.glob('studio.db*'):
        path.unlink()
    assert keys(three) == ['two', 'other'] and three.runs('--deleted') == before


def test_what_cannot_be_written_is_told(unprivileged):
    sandbox = unprivileged
    sandbox.write_script('train.py', '')
    sandbox.run('run', '-e', 'exp', 'train.py')
    database = sandbox.studio_home / 'studio.db'
    database.chmod(0o400)
    sandbox.fails(255, 'runs', 'delete', 'exp', tells=['studio.db'])
    database.chmod(0o600)
    assert keys(sandbox) == ['exp']
    # The catalog decides; the copy in the store is written by the next change.
    record = sandbox.studio_home / 'store/experiments/exp'
    record.chmod(0o500)
    result = sandbox.run('runs', 'delete', 'exp')
    assert "the record of 'exp' in the store is out of date" in result.err
    assert keys(sandbox, '--deleted') == ['exp']
    assert 'deleted' not in json.loads((record / 'experiment.json').read_text())
    record.chmod(0o700)
    sandbox.run('runs', 'delete', 'exp')
    assert is_utc(json.loads((record / 'experiment.json').read_text())['deleted'])


def test_before_the_first_experiment(sandbox):
    assert keys(sandbox, '--deleted') == []
    sandbox.fails(254, 'runs', 'delete', 'exp', tells=["'exp'"])
    sandbox.fails(254, 'runs', 'restore', 'exp', tells=["'exp'"])
    assert not sandbox.studio_home.exists() or not any(sandbox.studio_home.iterdir())


def test_the_server_deletes_restores_and_tells(three):
    page = Page(three)

    def change(method, target, status=200, headers=None):
        headers = {'X-Studio-Token': page.token()} if headers is None else headers
        response, body = page.ask(method, '/api/v1/experiments/' + target, headers)
        assert response.status == status, body
        return json.loads(body)

    def listed(query=''):
        return [run['key'] for run in page.get('/experiments?sort=key' + query)['runs']]

    sequence = page.get('/experiments')['sequence']
    events = page.events('/experiment-events?after=%d' % sequence)
    change('DELETE', 'one', 403, headers={})
    assert listed() == ['one', 'other', 'two']
    deleted = change('DELETE', 'one')
    assert deleted == three.runs('--deleted')[0] and is_utc(deleted['deleted'])
    assert next(events)[2] == deleted
    assert listed() == ['other', 'two'] and listed('&deleted=true') == ['one'] and keys(three) == ['two', 'other']
    assert page.get('/experiments/one') == three.show('one')
    assert change('DELETE', 'one')['deleted'] == deleted['deleted']
    assert change('POST', 'one/restore')['deleted'] is None
    assert change('POST', 'one/restore')['deleted'] is None
    assert listed() == ['one', 'other', 'two'] and listed('&deleted=true') == []
    for key in ('none', 'on', 'ONE'):
        assert change('DELETE', key, 404)['error']['code'] == 'not_found'
        assert change('POST', key + '/restore', 404)['error']['code'] == 'not_found'
    assert page.get('/experiments?deleted=yes', 400)['error']['code'] == 'invalid'
    # By another process it is told, too.
    three.run('runs', 'delete', 'two')
    wait_until(lambda: listed() == ['one', 'other'], what='the list without two')


def test_the_server_keeps_what_runs(sandbox):
    sandbox.write_script('train.py', WAITING)
    run = sandbox.start('run', '-e', 'exp', 'train.py')
    sandbox.wait_mark('started')
    page = Page(sandbox)
    response, body = page.ask('DELETE', '/api/v1/experiments/exp', {'X-Studio-Token': page.token()})
    error = json.loads(body)['error']
    assert response.status == 409 and error['code'] == 'conflict' and 'studio runs stop exp' in error['hint']
    assert sandbox.show('exp')['deleted'] is None
    sandbox.mark('end')
    run.wait()
