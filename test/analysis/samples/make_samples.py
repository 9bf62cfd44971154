"""Writes the samples beside this file: small files of the real frameworks, and what these say themselves of what is in them.

The frameworks are far too large to be installed for each run of the tests, so what they wrote is kept, a directory for each, with an
expected.json that test_samples.py holds our readers to. They were made by

    python make_samples.py pytorch pytorch-1.13        /usr/bin/python3 and python3-torch of Debian 12, and in a virtual environment upon
                                                       them (--system-site-packages) tensorboard 2.21.0, onnx 1.16.2, numpy 1.23.5
    python make_samples.py pytorch pytorch-2.9         Python 3.11: torch 2.9.1, tensorboard 2.21.0, onnx 1.23.2, onnxscript 0.7.2,
                                                       matplotlib 3.11.2; it needs no GPU
    python make_samples.py hugging_face hugging-face   the same with transformers 5.24.0, accelerate 1.15.0, lightning 2.6.6
    python make_samples.py tensorflow tensorflow-2.21  Python 3.11: tensorflow-cpu 2.21.0 (Keras 3.15.1, h5py 3.14.0), pillow

What is random is seeded; times and identifiers differ from one run to the next. All numbers are little-endian, as these frameworks write them
on the machines that they are made for.
"""

import json
import linecache
import os
import pathlib
import shutil
import sys
import types


def describe(value, depth=0):
    """JSON with one line to each tensor or point, so that a difference can be read."""
    if depth < 3 and isinstance(value, dict) and value:
        inner = ',\n'.join('%s: %s' % (json.dumps(key, ensure_ascii=False), describe(each, depth + 1)) for key, each in sorted(value.items()))
        return '{\n%s\n}' % inner
    if isinstance(value, list) and value and isinstance(value[0], dict):
        return '[\n%s\n]' % ',\n'.join(json.dumps(each, ensure_ascii=False) for each in value)
    return json.dumps(value, ensure_ascii=False)


def main(part, directory):
    folder = pathlib.Path(__file__).resolve().parent / directory
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    os.chdir(folder)
    expected = describe(load('write_' + part).write()) + '\n'
    pathlib.Path('expected.json').write_text(expected)


def load(name):
    """A module under a relative path: PyTorch writes the paths of sources into some files."""
    module = types.ModuleType(name)
    module.__file__ = name + '.py'
    sys.modules[name] = module
    source = ''.join(linecache.getlines(module.__file__))
    exec(compile(source, module.__file__, 'exec'), module.__dict__)
    return module


if __name__ == '__main__':
    main(*sys.argv[1:])
