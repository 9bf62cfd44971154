#!/usr/bin/env python3
"""What `studio ui` does under load.

    bench/server.py [--experiments 100000] [--viewers 1000] [--source /var/tmp/studio-bench/one_file] [--directory /var/tmp] [--studio PATH]

    lists      a catalog of 100,000 experiments (the record of one run, copied under other names): the first list, asked for as the
               server starts, and of another server five seconds later; then 100 of each kind, one at a time over one connection; beside
               them the same request for the session's document, which is the cost of asking at all
    viewers    1,000 connections that follow the output of one script, which writes a line with the time in it 20 times a second: from
               written to received, and the memory of the server; then the same on a server of a team, to which another home's
               `studio run` sends what its script writes
    archive    with --source, made by bench/generate.py: its tar.gz as a download against `tar | gzip -1` of the folder; they alternate
               three times; and the memory of the server at its peak
"""

import contextlib
import http.client
import json
import pathlib
import re
import selectors
import socket
import sqlite3
import statistics
import subprocess
import sys
import time

import measure

ROUNDS = 3
LINES = 100
SCRIPT = '''
import time
for number in range(%d):
    print('at', time.clock_gettime(time.CLOCK_MONOTONIC), flush=True)
    time.sleep(0.05)
'''


class Server:
    """A running `studio ui`, or `studio server` with the token of a user."""

    def __init__(self, studio, command='ui', token=None):
        self.headers = {'Authorization': 'Bearer ' + token} if token else {}
        self.process = subprocess.Popen([studio.binary, command, '--port', '0'], stdout=subprocess.PIPE, **at(studio))
        self.address = re.match(rb'http://([\d.]+):(\d+)/', self.process.stdout.readline()).groups()
        self.address = (self.address[0].decode(), int(self.address[1]))

    def connection(self):
        return http.client.HTTPConnection(*self.address, timeout=300)

    def memory(self, field='VmRSS'):
        """MiB."""
        for line in pathlib.Path('/proc/%d/status' % self.process.pid).read_text().splitlines():
            if line.startswith(field + ':'):
                return int(line.split()[1]) / 1024


def at(studio):
    return {'env': studio.environment, 'cwd': studio.workspace}


@contextlib.contextmanager
def serving(studio, *how):
    server = Server(studio, *how)
    try:
        yield server
    finally:
        server.process.terminate()
        server.process.wait()


def get(connection, target):
    """Seconds until the whole body is there."""
    began = time.monotonic()
    connection.request('GET', target)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        sys.exit('%s: %d %s' % (target, response.status, body.decode(errors='replace')))
    return time.monotonic() - began


def percentile(values, part):
    return sorted(values)[min(int(len(values) * part), len(values) - 1)]


def milliseconds(seconds):
    return '%.1f' % (seconds * 1000)


def fill_catalog(studio, count):
    """Copies of the one experiment that is there."""
    database = sqlite3.connect(studio.home / 'studio.db')
    columns = [row[1] for row in database.execute('PRAGMA table_info(experiments)')]
    row = dict(zip(columns, database.execute('SELECT * FROM experiments').fetchone()))
    del row['sequence']  # a trigger gives it
    record = json.loads(row['record'])
    project, owner = ('vision', 'speech', 'language'), ('ada', 'grace', 'barbara', 'alan')
    with database:
        for number in range(1, count):
            key = 'experiment-%06d' % (number * 7919 % count)
            record.update(key=key, project=project[number % 3], owner=owner[number % 4],
                          command=['train.py', '--lr', '%g' % (number % 97 / 1000), '--seed', str(number)])
            row.update(key=key, project=record['project'], owner=record['owner'], created=row['created'] + 1, record=json.dumps(record))
            database.execute('INSERT INTO experiments (%s) VALUES (%s)' % (', '.join(row), ', '.join(':' + name for name in row)), row)
    database.close()


