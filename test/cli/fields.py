"""The JSON that doc/cli.md promises: the names of all fields and the kind of value in each.

A shape is a dict of exactly these fields (`Optional('x')` may be missing), a list of one shape for
all elements, a `Map` from any name to one shape, a type, or a tuple of alternatives.
"""

from harness import is_utc


class Optional(str):
    """The name of a field that some objects lack."""


class Map(dict):
    """An object whose names are data."""

    def __init__(self, shape):
        super().__init__(shape=shape)


class Time:
    """ISO 8601 in UTC."""


Text = (str, None)
Whole = (int, None)

OUTCOME = {'status': str, 'failure': Text, 'exit_code': Whole, 'signal': Text, 'reason': Text,
           'started': (Time, None), 'ended': (Time, None), 'duration_seconds': (int, float, None)}

PARAMETER = {'name': str, 'value': str}

METRIC = {'name': str, 'goal': str, 'value': (int, float, None), 'step': Whole}

RUN = dict(OUTCOME, metrics=[METRIC], key=str, project=str, owner=str, attempt=int, attempts=int, command=[str], parameters=[PARAMETER],
           directory=str, created=Time, deleted=(Time, None))

ATTEMPT = dict(OUTCOME, number=int, metrics=[METRIC],
               process={'host': Text, 'studio_pid': Whole, 'script_pid': Whole},
               usage={'user_seconds': (int, float, None), 'system_seconds': (int, float, None),
                      'peak_memory_bytes': Whole},
               artifacts=[{'tag': str, 'path': str, 'mode': str, 'default': bool, 'source': Text,
                           'first_version': Text, 'last_version': Text}])

ENVIRONMENT = {
    'variables': Map(str),
    'python': ({'executable': str, 'version': str, 'packages': Map(str)}, None),
    'git': ({'commit': Text, 'branch': Text, 'remote': Text, 'dirty': bool, 'diff': Text,
             'diff_truncated': bool, 'untracked': [str]}, None),
    'host': {'name': str, 'system': str, 'kernel': str, 'architecture': str, 'cpu_model': str, 'cpus': int,
             'memory_bytes': int},
    'gpus': [{'name': str, 'memory_bytes': Whole, 'driver': Text}],
}

USERS = {'users': [{'name': str, 'is_admin': bool, 'created': Time}]}
TOKENS = {'tokens': [{'id': str, 'user': str, 'scope': str, 'note': str, 'created': Time, 'expires': (Time, None), 'is_session': bool}]}
PROJECTS = {'projects': [{'name': str, 'members': [{'user': str, 'role': str}]}]}

RUNS_LIST = {'runs': [RUN]}
RUNS_SHOW = dict(RUN, studio_version=str, history=[ATTEMPT], environment=(ENVIRONMENT, None))

ARTIFACTS_LIST = {'experiment': str, 'artifacts': [
    {'tag': str, 'mode': str, 'path': str, 'kind': Text, 'versions': int, 'latest': Text, 'files': Whole,
     'bytes': Whole, 'stored_bytes': int, 'complete': (bool, None)}]}

ARTIFACTS_LOG = {'experiment': str, 'tag': str, 'versions': [
    {'version': str, 'number': int, 'created': Time, 'attempt': int, 'reason': str, 'digest': str,
     'files': int, 'bytes': int, 'changes': {'added': int, 'modified': int, 'removed': int},
     'new_bytes': int, 'stored_bytes': int, 'complete': bool,
     'problems': [{'path': str, 'problem': str}]}]}

ARTIFACTS_FILES = {'experiment': str, 'tag': str, 'version': str, 'path': str, 'entries': [
    {'name': str, 'path': str, 'type': str, 'mode': str, 'size': Whole, 'modified': Time, 'target': Text,
     Optional('name_hex'): str}]}

ARTIFACTS_GET = {'version': str, 'path': str, 'files': int, 'bytes': int}

ARTIFACTS_DIFF = {'from': str, 'to': str, 'entries': [
    {'path': str, 'change': str, 'type': str, 'old_size': Whole, 'new_size': Whole}]}

STORE_VERIFY = {'ok': bool, 'packs': int, 'chunks': int, 'bytes': int, 'versions': int,
                'index_rebuilt': bool,
                'errors': [{'object': str, 'problem': str, 'affected': [str]}]}

STORE_STATS = {'logical_bytes': int, 'unique_bytes': int, 'stored_bytes': int, 'packs': int, 'chunks': int,
               'versions': int, 'artifacts': [
                   {'experiment': str, 'tag': str, 'versions': int, 'logical_bytes': int, 'new_bytes': int,
                    'stored_bytes': int}]}

CONFIG_LIST = {'config': [{'key': str, 'value': (str, int, float, bool, None), 'origin': str}]}

PATH = {'tag': str, 'path': str}


def _fits(value, kind):
    if kind is None:
        return value is None
    if kind is Time:
        return isinstance(value, str) and is_utc(value)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, kind)


def _alternative(value, shapes):
    """Of several shapes the one that a value must have."""
    for shape in shapes:
        if isinstance(shape, (dict, list)):
            if isinstance(value, (dict, list)):
                return shape
        elif _fits(value, shape):
            return shape
    return next((shape for shape in shapes if shape is not None), None)


def deviations(value, shape, where='$'):
    """What is wrong with a document, in words; nothing if it is as documented."""
    if isinstance(shape, tuple):
        shape = _alternative(value, shape)
    if isinstance(shape, Map):
        if not isinstance(value, dict):
            return ['%s is no object: %r' % (where, value)]
        return [fault for name, item in value.items()
                for fault in deviations(item, shape['shape'], '%s[%r]' % (where, name))]
    if isinstance(shape, dict):
        if not isinstance(value, dict):
            return ['%s is no object: %r' % (where, value)]
        required = {str(name) for name in shape if not isinstance(name, Optional)}
        faults = ['%s.%s is missing' % (where, name) for name in sorted(required - value.keys())]
        faults += ['%s.%s is not documented' % (where, name)
                   for name in sorted(value.keys() - {str(name) for name in shape})]
        return faults + [fault for name in shape if name in value
                         for fault in deviations(value[name], shape[name], '%s.%s' % (where, name))]
    if isinstance(shape, list):
        if not isinstance(value, list):
            return ['%s is no list: %r' % (where, value)]
        return [fault for number, item in enumerate(value)
                for fault in deviations(item, shape[0], '%s[%d]' % (where, number))]
    if _fits(value, shape):
        return []
    return ['%s should be %s and is %r' % (where, getattr(shape, '__name__', shape), value)]


def assert_documented(value, shape):
    faults = deviations(value, shape)
    assert not faults, 'the JSON is not as documented:\n  ' + '\n  '.join(faults[:20])
