"""The part of a pickle that arrays of numbers need, read as data: nothing that a pickle names is imported or called.

A pickle is a program for a machine with a stack. The opcodes below are all that NumPy's arrays in a dict take, in every
protocol; any other one, and any name that makes no array, is refused. What the program "calls" is kept as a note of the
call, and an array is made of such a note by this module: from its bytes, as one of a dozen plain types, if their number
is that of its shape. So a pickle can make nothing but numbers, and no more of them than it has bytes.
"""

import pickletools
from collections.abc import Callable, Mapping
from math import prod
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

LARGEST_BYTES = 64 * 2**20
"""Of a pickle. ACT's statistics take some kilobytes, with the example trajectory in them a few hundred."""
_MOST_STEPS = 200_000
_KINDS = ("f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "b1")
_RECONSTRUCT, _SCALAR, _BUFFER = "_reconstruct", "scalar", "_frombuffer"
_NAMES = {
    ("numpy", "ndarray"), ("numpy", "dtype"), ("_codecs", "encode"),
    *((f"numpy.{core}.multiarray", maker) for core in ("core", "_core") for maker in (_RECONSTRUCT, _SCALAR)),
    *((f"numpy.{core}.numeric", _BUFFER) for core in ("core", "_core")),
}  # fmt: skip
"""Everything that a pickled array of numbers names, before NumPy 2 and since (`_codecs.encode`: protocol 2's bytes)."""


class Refused(Exception):
    """The pickle is no dict of arrays; the text says what it is instead."""


class _Name(NamedTuple):
    """Something that the pickle names."""

    module: str
    name: str


class _Call:
    """Something that the pickle would have called, and the state it would have given the result."""

    def __init__(self, name: str, arguments: tuple[Any, ...]) -> None:
        self.name, self.arguments = name, arguments
        self.state: Any = None


_MARK = object()


class _Machine:
    """Runs one pickle's program on notes instead of objects."""

    def __init__(self) -> None:
        self.stack: list[Any] = []
        self._memo: dict[int, Any] = {}
        self._numbers = 0

    def step(self, opcode: str, argument: Any) -> None:
        """One instruction. Refused for one that arrays do not need."""
        if opcode in _CONSTANTS:
            self.stack.append(_CONSTANTS[opcode]())
        elif opcode in _LITERALS:
            self.stack.append(argument)
        elif opcode in _STRUCTURE:
            _STRUCTURE[opcode](self, argument)
        elif opcode not in _NOTHING:
            raise Refused(f"its instruction {opcode} is none that arrays need")

    def name(self, argument: Any) -> None:
        """GLOBAL ("module name") and STACK_GLOBAL."""
        if argument is None:
            name, module = self.stack.pop(), self.stack.pop()
        else:
            module, _, name = argument.partition(" ")
        if (module, name) not in _NAMES:
            raise Refused(
                f"would call {str(module)[:60]}.{str(name)[:60]}, which is no NumPy array; nothing of it was run"
            )
        self.stack.append(_Name(module, name))

    def call(self, _: Any) -> None:
        """REDUCE: note a call."""
        arguments, named = self.stack.pop(), self.stack.pop()
        if not isinstance(named, _Name) or not isinstance(arguments, tuple):
            raise Refused("it calls what is no name")
        if named.name == "encode":
            self.stack.append(_encoded(arguments))
        else:
            self.stack.append(_Call(named.name, arguments))

    def build(self, _: Any) -> None:
        """BUILD: note a state."""
        state, made = self.stack.pop(), self.stack[-1]
        if not isinstance(made, _Call):
            raise Refused("it gives a state to what is no array")
        made.state = state

    def marked(self) -> list[Any]:
        """What lies above the last mark; the mark goes too."""
        place = len(self.stack) - 1
        while self.stack[place] is not _MARK:
            place -= 1
            if place < 0:
                raise Refused("an end without a beginning")
        items = self.stack[place + 1 :]
        del self.stack[place:]
        return items

    def tuple_of(self, count: int | None) -> None:
        """Of the topmost `count`, or of what is marked."""
        if count is None:
            self.stack.append(tuple(self.marked()))
            return
        items = tuple(self.stack[len(self.stack) - count :])
        del self.stack[len(self.stack) - count :]
        self.stack.append(items)

    def set_items(self, items: list[Any]) -> None:
        """Into the dict on top."""
        into = self.stack[-1]
        if not isinstance(into, dict) or len(items) % 2 or not all(isinstance(key, str) for key in items[::2]):
            raise Refused("it is no dict of names")
        into.update(zip(items[::2], items[1::2], strict=True))

    def dict_of(self, _: Any) -> None:
        """DICT: of what is marked."""
        items = self.marked()
        self.stack.append({})
        self.set_items(items)

    def pop(self, _: Any) -> None:
        """POP."""
        self.stack.pop()

    def append(self, items: list[Any]) -> None:
        """To the list on top."""
        into = self.stack[-1]
        if not isinstance(into, list):
            raise Refused("it appends to what is no list")
        into.extend(items)

    def remember(self, place: int | None) -> None:
        """PUT and MEMOIZE."""
        self._memo[len(self._memo) if place is None else place] = self.stack[-1]

    def recall(self, place: int) -> None:
        """GET."""
        self.stack.append(self._memo[place])

    def array(self, value: Any) -> NDArray[np.float64] | None:
        """What a note stands for, as numbers; None where it stands for none."""
        if isinstance(value, int | float) and not isinstance(value, bool):
            return np.array(float(value))
        if not isinstance(value, _Call):
            return None
        data, kind, shape, order = _parts(value)
        if prod(shape) * kind.itemsize != len(data):
            raise Refused(f"an array of shape {shape} has {len(data)} bytes")
        self._numbers += prod(shape)
        if self._numbers * 8 > LARGEST_BYTES:
            raise Refused("its arrays are larger than statistics are")
        return np.frombuffer(data, kind).reshape(shape, order=order).astype(np.float64)


_CONSTANTS: dict[str, Callable[[], Any]] = {
    "MARK": lambda: _MARK, "EMPTY_DICT": dict, "EMPTY_LIST": list, "EMPTY_TUPLE": tuple,
    "NONE": lambda: None, "NEWTRUE": lambda: True, "NEWFALSE": lambda: False,
}  # fmt: skip
_LITERALS = {
    "BININT", "BININT1", "BININT2", "INT", "LONG", "LONG1", "BINFLOAT", "FLOAT", "UNICODE", "BINUNICODE",
    "SHORT_BINUNICODE", "BINUNICODE8", "BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "STRING", "BINSTRING",
    "SHORT_BINSTRING",
}  # fmt: skip
_NOTHING = {"PROTO", "FRAME", "STOP"}
_STRUCTURE: dict[str, Callable[[_Machine, Any], None]] = {
    "GLOBAL": _Machine.name, "STACK_GLOBAL": _Machine.name, "REDUCE": _Machine.call, "BUILD": _Machine.build,
    "TUPLE": lambda machine, _: machine.tuple_of(None), "TUPLE1": lambda machine, _: machine.tuple_of(1),
    "TUPLE2": lambda machine, _: machine.tuple_of(2), "TUPLE3": lambda machine, _: machine.tuple_of(3),
    "SETITEMS": lambda machine, _: machine.set_items(machine.marked()),
    "SETITEM": lambda machine, _: machine.set_items([machine.stack.pop(-2), machine.stack.pop()]),
    "APPENDS": lambda machine, _: machine.append(machine.marked()),
    "APPEND": lambda machine, _: machine.append([machine.stack.pop()]),
    "LIST": lambda machine, _: machine.stack.append(machine.marked()),
    "DICT": _Machine.dict_of, "POP": _Machine.pop,
    "PUT": _Machine.remember, "BINPUT": _Machine.remember, "LONG_BINPUT": _Machine.remember, "MEMOIZE": _Machine.remember,
    "GET": _Machine.recall, "BINGET": _Machine.recall, "LONG_BINGET": _Machine.recall,
}  # fmt: skip


def read_arrays(pickled: bytes) -> Mapping[str, NDArray[np.float64]]:
    """Name → numbers, of any shape, of a pickled dict; entries that are no numbers are left out. Nothing in it is run.

    Raises Refused for everything else.
    """
    machine = _Machine()
    held: Any = None
    try:
        for steps, (opcode, argument, _) in enumerate(pickletools.genops(pickled)):
            if steps >= _MOST_STEPS:
                raise Refused(f"it has more than {_MOST_STEPS} instructions")
            machine.step(opcode.name, argument)
        held = machine.stack.pop() if machine.stack else None
        if not isinstance(held, dict):
            raise Refused(f"is a {'call' if isinstance(held, _Call) else type(held).__name__}, not a dict of arrays")
        found = {name: machine.array(value) for name, value in held.items()}
    except (ValueError, IndexError, KeyError, TypeError, OverflowError, AttributeError) as error:
        raise Refused(f"is no pickle of arrays: {' '.join(str(error).split())[:200]}") from error
    return {name: numbers for name, numbers in found.items() if numbers is not None}


def _encoded(arguments: tuple[Any, ...]) -> bytes:
    """Bytes as protocols 0 to 2 write them."""
    text, codec = arguments
    if not isinstance(text, str) or codec not in ("latin1", "latin-1"):
        raise Refused("it encodes text as no array's bytes are")
    return text.encode("latin-1")


def _parts(made: _Call) -> tuple[bytes, np.dtype[Any], tuple[int, ...], Any]:
    """Bytes, type, shape and order of a noted array."""
    if made.name == _BUFFER:
        data, kind, shape, order = made.arguments
    elif made.name == _SCALAR:
        (kind, data), shape, order = made.arguments, (), "C"
    elif made.name == _RECONSTRUCT and isinstance(made.state, tuple) and len(made.state) == 5:
        _, shape, kind, fortran, data = made.state
        order = "F" if fortran is True else "C"
    else:
        raise Refused(f"{made.name} without what an array is made of")
    if isinstance(data, str):  # Python 2 wrote bytes as text
        data = data.encode("latin-1")
    if isinstance(shape, int):
        shape = (shape,)
    plain = isinstance(data, bytes | bytearray) and order in ("C", "F") and isinstance(shape, tuple) and len(shape) <= 8
    if not plain or not all(isinstance(length, int) and 0 <= length <= LARGEST_BYTES for length in shape):
        raise Refused("an array's bytes or shape are none")
    return bytes(data), _kind(kind), shape, order


def _kind(noted: Any) -> np.dtype[Any]:
    """One of the plain number types: by its name, never by what else a dtype's state may say."""
    name = noted.arguments[0] if isinstance(noted, _Call) and noted.name == "dtype" and noted.arguments else None
    if isinstance(name, bytes):
        name = name.decode("latin-1")
    if not isinstance(name, str) or name not in _KINDS:
        raise Refused(f"holds an array of {str(name)[:20]!r}, which are no numbers")
    state = noted.state
    order = state[1] if isinstance(state, tuple) and len(state) >= 2 else "|"
    order = order.decode("latin-1") if isinstance(order, bytes) else order
    if order not in ("<", ">", "|", "="):
        raise Refused("a byte order that is none")
    return np.dtype(("<" if order in ("|", "=") else order) + name)
