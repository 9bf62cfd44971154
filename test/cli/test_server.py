"""`studio server`: a team on one server, each of them on a machine of their own."""

import json
import os
import re
import shutil
import signal
import sqlite3
import ssl
import subprocess
import urllib.request

import event_file
import pytest

from harness import wait_until
from team import Team

TRAIN = '''
    import os
    from studio import fs_tracker
    path = os.path.join(fs_tracker.get_artifact('modeldir'), 'weights')
    with open(path, 'wb') as stream:
        stream.write(os.urandom(300000))
    print('trained')
'''


@pytest.fixture
def team(binary):
    result = Team(binary)
    yield result
    result.close()


@pytest.fixture(scope='module')
def pair(binary):
    """Two users and a run of the first, for tests that only look."""
    team = Team(binary)
    team.ada = team.machine(team.add_user('ada'))
    team.bob = team.machine(team.add_user('bob'))
    team.ada.write('data/points.csv', '1,2\n')
    team.ada.write_script('train.py', TRAIN)
    team.ada.run('run', '-e', 'first', '--project', 'vision', '--capture-once=~/data:data', 'train.py')
    yield team
    team.close()


def test_a_run_on_a_server_is_as_one_at_home(pair):
    ada = pair.ada
    assert not (ada.studio_home / 'store').exists() and not (ada.studio_home / 'studio.db').exists()
    run = ada.show('first')
    assert (run['status'], run['owner'], run['project']) == ('finished', 'ada', 'vision')
    assert ada.cat('first/output') == b'trained\n'
    assert ada.cat('first/data', 'points.csv') == b'1,2\n'
    assert ada.paths('first/modeldir') == {'weights'}
    ada.run('artifacts', 'get', 'first/modeldir', 'restored')
    assert (ada.workspace / 'restored/weights').stat().st_size == 300000
    assert ada.json('store', 'verify')['ok']


def test_a_damaged_record_is_told_to_who_may_see_all(team):
    token = team.add_user('ada')
    ada, root = team.machine(token), team.machine(team.root)
    ada.write_script('train.py', '')
    for key in ('a', 'bad'):
        ada.run('run', '-e', key, 'train.py')
    database = sqlite3.connect(team.server.studio_home / 'studio.db')
    with database:
        database.execute("UPDATE experiments SET record = '{}' WHERE key = 'bad'")
    database.close()
    assert [run['key'] for run in ada.runs()] == ['a']
    assert team.ask('GET', '/experiments', token)[1]['problems'] == []
    result = root.run('runs', 'list', '--json', check_code=255)
    assert [run['key'] for run in json.loads(result.out)['runs']] == ['a']
    assert "experiment 'bad': experiment record: field 'format' is missing" in result.err
    assert [each['experiment'] for each in team.ask('GET', '/experiments', team.root)[1]['problems']] == ['bad']


def test_a_run_again_and_its_reuse(team):
    ada = team.machine(team.add_user('ada'))
    ada.write_script('train.py', TRAIN)
    ada.run('run', '-e', 'again', 'train.py')
    first = ada.cat('again/modeldir', 'weights')
    ada.run('run', '-e', 'again', 'train.py')
    assert ada.cat('again/modeldir', 'weights') != first
    assert ada.cat('again/modeldir@v0', 'weights') == first
    ada.write_script('use.py', '''
        import os
        from studio import fs_tracker
        print(os.path.getsize(os.path.join(fs_tracker.get_artifact('w'), 'weights')))
    ''')
    ada.run('run', '-e', 'user', '-r', 'again/modeldir:w', 'use.py')
    assert ada.cat('user/output') == b'300000\n'
    assert [attempt['status'] for attempt in ada.show('again')['history']] == ['finished', 'finished']


def test_names_that_were_used_at_home_are_free_on_a_server(team):
    ada = team.machine(team.add_user('ada'))
    ada.write_script('train.py', TRAIN)
    ada.write_script('long.py', "mark('started')\nwait_for('end')\n")
    local = {'STUDIOML_DATABASE_TYPE': 'sqlite', 'STUDIOML_SERVER_URL': ''}
    ada.run('run', '-e', 'name', 'train.py', env=local)
    ada.run('run', '-e', 'name', 'train.py')
    assert ada.show('name')['attempt'] == 0
    assert len(ada.json('artifacts', 'log', 'name/modeldir', env=local)['versions']) == 1
    # Nor does what runs on the server look lost to a machine that has used the name.
    bob = team.machine(team.add_user('bob', '--admin'))
    bob.write_script('train.py', TRAIN)
    bob.run('run', '-e', 'long', 'train.py', env=local)
    bob.run('run', '-e', 'other', 'train.py')
    running = ada.start('run', '-e', 'long', 'long.py')
    ada.wait_mark('started')
    bob.fails(255, 'run', '-e', 'long', 'train.py', tells=['long'])
    assert {run['key']: run['status'] for run in bob.runs()}['long'] == 'running'
    ada.mark('end')
    running.wait()


