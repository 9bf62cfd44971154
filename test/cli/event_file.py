"""TensorBoard event files as a script would write them, for scripts that have no library for it.

`source()` is the text of a module: put it beside a script as event_file.py."""

import pathlib
import struct
import time


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


def scalar(step, tag, value, wall_time=None):
    """One record: a scalar of a tag at a step."""
    inner = _sized(1, tag.encode()) + b'\x15' + struct.pack('<f', value)
    event = b'\x09' + struct.pack('<d', time.time() if wall_time is None else wall_time) + b'\x10' + _varint(step)
    return _record(event + _sized(5, _sized(1, inner)))


def source():
    return pathlib.Path(__file__).read_text()
