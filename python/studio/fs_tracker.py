"""Where the artifacts of this run lie on this machine.

    from studio import fs_tracker
    path = fs_tracker.get_artifact('weights')

Studio tells a run about itself through its environment:

    STUDIOML_EXPERIMENT        the experiment's key
    STUDIOML_ATTEMPT           the number of this execution of it, from 0
    STUDIOML_HOME              absolute path of Studio's home
    STUDIOML_ARTIFACT_MAPPING  absolute path of a JSON file {tag: absolute path}
    STUDIO_ARTIFACT_<TAG>      the same path, for languages without a reader of JSON; the
                               tag in upper case, with _ for all but A-Z and 0-9

The tags workspace, output, modeldir and tb are in every run. A variable set to
the empty string counts as not set.

Nothing here creates, changes or caches anything: each call reads the environment
and the mapping anew, so all functions may be called from any thread and process.
Every error is an ArtifactError.
"""

import difflib
import json
import os
import re
import shlex
import sys
from typing import Any, Dict, List, Optional, Tuple

__all__ = [
    'ArtifactError',
    'InvalidNameError',
    'MappingError',
    'NotInRunError',
    'UnknownTagError',
    'get_artifact',
    'get_artifact_cache',
    'get_artifacts',
    'get_blob_cache',
    'get_experiment_key',
    'get_model_directory',
    'get_queue_directory',
    'get_studio_home',
    'get_tensorboard_dir',
]

_DEFAULT_TAGS = ('workspace', 'output', 'modeldir', 'tb')
_NAME = re.compile(r'[A-Za-z0-9._-]+')


class ArtifactError(Exception):
    """Base of every error raised here; its str() is a sentence for the user."""


class NotInRunError(ArtifactError, RuntimeError):
    """This process was not started by `studio run`."""


class MappingError(ArtifactError):
    """The file that maps tags to paths cannot be read, or is damaged."""


class UnknownTagError(ArtifactError, KeyError):
    """No artifact of this run has the tag."""

    def __str__(self) -> str:
        # KeyError would show the repr of the sentence, quotes and escapes included.
        return Exception.__str__(self)


class InvalidNameError(ArtifactError, ValueError):
    """A tag or a key that cannot be one, and so must not become part of a path."""


def get_artifact(tag: str) -> str:
    """Return the absolute path of this run's artifact `tag`: a directory or a file.

    Raises UnknownTagError, which names the tags there are, NotInRunError outside a
    run, MappingError, and InvalidNameError if `tag` is not a str.
    """
    if not isinstance(tag, str):
        raise InvalidNameError('A tag must be a str, not %s.' % type(tag).__name__)
    artifacts = _read_mapping(tag)
    if tag not in artifacts:
        close = difflib.get_close_matches(tag, artifacts, n=1)
        raise UnknownTagError("This run has no artifact '%s'.%s The tags are: %s." % (
            tag,
            " Did you mean '%s'?" % close[0] if close else '',
            ', '.join(sorted(artifacts)) or '(none)'))
    return artifacts[tag]


def get_artifacts() -> Dict[str, str]:
    """Return a new dict of all artifacts of this run, tag -> absolute path.

    Raises NotInRunError outside a run, and MappingError.
    """
    return _read_mapping(None)


def get_artifact_cache(tag: str, experiment_key: Optional[str] = None) -> str:
    """Return where the artifact `tag` of an experiment lies on this machine.

    Without a key, or with this run's own, that is get_artifact(tag). With another
    experiment's key it is a path in Studio's home where nothing need exist.

    Raises InvalidNameError for a tag or key that cannot be one, else as get_artifact.
    """
    if experiment_key is not None:
        key = _checked('experiment key', experiment_key)
        if key != os.environ.get('STUDIOML_EXPERIMENT'):
            return os.path.join(get_studio_home(), 'experiments', key, _checked('tag', tag))
    return get_artifact(tag)


