"""What a layer process and the one that it computes for say to each other on two pipes: one order, then one reply.

The layer process belongs to the candidate: a reply is read with limits and believed as far as its form goes. Tensors
go through the shared memory beside (arena.py), never through here.
"""

from __future__ import annotations

import json
import os
import struct
from enum import IntEnum
from typing import Any, NamedTuple

from asi_kernels.requests import parse_json

_ORDER = struct.Struct("<BIII")
_REPLY = struct.Struct("<BI")
LARGEST_REPLY_BYTES = 4 << 20


class Order(IntEnum):
    """What is asked for. With it go a number (of the task, or of the layer), and rows and tokens of the layer's x."""

    BUILD = 1
    """Make the mixers of a task and declare their tensors; initial values go to the arena."""
    FORWARD = 2
    """Read x, write y, of a layer. In training, for layer 0, the parameters are read first."""
    BACKWARD = 3
    """Read the gradient of y, write that of x, of a layer. After layer 0 the parameters' gradients are written."""
    KEEP = 4
    """Write what a trial must have to go on later: buffers, frozen parameters, the state of random numbers."""
    RESTORE = 5
    """Read the same."""
    LOAD = 6
    """Read every tensor, buffers and frozen parameters too: those of a snapshot."""


class Answer(IntEnum):
    """How a reply begins: done, done and here is JSON, or failed and here is why."""

    DONE = 0
    DECLARED = 1
    FAILED = 2


class Gone(Exception):
    """The other side has closed its end: it is dead, or wants no more."""


class UnreadableReply(Exception):
    """A reply that is none; the message says in what way."""


class Asked(NamedTuple):
    order: Order
    number: int = 0
    rows: int = 0
    length: int = 0


class Reply(NamedTuple):
    answer: Answer
    content: Any


def send_order(descriptor: int, asked: Asked) -> None:
    try:
        os.write(descriptor, _ORDER.pack(*asked))
    except BrokenPipeError as error:
        raise Gone from error


def next_order(descriptor: int) -> Asked:
    """Waits for the next one. Raises Gone when the other side has closed its end."""
    order, number, rows, length = _ORDER.unpack(_read(descriptor, _ORDER.size))
    return Asked(Order(order), number, rows, length)


def send_reply(descriptor: int, answer: Answer, content: Any = None) -> None:
    body = b"" if content is None else json.dumps(content).encode()
    message = _REPLY.pack(answer, len(body)) + body
    while message:
        message = message[os.write(descriptor, message) :]


def read_reply(descriptor: int) -> Reply:
    """Waits for the layer process. Raises Gone when it is dead, UnreadableReply for what no honest one says."""
    answer, length = _REPLY.unpack(_read(descriptor, _REPLY.size))
    if answer not in tuple(Answer) or length > LARGEST_REPLY_BYTES:
        raise UnreadableReply(f"it began a reply with {answer} and {length:,} bytes")
    if length == 0:
        return Reply(Answer(answer), None)
    try:
        return Reply(Answer(answer), parse_json(_read(descriptor, length)))
    except ValueError as error:
        raise UnreadableReply(f"its reply is not usable JSON ({error})") from error


def _read(descriptor: int, length: int) -> bytes:
    pieces = b""
    while len(pieces) < length:
        piece = os.read(descriptor, length - len(pieces))
        if not piece:
            raise Gone
        pieces += piece
    return pieces
