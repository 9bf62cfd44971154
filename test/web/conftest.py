"""Fixtures of the page's tests: homes with experiments in them, `studio ui`, and a browser.

STUDIO_BIN names the binary, CHROMIUM the browser. With STUDIO_WEB_DIST the files of the page come from that directory
instead of the binary: for who works on the page.
"""

import os
import pathlib
import sys
import urllib.parse

import pytest
from playwright.sync_api import expect, sync_playwright

REPOSITORY = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(REPOSITORY / 'test/cli'))

from fixtures import binary, sandbox, shared_sandbox, signals, umask  # noqa: E402, F401
from server import Server, serve_from  # noqa: E402

TIMEOUT_MS = 60_000  # only a hang ever meets it
# Of a request that was answered with an error; a test that causes one on purpose sees it on the page.
REFUSED = 'Failed to load resource'


@pytest.fixture(scope='session')
def chromium():
    with sync_playwright() as playwright:
        arguments = ['--no-sandbox'] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(
            executable_path=os.environ.get('CHROMIUM', '/usr/bin/chromium'), args=arguments)
        yield browser
        browser.close()


@pytest.fixture
def browse(chromium):
    """browse(server, address, …) opens the page; what the browser complains of fails the test."""
    contexts = []
    complaints = []

    def open_page(server, address='/', scheme='light', width=1280, height=800, **options):
        context = chromium.new_context(
            color_scheme=scheme, viewport={'width': width, 'height': height}, locale='en-GB', timezone_id='Asia/Tokyo', **options)
        contexts.append(context)
        context.set_default_timeout(TIMEOUT_MS)
        context.grant_permissions(['clipboard-read', 'clipboard-write'], origin=server.url)
        if os.environ.get('STUDIO_WEB_DIST'):
            context.route(lambda url: not urllib.parse.urlsplit(url).path.startswith('/api/'),
                          serve_from(os.environ['STUDIO_WEB_DIST']))
        page = context.new_page()
        page.on('pageerror', lambda error: complaints.append(str(error)))
        page.on('console', lambda message: complaints.append(message.text)
                if message.type == 'error' and not message.text.startswith(REFUSED) else None)
        page.goto(server.url + address)
        return page

    expect.set_options(timeout=TIMEOUT_MS)
    yield open_page
    for context in contexts:
        context.unroute_all(behavior='ignoreErrors')
        context.close()
    assert complaints == []


@pytest.fixture
def server(sandbox):
    return Server(sandbox)