def test_colleagues_see_what_is_shared(team):
    ada, bob = team.machine(team.add_user('ada')), team.machine(team.add_user('bob'))
    ada.write_script('train.py', TRAIN)
    ada.run('run', '-e', 'first', '--project', 'vision', 'train.py')
    assert bob.runs() == []
    bob.fails(254, 'runs', 'show', 'first', tells=["no experiment 'first'"])
    team.server.run('server', 'project', 'share', 'vision', 'bob', 'reader')
    assert [run['key'] for run in bob.runs()] == ['first']
    assert bob.cat('first/output') == b'trained\n'
    bob.write_script('train.py', TRAIN)
    bob.fails(255, 'run', '--project', 'vision', 'train.py', tells=["user 'bob' may not run experiments in project 'vision'", '--project'])
    # A name that is taken by someone who cannot be seen is taken all the same.
    team.server.run('server', 'project', 'unshare', 'vision', 'bob')
    bob.fails(255, 'run', '-e', 'first', 'train.py', tells=["the name 'first' is taken", '--experiment NAME'])
    assert ada.show('first')['owner'] == 'ada'
    assert len(ada.show('first')['history']) == 1
    bob.run('run', '-e', 'second', 'train.py')
    assert [run['key'] for run in bob.runs()] == ['second']


@pytest.mark.parametrize('role', ['reader', 'writer', 'admin'])
def test_nobody_runs_again_what_is_anothers(team, role):
    ada, bob = team.machine(team.add_user('ada')), team.machine(team.add_user('bob'))
    team.server.run('server', 'project', 'share', 'vision', 'ada', 'writer')
    team.server.run('server', 'project', 'share', 'vision', 'bob', role)
    for machine in (ada, bob):
        machine.write_script('train.py', TRAIN)
    ada.run('run', '-e', 'first', '--project', 'vision', 'train.py')
    before = ada.show('first'), team.server.json('store', 'stats')
    own_project = 'default' if role == 'reader' else 'vision'
    bob.fails(255, 'run', '-e', 'first', '--project', own_project, 'train.py',
              tells=["experiment 'first' belongs to ada", 'ask its owner', '--experiment NAME'])
    assert (ada.show('first'), team.server.json('store', 'stats')) == before, 'nothing was captured'


def test_a_reader_stops_nothing(team):
    ada, bob = team.machine(team.add_user('ada')), team.machine(team.add_user('bob'))
    team.server.run('server', 'project', 'share', 'vision', 'bob', 'reader')
    team.server.run('server', 'project', 'share', 'vision', 'ada', 'writer')
    ada.write_script('long.py', '''
        mark('started')
        wait_for('end')
    ''')
    running = ada.start('run', '-e', 'long', '--project', 'vision', 'long.py')
    ada.wait_mark('started')
    bob.fails(255, 'runs', 'stop', 'long', tells=['belongs to ada'])
    assert ada.status('long') == 'running'
    team.server.run('server', 'project', 'share', 'vision', 'bob', 'admin')
    assert bob.json('runs', 'stop', 'long')['status'] == 'stopped'
    running.wait(check_code=None)


def test_the_server_may_go_away_for_a_while(team):
    ada = team.machine(team.add_user('ada'))
    ada.configure('saveWorkspaceFrequency: 100ms\n')
    ada.write_script('long.py', '''
        import os
        from studio import fs_tracker
        with open(os.path.join(fs_tracker.get_artifact('modeldir'), 'a'), 'w') as stream:
            stream.write('one')
        mark('started')
        wait_for('end')
        print('done')
    ''')
    running = ada.start('run', '-e', 'long', 'long.py')
    ada.wait_mark('started')
    wait_until(lambda: ada.cat('long/modeldir', 'a') == b'one')
    team.restart()
    ada.mark('end')
    running.wait()
    assert ada.show('long')['status'] == 'finished'
    assert ada.cat('long/output') == b'done\n'
    assert team.server.json('store', 'verify')['ok']