def get_model_directory(experiment_key: Optional[str] = None) -> str:
    """Return the directory of checkpoints: get_artifact_cache('modeldir', experiment_key).

    The directory of this run exists. Raises as get_artifact_cache.
    """
    return get_artifact_cache('modeldir', experiment_key)


def get_tensorboard_dir(experiment_key: Optional[str] = None) -> str:
    """Return the directory of event files: get_artifact_cache('tb', experiment_key).

    The directory of this run exists. Raises as get_artifact_cache.
    """
    return get_artifact_cache('tb', experiment_key)


def get_blob_cache(blobkey: str) -> str:
    """Return the path of the cached blob `blobkey`, where nothing need exist.

    Raises InvalidNameError for a key that cannot be one.
    """
    return os.path.join(get_studio_home(), 'blobcache', _checked('blob key', blobkey))


def get_queue_directory() -> str:
    """Return the path of the local queues, where nothing need exist."""
    return os.path.join(get_studio_home(), 'queue')


def get_experiment_key() -> str:
    """Return the key of this run's experiment. Raises NotInRunError outside a run."""
    return _from_studio('STUDIOML_EXPERIMENT', None)


def get_studio_home() -> str:
    """Return the absolute path of Studio's home: STUDIOML_HOME, or else ~/.studioml.

    Raises ArtifactError if that is not absolute (and so does all that builds on it).
    """
    home = os.environ.get('STUDIOML_HOME') or os.path.expanduser('~/.studioml')
    if not os.path.isabs(home):
        raise ArtifactError("Studio's home '%s' is not an absolute path: set STUDIOML_HOME." % home)
    return home


def _from_studio(variable: str, tag: Optional[str]) -> str:
    """Return what Studio set `variable` to; `tag` is what the caller looks for, if anything."""
    value = os.environ.get(variable)
    if value:
        return value
    script = sys.argv[0] if getattr(sys, 'argv', None) else ''
    if script in ('', '-', '-c', '-m'):
        script = 'script.py'
    # A default tag needs no flag, and a flag with an impossible tag would be refused.
    capture = ''
    if tag is not None and _is_name(tag) and tag not in _DEFAULT_TAGS:
        capture = '--capture=PATH:%s ' % tag
    raise NotInRunError('This script was not started by Studio: %s is not set. Start it with: '
                        'studio run %s%s' % (variable, capture, shlex.quote(script)))


def _read_mapping(tag: Optional[str]) -> Dict[str, str]:
    """Return the whole mapping of this run; `tag` as for _from_studio."""
    file = _from_studio('STUDIOML_ARTIFACT_MAPPING', tag)
    try:
        with open(file, 'rb') as stream:
            text = stream.read().decode('utf-8')
        mapping = json.loads(text, object_pairs_hook=_without_repeats)
        if not isinstance(mapping, dict):
            raise ValueError('it is not a JSON object')
        for key, path in mapping.items():
            if not isinstance(path, str):
                raise ValueError("the path of '%s' is not a string" % key)
            if not os.path.isabs(path) or '\0' in path:
                raise ValueError("the path of '%s' is not an absolute path" % key)
            (key + path).encode('utf-8')  # \ud800 alone is no character, so no path either
    except OSError as error:
        raise MappingError('The artifact mapping %s cannot be read: %s.'
                           % (file, error.strerror)) from error
    except (ValueError, RecursionError) as error:
        raise MappingError('The artifact mapping %s is damaged: %s.' % (file, error)) from error
    return mapping


def _without_repeats(pairs: List[Tuple[str, Any]]) -> Dict[str, Any]:
    result = dict(pairs)
    if len(result) != len(pairs):
        raise ValueError('a tag occurs twice')
    return result


def _is_name(name: object) -> bool:
    return (isinstance(name, str) and _NAME.fullmatch(name) is not None
            and name not in ('.', '..'))


def _checked(noun: str, name: str) -> str:
    if not _is_name(name):
        raise InvalidNameError("'%s' is not a valid %s: use letters, digits, '.', '_' and '-', "
                               "and not only '.' or '..'." % (name, noun))
    return name
