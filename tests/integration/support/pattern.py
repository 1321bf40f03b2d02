"""Bytes that tell their position: any slice of the stream can be checked without having made the
stream."""
import random

PERIOD = 1048573  # a prime, so that no buffer size divides it
_once = random.Random(20240607).randbytes(PERIOD)
_twice = memoryview(_once * 2)


def piece(offset, length):
    """The bytes of the stream at this offset, at most PERIOD of them, without a copy."""
    begin = offset % PERIOD
    return _twice[begin : begin + min(length, PERIOD)]


def stream(offset, length):
    """The same, of any length, as a copy."""
    whole = bytearray()
    while len(whole) < length:
        whole += piece(offset + len(whole), length - len(whole))
    return bytes(whole)


def matches(offset, data):
    view = memoryview(data)
    done = 0
    while done < len(view):
        expected = piece(offset + done, len(view) - done)
        if view[done : done + len(expected)] != expected:
            return False
        done += len(expected)
    return True
