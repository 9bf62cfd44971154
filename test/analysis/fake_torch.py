"""PyTorch's pickles without PyTorch."""

import collections
import io
import math
import pickle
import struct
import sys
import types
import zipfile


class FakeTorch:
    """PyTorch's own names without PyTorch, which is too large to be installed for a test: for files that it would not write, or only of
    many values. What it does write is in samples/."""

    def __init__(self, monkeypatch):
        self.storages = []
        utils, tensor = types.ModuleType('torch._utils'), types.ModuleType('torch._tensor')
        torch = types.ModuleType('torch')
        for name in ('FloatStorage', 'LongStorage', 'HalfStorage', 'BFloat16Storage'):
            setattr(torch, name, type(name, (), {'__module__': 'torch'}))
        for name in ('_rebuild_tensor_v2', '_rebuild_parameter'):
            function = eval('lambda *arguments: None')
            function.__module__, function.__qualname__, function.__name__ = 'torch._utils', name, name
            setattr(utils, name, function)
        torch._utils, torch._tensor = utils, tensor
        for module in (torch, utils, tensor):
            monkeypatch.setitem(sys.modules, module.__name__, module)
        self.torch = torch

    def tensor(self, shape, storage='FloatStorage', size=4, parameter=False):
        return Tensor(self, shape, storage, size, parameter)

    def save(self, value, path, method=zipfile.ZIP_STORED):
        stream = io.BytesIO()
        pickler = pickle.Pickler(stream, protocol=2)
        pickler.persistent_id = lambda thing: thing.id if isinstance(thing, Storage) else None
        pickler.dump(value)
        with zipfile.ZipFile(path, 'w', method) as archive:
            archive.writestr('archive/data.pkl', stream.getvalue())
            for key, size in enumerate(self.storages):
                archive.writestr('archive/data/%d' % key, bytes(size))
            archive.writestr('archive/version', '3\n')

    def save_legacy(self, value, path):
        """As before PyTorch 1.6 (torch.serialization._legacy_save)."""
        found = {}

        def identify(thing):
            if not isinstance(thing, Storage):
                return None
            found[thing.id[2]] = thing
            return thing.id + (None,)

        with open(path, 'wb') as stream:
            for head in (0x1950a86a20f9469cfc6c, 1001, {'protocol_version': 1001, 'little_endian': True,
                                                       'type_sizes': {'short': 2, 'int': 4, 'long': 4}}):
                pickle.dump(head, stream, protocol=2)
            pickler = pickle.Pickler(stream, protocol=2)
            pickler.persistent_id = identify
            pickler.dump(value)
            keys = sorted(found)
            pickle.dump(keys, stream, protocol=2)
            stream.flush()
            for key in keys:
                stream.write(struct.pack('<q', found[key].count) + bytes(self.storages[int(key)]))


class Storage:
    def __init__(self, kind, key, count):
        self.id = ('storage', kind, str(key), 'cpu', count)
        self.count = count


class Tensor:
    def __init__(self, fake, shape, storage, size, parameter):
        self.fake, self.shape, self.parameter = fake, shape, parameter
        count = math.prod(shape)
        self.storage = Storage(getattr(fake.torch, storage), len(fake.storages), count)
        fake.storages.append(count * size)

    def __reduce__(self):
        utils = self.fake.torch._utils
        arguments = (self.storage, 0, self.shape, (1,) * len(self.shape), False, collections.OrderedDict())
        if not self.parameter:
            return utils._rebuild_tensor_v2, arguments
        plain = Tensor.__new__(Tensor)
        plain.__dict__ = dict(self.__dict__, parameter=False)
        return utils._rebuild_parameter, (plain, True, collections.OrderedDict())