def test_who_looks_on_sees_what_is_written_elsewhere(team):
    """No capture comes in between: they are an hour apart."""
    token = team.add_user('ada')
    ada = team.machine(token)
    ada.configure('saveWorkspaceFrequency: 1h\n')
    ada.write(ada.workspace / 'event_file.py', event_file.source())
    ada.write_script('long.py', """
        from event_file import scalar
        from studio import fs_tracker
        print('first é', flush=True)
        mark('started')
        wait_for('go on')
        print('second', flush=True)
        with open(fs_tracker.get_tensorboard_dir() + '/val 1.tfevents.1', 'wb') as events:
            events.write(scalar(7, 'loss', 0.5))
        wait_for('end')
        print('last')
    """)
    running = ada.start('run', '-e', 'long', 'long.py')
    ada.wait_mark('started')
    attempt = '/experiments/long/attempts/0'
    events = team.events(attempt + '/output/events', token)
    assert next(events) == ('output', 9, {'offset': 0, 'text': 'first é\n'})
    ada.mark('go on')
    assert next(events) == ('output', 16, {'offset': 9, 'text': 'second\n'})
    scalars = lambda: team.ask('GET', attempt + '/scalars', token)[1]
    wait_until(lambda: [(each['tag'], each['last_step']) for each in scalars()['series']] == [('loss', 7)])
    assert scalars()['version'] is None
    wait_until(lambda: team.ask('GET', attempt + '/resources', token)[1]['samples'])
    team.restart()
    events = team.events(attempt + '/output/events?from=9', token)
    assert next(events) == ('output', 16, {'offset': 9, 'text': 'second\n'})
    ada.mark('end')
    assert next(events) == ('output', 21, {'offset': 16, 'text': 'last\n'})
    assert next(events) == ('end', 21, {})
    running.wait()
    copies = team.server.studio_home / 'server/live/long/0'
    assert (copies / 'output').read_bytes() == ada.cat('long/output')
    # The store has it now.
    wait_until(lambda: not copies.exists())
    assert scalars()['version'] == 'v0'


def test_a_run_goes_on_though_nobody_can_look_on(team):
    ada = team.machine(team.add_user('ada'))
    team.server.write(team.server.studio_home / 'server/live', 'no directory')
    ada.write_script('train.py', "print('done')")
    run = ada.run('run', '-e', 'exp', 'train.py')
    assert 'shown' not in run.err
    assert ada.cat('exp/output') == b'done\n'
    assert (ada.show('exp')['status'], ada.show('exp')['reason']) == ('finished', None)


def test_a_token_that_is_revoked_in_the_middle_of_a_run(team):
    """The script goes on, says what is wrong, and nothing is lost once there is another token."""
    ada = team.machine(team.add_user('ada'))
    ada.write_script('long.py', """
        mark('started')
        wait_for('end')
        print('done')
    """)
    running = ada.start('run', '-e', 'long', 'long.py')
    ada.wait_mark('started')
    token = team.server.json('server', 'token', 'list', 'ada')['tokens'][0]['id']
    team.server.run('server', 'token', 'revoke', token)
    ada.mark('end')
    result = running.wait()
    for tag in ('workspace', 'output', 'modeldir', 'tb'):
        assert "the last state is not captured: artifact '%s': the token is not valid" % tag in result.err
    assert "the end of 'long' is not recorded: the token is not valid" in result.err
    again = team.server.run('server', 'token', 'add', 'ada').out.strip()
    status = ada.run('runs', 'show', 'long', '--json', env={'STUDIOML_TOKEN': again})
    run = json.loads(status.out)
    assert (run['status'], run['exit_code'], run['history'][0]['usage']['peak_memory_bytes'] > 0) == ('finished', 0, True)
    assert 'the end of experiment long is recorded now: finished' in status.err
    assert ada.run('artifacts', 'cat', 'long/output', env={'STUDIOML_TOKEN': again}).out == 'done\n'


def test_the_end_of_a_run_waits_for_a_server_that_is_away(team):
    ada = team.machine(team.add_user('ada'))
    ada.write_script('long.py', """
        from studio import fs_tracker
        mark('started')
        wait_for('end')
        with open(fs_tracker.get_artifact('modeldir') + '/weights', 'w') as weights:
            weights.write('final')
        print('done')
    """)
    running = ada.start('run', '-e', 'long', 'long.py')
    ada.wait_mark('started')
    team.process.signal(signal.SIGKILL)
    team.process.wait(check_code=None)
    ada.mark('end')
    wait_until(lambda: b'the end of the run waits' in running.stderr)
    team.start(team.url.rpartition(':')[2])
    running.wait()
    assert ada.cat('long/modeldir', 'weights') == b'final'
    assert ada.cat('long/output') == b'done\n'
    assert ada.show('long')['status'] == 'finished'