def measure_lists(studio, count):
    fill_catalog(studio, count)
    kinds = {
        'newest first': '',
        'the last page': '?offset=%d' % (count - 100),
        'by duration': '?sort=duration',
        'by key, in the middle': '?sort=key&offset=%d' % (count // 2),
        'by a parameter': '?sort=parameter:seed',
        'two words': '?search=ada+0.05',
        'a word that few have': '?search=%06d' % (count // 3),
        'a project, by owner': '?project=vision&sort=owner',
        'a state that none has': '?status=lost',
    }
    rows = []
    with serving(studio) as server:
        time.sleep(5)
        later = get(server.connection(), '/api/v1/experiments')
    with serving(studio) as server:
        connection = server.connection()
        first = get(connection, '/api/v1/experiments')
        asking = statistics.median(get(connection, '/api/v1/session') for _ in range(100))
        for name, query in kinds.items():
            times = [get(connection, '/api/v1/experiments' + query) for _ in range(100)]
            rows.append((name, milliseconds(statistics.median(times)), milliseconds(percentile(times, 0.99))))
        memory = server.memory()
    print('%d experiments: the first list takes %s ms as the server starts, %s ms five seconds later; asking at all takes %s ms; '
          'the server has %.0f MiB\n' % (count, milliseconds(first), milliseconds(later), milliseconds(asking), memory))
    measure.print_table(('list', 'ms: median', '99 %'), rows)


def measure_viewers(studio, count):
    (studio.workspace / 'train.py').write_text(SCRIPT % LINES)
    with serving(studio) as server:
        watch(server, studio, at(studio), count, 'viewers')


def measure_viewers_of_another_machine(studio, count):
    """A home of its own is another machine to Studio; the network is this one's loopback."""
    (studio.workspace / 'train.py').write_text(SCRIPT % LINES)
    token = subprocess.run([studio.binary, 'server', 'user', 'add', 'ada', '--admin'], stdout=subprocess.PIPE, check=True, text=True,
                           **at(studio)).stdout.strip()
    with serving(studio, 'server', token) as server:
        elsewhere = dict(studio.environment, STUDIOML_HOME=str(studio.home) + '-elsewhere', STUDIOML_DATABASE_TYPE='http',
                         STUDIOML_SERVER_URL='http://%s:%d' % server.address, STUDIOML_TOKEN=token)
        watch(server, studio, {'env': elsewhere, 'cwd': studio.workspace}, count, 'viewers of a run on another machine')


def watch(server, studio, place, count, who):
    alone = server.memory()
    run = subprocess.Popen([studio.binary, 'run', '--quiet', '-e', 'watched', 'train.py'], stdout=subprocess.DEVNULL, **place)
    wait_for_output(server)
    delays = follow(server, count)
    memory = server.memory('VmHWM')
    run.wait()
    print('\n%d %s: a line is received %s ms after it was written (median of %d; 99 %%: %s; most: %s); '
          'the server has %.0f MiB at its peak, %.0f alone'
          % (count, who, milliseconds(statistics.median(delays)), len(delays), milliseconds(percentile(delays, 0.99)),
             milliseconds(max(delays)), memory, alone))


def wait_for_output(server):
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        connection = server.connection()
        connection.request('GET', '/api/v1/experiments/watched/attempts/0/output', headers=server.headers)
        response = connection.getresponse()
        if response.status == 200 and response.read():
            return
        connection.close()
    sys.exit('the script wrote nothing')


def follow(server, count):
    """Seconds from writing to receiving of all lines that were written when all viewers were there."""
    selector = selectors.DefaultSelector()
    headers = ''.join('%s: %s\r\n' % header for header in server.headers.items()).encode()
    for _ in range(count):
        viewer = socket.create_connection(server.address)
        viewer.sendall(b'GET /api/v1/experiments/watched/attempts/0/output/events HTTP/1.1\r\nHost: %s:%d\r\n%s\r\n'
                       % (server.address[0].encode(), server.address[1], headers))
        viewer.setblocking(False)
        selector.register(viewer, selectors.EVENT_READ)
    everyone = time.monotonic()
    delays, open_ones = [], count
    while open_ones:
        for key, _ in selector.select():
            data = key.fileobj.recv(1 << 16)
            now = time.monotonic()
            written = [float(text) for text in re.findall(rb'at (\d+\.\d+)', data)]
            delays += [now - moment for moment in written if moment > everyone]
            if not data or b'event: end' in data:
                selector.unregister(key.fileobj)
                key.fileobj.close()
                open_ones -= 1
    return delays


def measure_archive(studio, source):
    measure.run(studio.capture(source), **studio.place)
    ours, theirs = [], []
    with serving(studio) as server:
        url = 'http://%s:%d/api/v1/experiments/bench/artifacts/data/versions/v0/archive.tar.gz' % server.address
        for _ in range(ROUNDS):
            measure.warm(studio.home / 'store')
            ours.append(measure.run(['curl', '-sf', '-o', '/dev/null', url]))
            measure.warm(source)
            theirs.append(measure.run(['sh', '-c', "tar -cf - -C '%s' . | gzip -1 > /dev/null" % source]))
        memory = server.memory('VmHWM')
    ratios = [b.wall / a.wall for a, b in zip(ours, theirs)]
    print('\narchive of %.0f MB: %.2f s (%s), tar | gzip -1 %.2f s (%s): %.1f × its rate; the server has %.0f MiB at its peak'
          % (measure.apparent_size(source) / 1e6, measure.median(ours).wall, measure.spread(ours), measure.median(theirs).wall,
             measure.spread(theirs), statistics.median(ratios), memory))


def main():
    parser = measure.argument_parser(__doc__)
    parser.add_argument('--experiments', type=int, default=100_000)
    parser.add_argument('--viewers', type=int, default=1000)
    parser.add_argument('--source', type=measure.source_folder)
    parser.add_argument('--directory', default='/var/tmp')
    measure.add_studio_option(parser)
    arguments = parser.parse_args()
    measure.need('curl', 'curl')
    with measure.scratch_folder(arguments.directory) as scratch:
        studio = measure.Studio(arguments.studio, scratch)
        if arguments.viewers:
            measure_viewers(studio, arguments.viewers)
            with measure.scratch_folder(arguments.directory) as another:
                measure_viewers_of_another_machine(measure.Studio(arguments.studio, another), arguments.viewers)
        if arguments.source:
            measure_archive(studio, arguments.source)
    with measure.scratch_folder(arguments.directory) as scratch:
        studio = measure.Studio(arguments.studio, scratch)
        measure.run([studio.binary, 'run', '--quiet', '/bin/true'], **studio.place)
        measure_lists(studio, arguments.experiments)


if __name__ == '__main__':
    main()
