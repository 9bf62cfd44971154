"""A team: `studio server`, and the machines of those who use it."""

import json
import signal
import urllib.error
import urllib.request

from harness import Sandbox, events_in


class Team:
    """A running server, and the machines of those who use it."""

    def __init__(self, binary, *flags):
        self.binary = binary
        self.sandboxes = []
        self.server = self._sandbox()
        self.root = self.add_user('root', '--admin')
        self.flags = flags
        self.start()

    def _sandbox(self):
        self.sandboxes.append(Sandbox(self.binary))
        return self.sandboxes[-1]

    def start(self, port='0'):
        self.process = self.server.start('server', '--port', port, *self.flags)
        self.process.wait_output(b'\n')
        self.url = self.process.stdout.decode().strip().rstrip('/')

    def restart(self):
        self.process.signal(signal.SIGTERM)
        self.process.wait()
        self.start(self.url.rpartition(':')[2])

    def add_user(self, name, *flags):
        """Returns a token."""
        return self.server.run('server', 'user', 'add', name, *flags).out.strip()

    def machine(self, token, **changes):
        """A machine whose runs go to the server."""
        sandbox = self._sandbox()
        own_environment = sandbox.environment
        settings = {'STUDIOML_DATABASE_TYPE': 'http', 'STUDIOML_SERVER_URL': self.url, 'STUDIOML_TOKEN': token, **changes}
        sandbox.environment = lambda more=None: own_environment({**settings, **(more or {})})
        return sandbox

    def ask(self, method, target, token, body=None):
        request = urllib.request.Request(self.url + '/api/v1' + target, method=method, data=body,
                                         headers={'Authorization': 'Bearer ' + token} if token else {})
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, json.loads(response.read() or b'null')
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read())

    def events(self, target, token):
        request = urllib.request.Request(self.url + '/api/v1' + target, headers={'Authorization': 'Bearer ' + token})
        with urllib.request.urlopen(request, timeout=60) as response:
            yield from events_in(response)

    def close(self):
        for sandbox in self.sandboxes:
            sandbox.close()
