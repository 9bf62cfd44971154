"""`studio ui` as the tests start it."""

import mimetypes
import pathlib
import urllib.parse


class Server:
    """A running `studio ui`."""

    def __init__(self, sandbox, port=0, env=None):
        self.process = sandbox.start('ui', '--port', str(port), env=env)
        self.process.wait_output(b'http://')
        self.url = self.process.stdout.decode().split()[0].rstrip('/')

    @property
    def port(self):
        return urllib.parse.urlsplit(self.url).port


def serve_from(directory):
    """Answers requests for files of the page with those of a directory, under the headers of the server."""
    root = pathlib.Path(directory)

    def answer(route):
        path = urllib.parse.urlsplit(route.request.url).path.lstrip('/')
        file = root / path if (root / path).is_file() else root / 'index.html'
        headers = {name: value for name, value in route.fetch(url=route.request.url.split('/assets/')[0]).headers.items()
                   if name not in ('content-length', 'content-encoding', 'content-type', 'etag')}
        headers['content-type'] = mimetypes.guess_type(file.name)[0]
        route.fulfill(status=200, headers=headers, body=file.read_bytes())

    return answer
