"""What PyTorch writes: torch.save() in all its forms, TorchScript, ONNX, and event files of torch.utils.tensorboard."""

import argparse
import collections
import dataclasses
import pathlib
import platform

import numpy
import onnx
import torch
from torch.utils import tensorboard

import stated
import write_pytorch_events

IS_NEW = torch.__version__ >= '2'


class Net(torch.nn.Module):
    """With everything that a module may hold."""

    def __init__(self):
        super().__init__()
        self.body = torch.nn.Sequential(torch.nn.Linear(20, 4), torch.nn.BatchNorm1d(4), torch.nn.ReLU(), torch.nn.Linear(4, 2, bias=False))
        self.scale = torch.nn.Parameter(torch.ones(2))
        self.register_buffer('mean', torch.zeros(2))
        self.register_buffer('mask', torch.zeros(5), persistent=False)
        self.rate = 0.25

    def forward(self, values):
        return self.body(values) * self.scale + self.mean


class Scale(torch.nn.Module):
    """All of whose source is ours: old files, and TorchScript's, have it in them."""

    def __init__(self, size):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(size, size))
        self.register_buffer('shift', torch.zeros(size))

    def forward(self, values):
        return values @ self.weight + self.shift


class Scales(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.first = Scale(3)
        self.second = Scale(3)
        self.last = None

    def forward(self, values):
        return self.second(self.first(values))


def name_of(type_):
    return str(type_).removeprefix('torch.')


def bytes_of(tensor):
    if tensor.is_meta:
        return 0
    if tensor.layout == torch.strided:
        return tensor.numel() * tensor.element_size()
    if tensor.layout == torch.sparse_coo:
        parts = [tensor._indices(), tensor._values()]
    elif tensor.layout in (torch.sparse_csr, torch.sparse_bsr):
        parts = [tensor.crow_indices(), tensor.col_indices(), tensor.values()]
    else:
        parts = [tensor.ccol_indices(), tensor.row_indices(), tensor.values()]
    return sum(each.numel() * each.element_size() for each in parts)


def walk(value, path=''):
    """Tensors and plain values of what torch.load() gave, with the names that a person would give them."""
    below = lambda name: '%s.%s' % (path, name) if path else str(name)  # noqa: E731
    if isinstance(value, torch.Tensor):
        yield path, value
    elif isinstance(value, torch.nn.Module):
        for name, each in (*value.named_parameters(), *value.named_buffers()):
            yield below(name), each
    elif isinstance(value, numpy.ndarray):
        yield path, value
    elif isinstance(value, dict):
        for name, each in value.items():
            if isinstance(name, (str, int)):
                yield from walk(each, below(name))
    elif isinstance(value, (list, tuple)):
        for index, each in enumerate(value):
            yield from walk(each, below(index))
    elif isinstance(value, argparse.Namespace) or dataclasses.is_dataclass(value):
        yield from walk(vars(value), path)
    elif type(value) in (bool, int, float, str):
        yield path, value


def facts_of(value, kind='pytorch'):
    tensors, metadata = [], {}
    for name, each in walk(value):
        if isinstance(each, torch.Tensor):
            tensors.append(stated.tensor(name, name_of(each.dtype), each.shape, bytes_of(each)))
        elif isinstance(each, numpy.ndarray):
            tensors.append(stated.array(name, each))
        else:
            metadata[name] = each
    return stated.checkpoint(kind, tensors, metadata)


def load(path):
    try:
        return torch.load(path, weights_only=False)
    except TypeError:  # before 2.0 it has no such argument in a legacy file
        return torch.load(path)


def trained(net):
    """The net and an optimizer that has a state."""
    optimizer = torch.optim.Adam(net.parameters(), lr=0.001)
    scheduler = torch.optim.lr_scheduler.StepLR(optimizer, 10)
    for _ in range(2):
        optimizer.zero_grad()
        net(torch.rand(6, 20)).sum().backward()
        optimizer.step()
        scheduler.step()
    return optimizer, scheduler


def training(net):
    optimizer, scheduler = trained(net)
    return {'epoch': 7, 'model': net.state_dict(), 'optimizer': optimizer.state_dict(), 'scheduler': scheduler.state_dict(), 'loss': 0.125,
            'best': True, 'name': 'nët', 'arguments': argparse.Namespace(lr=0.001, layers=3), 'random': torch.get_rng_state()[:16].clone(),
            'losses': numpy.linspace(0, 1, 5), 'accuracy': numpy.float64(0.5), 'dtype': torch.float16, 'device': torch.device('cpu'),
            'size': torch.Size([3, 4]), 'nothing': None, 'large': 1 << 70}


def of_every_type(is_legacy=False):
    old = ['float32', 'float64', 'float16', 'bfloat16', 'int8', 'uint8', 'int16', 'int32', 'int64', 'bool', 'complex64', 'complex128']
    new = ['uint16', 'uint32', 'uint64', 'float8_e4m3fn', 'float8_e5m2', 'float8_e4m3fnuz', 'float8_e5m2fnuz', 'float8_e8m0fnu', 'float4_e2m1fn_x2']
    # Files of the old form with the new types cannot be read by PyTorch itself.
    values = {name: torch.empty(2, 3, dtype=getattr(torch, name)) for name in old + new * (IS_NEW and not is_legacy)}
    real = torch.arange(6.0).reshape(2, 3)
    for name in ('qint8', 'quint8', 'qint32'):
        values[name] = torch.quantize_per_tensor(real, 0.1, 0, getattr(torch, name))
    values['per channel'] = torch.quantize_per_channel(real, torch.ones(2), torch.zeros(2), 0, torch.qint8)
    return values


def of_every_layout():
    matrix = torch.eye(4)
    whole = torch.zeros(10, 10)
    with_attribute = torch.nn.Parameter(torch.ones(3))
    with_attribute.note = 'kept'
    values = {'coo': matrix.to_sparse(), 'hybrid': torch.sparse_coo_tensor([[0, 2]], torch.ones(2, 3), (4, 3)), 'csr': matrix.to_sparse_csr(),
              'turned': torch.zeros(3, 4).t(), 'channels last': torch.zeros(1, 3, 2, 2).to(memory_format=torch.channels_last),
              'row': whole[2], 'column': whole[:, 3], 'rest': whole.view(-1)[7:], 'expanded': torch.zeros(1).expand(5, 6),
              'scalar': torch.tensor(5), 'empty': torch.zeros(0, 3), 'parameter': torch.nn.Parameter(torch.ones(2)),
              'frozen': torch.nn.Parameter(torch.ones(2), requires_grad=False), 'with attribute': with_attribute,
              'conjugate': torch.zeros(2, dtype=torch.complex64).conj(), 'negative': torch.zeros(2, dtype=torch.complex64).conj().imag}
    if IS_NEW:
        values.update(csc=matrix.to_sparse_csc(), bsr=matrix.to_sparse_bsr((2, 2)), bsc=matrix.to_sparse_bsc((2, 2)))
        values['meta'] = torch.zeros(2, 3, device='meta')
        values['buffer'] = torch.nn.Buffer(torch.ones(2))
    return values


def save_checkpoints():
    net = Net()
    state = net.state_dict()
    plain = {'a': {'b': [torch.ones(2), {'c': torch.zeros(3)}], 5: torch.ones(1)}, 'tuple': (torch.ones(4), 'text'), ('a', 'b'): 1}
    values = {'state_dict.pt': state, 'module.pt': net, 'training.ckpt': training(net), 'types.pt': of_every_type(), 'layouts.pt': of_every_layout(),
              'parallel.bin': torch.nn.DataParallel(net).state_dict(), 'list.pt': [torch.ones(2), torch.zeros(3, dtype=torch.int64)],
              'tensor.pt': torch.ones(3, 4), 'nested.pth': plain, 'ordered.pt': collections.OrderedDict(plain)}
    for name, value in values.items():
        torch.save(value, name)
        if name not in ('state_dict.pt', 'module.pt', 'training.ckpt', 'types.pt', 'layouts.pt', 'nested.pth'):
            continue
        value = {'module.pt': Scales(), 'types.pt': of_every_type(is_legacy=True)}.get(name, value)
        torch.save(value, 'legacy.' + name, _use_new_zipfile_serialization=False)
    torch.save(values['training.ckpt'], 'protocol4.pt', pickle_protocol=4)
    facts = {}
    for path in sorted(pathlib.Path('.').glob('*.*')):
        facts[path.name] = facts_of(load(path), 'pytorch legacy' if path.name.startswith('legacy.') else 'pytorch')
    return facts


def save_scripts():
    torch.jit.save(torch.jit.script(Scales()), 'script.pt')
    return {'script.pt': facts_of(dict(torch.jit.load('script.pt').state_dict()))}


def of_onnx(path):
    model = onnx.load(path, load_external_data=False)
    tensors = []
    for each in model.graph.initializer:
        type_ = onnx.helper.tensor_dtype_to_np_dtype(each.data_type)
        tensors.append(stated.tensor(each.name, type_.name, each.dims, int(numpy.prod(each.dims)) * type_.itemsize))
        if each.data_location == onnx.TensorProto.EXTERNAL:
            tensors[-1]['file'] = {pair.key: pair.value for pair in each.external_data}['location']
    metadata = {'ir_version': model.ir_version, 'producer_name': model.producer_name, 'producer_version': model.producer_version,
                'graph': model.graph.name}
    return stated.checkpoint('onnx', tensors, metadata)


def save_onnx():
    net, example = Net().eval(), torch.zeros(1, 20)
    arguments = {'dynamo': False} if IS_NEW else {}
    torch.onnx.export(net, example, 'script.onnx', **arguments)
    if IS_NEW:
        program = torch.onnx.export(net, (example,), dynamo=True)
        for node in program.model.graph:
            node.metadata_props.clear()  # which line of which file on this machine made it
        program.save('dynamo.onnx', external_data=False)
        program.save('external.onnx', external_data=True)
    else:
        model = onnx.load('script.onnx')
        onnx.save(model, 'external.onnx', save_as_external_data=True, location='external.onnx.data', size_threshold=0)
    return {path.name: of_onnx(path.name) for path in sorted(pathlib.Path('.').glob('*.onnx'))}


def write():
    torch.manual_seed(1)
    checkpoints = {**save_checkpoints(), **save_scripts(), **save_onnx()}
    return {'versions': {'python': platform.python_version(), 'torch': torch.__version__, 'numpy': numpy.__version__, 'onnx': onnx.__version__},
            'checkpoints': checkpoints, 'events': write_pytorch_events.write(tensorboard.SummaryWriter, Net())}
