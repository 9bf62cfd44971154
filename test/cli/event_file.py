"""TensorBoard event files as a script would write them, for scripts that have no library for it.

`source()` is the text of a module: put it beside a script as event_file.py."""

import pathlib
import struct
import time
import zlib


def _crc_table():
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82f63b78 if byte & 1 else 0)
        table.append(byte)
    return table


_TABLE = _crc_table()


def _masked_crc(data):
    crc = 0xffffffff
    for byte in data:
        crc = _TABLE[(crc ^ byte) & 255] ^ crc >> 8
    crc ^= 0xffffffff
    return ((crc >> 15 | crc << 17) + 0xa282ead8) & 0xffffffff


def _varint(number):
    out = b''
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def _sized(field, data):
    return bytes([field << 3 | 2]) + _varint(len(data)) + data


def _record(data):
    length = struct.pack('<Q', len(data))
    return length + struct.pack('<I', _masked_crc(length)) + data + struct.pack('<I', _masked_crc(data))


def _event(step, value, wall_time=None):
    event = b'\x09' + struct.pack('<d', time.time() if wall_time is None else wall_time) + b'\x10' + _varint(step)
    return _record(event + _sized(5, _sized(1, value)))


def scalar(step, tag, value, wall_time=None):
    """One record: a scalar of a tag at a step."""
    return _event(step, _sized(1, tag.encode()) + b'\x15' + struct.pack('<f', value), wall_time)


def _plugin(name, content=b''):
    return _sized(9, _sized(1, _sized(1, name.encode()) + _sized(2, content)))


def _tensor(kind, shape, elements):
    dimensions = b''.join(_sized(2, b'\x08' + _varint(size)) for size in shape)
    return _sized(8, b'\x08' + bytes([kind]) + _sized(2, dimensions) + elements)


def _strings(step, tag, plugin, strings):
    tensor = _tensor(7, [len(strings)], b''.join(_sized(8, each) for each in strings))
    return _event(step, _sized(1, tag.encode()) + _plugin(plugin) + tensor)


def image(step, tag, *encoded, size=(1, 1)):
    """The images of a tag at a step, with the width and height that they are said to have."""
    return _strings(step, tag, 'images', [b'%d' % each for each in size] + list(encoded))


def text(step, tag, *texts):
    return _strings(step, tag, 'text', [each.encode() for each in texts])


def histogram(step, tag, buckets):
    """`buckets`: of (left, right, count)."""
    content = b''.join(struct.pack('<3d', *bucket) for bucket in buckets)
    return _event(step, _sized(1, tag.encode()) + _plugin('histograms') + _tensor(2, [len(buckets), 3], _sized(4, content)))


def hyperparameters(values, group=''):
    """The start of a session of the plugin `hparams`."""
    start = _sized(4, group.encode())
    for name, value in values.items():
        if isinstance(value, bool):
            written = b'\x20' + bytes([value])
        elif isinstance(value, str):
            written = _sized(3, value.encode())
        else:
            written = b'\x11' + struct.pack('<d', value)
        start += _sized(1, _sized(1, name.encode()) + _sized(2, written))
    return _event(0, _sized(1, b'_hparams_/session_start_info') + _plugin('hparams', _sized(3, start)))


def png(width, height, colour_of):
    """An image of 8 bits a colour; `colour_of(x, y)` is (red, green, blue)."""
    def chunk(name, data):
        return struct.pack('>I', len(data)) + name + data + struct.pack('>I', zlib.crc32(name + data))
    rows = b''.join(b'\0' + b''.join(bytes(colour_of(x, y)) for x in range(width)) for y in range(height))
    head = struct.pack('>IIBBBBB', width, height, 8, 2, 0, 0, 0)
    return b'\x89PNG\r\n\x1a\n' + chunk(b'IHDR', head) + chunk(b'IDAT', zlib.compress(rows)) + chunk(b'IEND', b'')


def source():
    return pathlib.Path(__file__).read_text()
