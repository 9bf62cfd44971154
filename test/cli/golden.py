"""Expected outputs in test/golden. STUDIO_ACCEPT=1 writes what was seen; read the diff before it is kept."""

import difflib
import os
import pathlib
import platform
import re
import socket

import pytest

from harness import login_name

DIRECTORY = pathlib.Path(__file__).resolve().parents[1] / 'golden'

# Applied in this order. A time of day must go before the numbers that it holds.
VARIABLE_PARTS = [
    (r'\b[0-9a-f]{64}\b', '<DIGEST>'),
    (r'\b[0-9a-f]{10,40}\b…?', '<DIGEST>'),
    (r'\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?UTC|Z|[+-]\d\d:?\d\d)?', '<TIME>'),
    (r'\b(Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) [ \d]\d +(\d\d:\d\d(:\d\d)?|\d{4})\b', '<TIME>'),
    (r'\b(just now|now|\d+(\.\d+)? ?(s|m|h|d|seconds?|minutes?|hours?|days?) ago)\b', '<TIME>'),
    (r'\b\d+(\.\d+)? ?(ms|s|m|h|seconds?|minutes?)( ?\d+ ?(ms|s|m))*\b', '<DURATION>'),
    (r'\b\d+(\.\d+)? ?([kKMGT]i?B|B|bytes?)\b', '<SIZE>'),
    (r'\bpid:? \d+', 'pid <PID>'),
    (r'\b\d+ packages\b', '<N> packages'),
    (r'\b\d+ CPUs?\b', '<N> CPUs'),
    (r'Python \d+\.\d+\.\d+\S*', 'Python <VERSION>'),
    # Whether a short script is captured once or twice depends on who is faster.
    (r'\bv\d+ \((new|unchanged)\)', 'v<N> (<CHANGE>)'),
]


def normalise(text, sandbox):
    """Take out what differs from run to run and from machine to machine, and the padding around it."""
    replaced = [(str(sandbox.workspace), '<WORKSPACE>'), (str(sandbox.home), '<HOME>'),
                (platform.release(), '<KERNEL>'), (socket.gethostname(), '<HOST>')]
    for literal, name in replaced:
        text = text.replace(literal, name)
    text = re.sub(r'\b%s\b' % re.escape(login_name()), '<USER>', text)
    text = re.sub(r'(?m)^( *machine +)\S+, .*, (\d+ CPUs?,)', r'\1<ARCHITECTURE>, <CPU>, \2', text)
    for pattern, name in VARIABLE_PARTS:
        text = re.sub(pattern, name, text)
    lines = [re.sub(r'(?<=\S)\s{2,}', '  ', line).rstrip() for line in text.splitlines()]
    lines = [re.sub(r'\d+', '<N>', line) if re.match(r'\W*(\w+  )?(workspace|output|modeldir|tb)\b', line) else line
             for line in lines]
    return '\n'.join(re.sub(r'[-─]{4,}', '----', line) for line in lines) + '\n'


def check(name, text, sandbox=None):
    """Compare a command's output with test/golden/NAME.txt; it is normalised for the sandbox it came from."""
    actual = normalise(text, sandbox) if sandbox else text
    path = DIRECTORY / (name + '.txt')
    if os.environ.get('STUDIO_ACCEPT'):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(actual)
        return
    hint = 'accept it with: STUDIO_ACCEPT=1 python3 -m pytest test/cli -k golden'
    if not path.exists():
        pytest.fail('there is no golden output %s; read what was printed and %s\n%s' % (path, hint, actual))
    expected = path.read_text()
    if actual != expected:
        difference = ''.join(difflib.unified_diff(
            expected.splitlines(True), actual.splitlines(True), 'test/golden/%s.txt' % name, 'now'))
        pytest.fail('the output changed; if it should, %s\n%s' % (hint, difference))