def test_the_index_is_kept_where_it_is_used(team):
    token = team.add_user('ada')
    ada, laptop = team.machine(token), team.machine(token)
    ada.write_script('train.py', TRAIN)
    ada.run('run', '-e', 'first', 'train.py')
    place = laptop.studio_home / 'servers' / team.url.partition('://')[2].replace(':', '_')
    weights = laptop.cat('first/modeldir', 'weights')
    copies = sorted((place / 'cache/index/index').iterdir())
    assert copies and [copy.name for copy in copies] == sorted(
        table.name for table in (team.server.studio_home / 'store/index').iterdir())
    copies[0].chmod(0o600)
    copies[0].write_bytes(b'damaged')
    assert laptop.cat('first/modeldir', 'weights') == weights
    assert copies[0].read_bytes() != b'damaged'
    shutil.rmtree(place / 'cache')
    assert laptop.cat('first/modeldir', 'weights') == weights
    shutil.rmtree(place / 'cache')
    laptop.write(place / 'cache', 'in the way')
    assert laptop.cat('first/modeldir', 'weights') == weights


def test_tokens(team):
    token = team.add_user('ada', '--scope', 'read', '--note', 'of the laptop')
    assert re.fullmatch(r'studio_[a-z2-7]{10}_[0-9a-f]{64}', token)
    assert team.ask('GET', '/experiments', token)[0] == 200
    assert team.ask('GET', '/experiments', None)[0] == 401
    ada = team.machine(token)
    ada.write_script('train.py', TRAIN)
    ada.fails(255, 'run', 'train.py', tells=["scope is read"])
    listed = team.server.run('server', 'token', 'list', 'ada').out
    assert 'of the laptop' in listed and token not in listed
    identity = token.split('_')[1]
    team.server.run('server', 'token', 'revoke', identity)
    assert team.ask('GET', '/experiments', token)[0] == 401, 'while the server runs'
    ada.fails(255, 'runs', 'list', tells=['token is not valid'])
    team.server.fails(254, 'server', 'token', 'revoke', identity, tells=[identity])
    short = team.server.run('server', 'token', 'add', 'ada', '--expires', '500ms').out.strip()
    wait_until(lambda: team.ask('GET', '/experiments', short)[0] == 401)
    team.server.run('server', 'user', 'remove', 'ada')
    team.server.fails(254, 'server', 'token', 'add', 'ada', tells=["no user 'ada'"])


def test_no_token_lies_in_the_open(team):
    token = team.add_user('ada')
    secret = token.rpartition('_')[2].encode()
    ada = team.machine(None)
    ada.run('login', team.url, input=token.encode() + b'\n')
    ada.write_script('show.py', '''
        import os
        print(sorted(name for name in os.environ if 'TOKEN' in name))
    ''')
    ada.run('run', '-e', 'shown', 'show.py')
    ada.run('run', '-e', 'told', 'show.py', env={'STUDIOML_TOKEN': token})
    found = []
    for sandbox in (team.server, ada):
        for directory, _, files in os.walk(sandbox.root):
            for name in files:
                path = os.path.join(directory, name)
                with open(path, 'rb') as stream:
                    if secret in stream.read():
                        found.append(path)
    assert found == [str(ada.studio_home / 'credentials.json')]
    assert (ada.studio_home / 'credentials.json').stat().st_mode & 0o777 == 0o600
    assert ada.cat('told/output') == b'[]\n', 'nor does a script get it'
    assert secret.decode() not in json.dumps(ada.show('told'))


def test_login_and_logout(team):
    token = team.add_user('ada')
    ada = team.machine(None)
    ada.fails(255, 'runs', 'list', tells=['no token', 'studio login ' + team.url])
    result = ada.run('login', team.url + '/', input=token.encode())
    assert 'as ada' in result.err and token not in result.err + result.out
    assert ada.runs() == []
    bad = ada.run('login', team.url, input=b'studio_x_y\n', check_code=255)
    assert 'not valid' in bad.err
    assert ada.runs() == [], 'what was kept is kept'
    ada.run('login', team.url, input=b'\n', check_code=254)
    ada.run('login', 'ftp://host', input=token.encode(), check_code=254)
    ada.run('logout', team.url)
    ada.fails(255, 'runs', 'list', tells=['studio login'])
    ada.fails(255, 'logout', team.url, tells=['no token'])


def test_a_server_that_cannot_be_asked(team):
    ada = team.machine(team.add_user('ada'))
    team.process.signal(signal.SIGTERM)
    team.process.wait()
    ada.write_script('train.py', TRAIN)
    port = team.url.rpartition(':')[2]
    ada.fails(255, 'run', 'train.py', tells=[port])
    ada.fails(251, 'runs', 'list', env={'STUDIOML_SERVER_URL': 'nonsense'}, tells=['STUDIOML_SERVER_URL'])
    ada.fails(251, 'runs', 'list', env={'STUDIOML_SERVER_URL': ''}, tells=['database.serverUrl'])
    ada.fails(251, 'runs', 'list', env={'STUDIOML_DATABASE_TYPE': 'sqlite', 'STUDIOML_STORAGE_TYPE': 'http'}, tells=['storage.type'])


def test_what_a_server_wants_before_it_starts(sandbox):
    sandbox.fails(255, 'server', '--port', '0', tells=['no user', 'studio server user add'])
    sandbox.run('server', 'user', 'add', 'root', '--admin')
    sandbox.fails(254, 'server', '--address', '0.0.0.0', tells=['unencrypted', '--certificate'])
    sandbox.fails(254, 'server', '--certificate', 'x', tells=['--key'])
    sandbox.fails(254, 'server', '--port', 'x', tells=['--port'])
    sandbox.fails(255, 'server', '--port', '0', '--certificate', 'none.pem', '--key', 'none.pem', tells=['none.pem'])
    sandbox.fails(254, 'server', 'user', 'add', '../x', tells=['user name'])
    sandbox.fails(255, 'server', 'user', 'add', 'root', tells=['already'])
    sandbox.fails(254, 'server', 'user', 'add', 'eve', '--scope', 'all', tells=['--scope', 'read, work'])
    sandbox.fails(255, 'server', 'user', 'add', 'eve', '--scope', 'admin', tells=['administrator'])
    assert 'eve' not in sandbox.run('server', 'user', 'list').out, 'half of it is not done'
    sandbox.fails(254, 'server', 'project', 'share', 'p', 'root', 'king', tells=['king', 'reader, writer or admin'])
    sandbox.fails(254, 'server', 'usr', tells=["'usr'", 'studio server'])
    sandbox.fails(254, 'server', 'user', 'ad', tells=["'ad'", 'studio server user add'])


def test_an_encrypted_server(binary, tmp_path):
    certificate, key = tmp_path / 'certificate.pem', tmp_path / 'key.pem'
    subprocess.run(['openssl', 'req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes',
                    '-subj', '/CN=studio', '-addext', 'subjectAltName=IP:127.0.0.1', '-days', '2',
                    '-keyout', key, '-out', certificate], check=True, capture_output=True)
    team = Team(binary, '--certificate', str(certificate), '--key', str(key))
    try:
        assert team.url.startswith('https://')
        ada = team.machine(team.add_user('ada'))
        ada.write_script('train.py', TRAIN)
        ada.fails(255, 'run', 'train.py', tells=['certificate'])
        trusting = {'STUDIOML_SERVER_CERTIFICATE': str(certificate)}
        ada.run('run', '-e', 'safe', 'train.py', env=trusting)
        assert ada.json('runs', 'show', 'safe', env=trusting)['status'] == 'finished'
        ada.fails(255, 'runs', 'list', env={'STUDIOML_SERVER_URL': team.url.replace('https', 'http')}, tells=['http'])
        context = ssl.create_default_context(cafile=certificate)
        context.check_hostname = False
        body = json.dumps({'token': team.root}).encode()
        with urllib.request.urlopen(urllib.request.Request(team.url + '/api/v1/session', body, method='POST'),
                                    context=context) as response:
            assert 'Secure' in response.headers['Set-Cookie']
    finally:
        team.close()


def test_a_server_behind_a_proxy_that_encrypts(binary):
    team = Team(binary, '--url', 'https://studio.example.org')
    try:
        body = json.dumps({'token': team.root}).encode()
        for origin, ending in ((None, '; Secure'), ('https://studio.example.org', '; Secure'), (team.url, '; Max-Age=604800')):
            request = urllib.request.Request(team.url + '/api/v1/session', body, method='POST',
                                             headers={'Origin': origin} if origin else {})
            with urllib.request.urlopen(request) as response:
                assert response.headers['Set-Cookie'].endswith(ending), origin
    finally:
        team.close()
