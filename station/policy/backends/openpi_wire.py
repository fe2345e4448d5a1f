"""The bytes between a policy server of openpi's and its clients: msgpack, arrays as maps of a certain form. Never a pickle.

array   {b"__ndarray__": true, b"data": bytes, b"dtype": "<f4", b"shape": [2, 3]}
scalar  {b"__npgeneric__": true, b"data": 1.5, b"dtype": "<f4"}
"""

import json
from typing import Any

import msgspec
import numpy as np

from station.errors import WireError
from station.terminal.shown import shown

_LONGEST = 300
"""Characters of somebody else's text that are shown."""
_NUMBERS = "biuf"
"""NumPy's kinds that may cross: booleans, integers, floats. Objects, structures and strings may not."""


def pack(message: Any) -> bytes:
    """A message of maps, lists, texts, numbers and arrays."""
    return msgspec.msgpack.encode(message, enc_hook=_packed)


def _packed(value: Any) -> Any:
    if isinstance(value, np.ndarray) and value.dtype.kind in _NUMBERS:
        return {b"__ndarray__": True, b"data": value.tobytes(), b"dtype": value.dtype.str, b"shape": value.shape}
    if isinstance(value, np.generic) and value.dtype.kind in _NUMBERS:
        return {b"__npgeneric__": True, b"data": value.item(), b"dtype": value.dtype.str}
    raise TypeError(f"{type(value).__name__} cannot be sent")


def unpack(data: bytes) -> Any:
    """The message, arrays read-only. Raises WireError: bytes that are none, an array that is not of numbers or not of its
    length.
    """
    try:
        return _unpacked(msgspec.msgpack.decode(data))
    except (msgspec.DecodeError, ValueError, TypeError, KeyError, RecursionError) as error:
        raise WireError(f"no message of a policy server: {error}") from error


def _unpacked(value: Any) -> Any:
    if isinstance(value, list):
        return [_unpacked(one) for one in value]
    if not isinstance(value, dict):
        return value
    if b"__ndarray__" in value:
        return np.frombuffer(value[b"data"], _numbers(value)).reshape(value[b"shape"])
    if b"__npgeneric__" in value:
        return _numbers(value).type(value[b"data"])
    return {key: _unpacked(one) for key, one in value.items()}


def _numbers(value: dict[Any, Any]) -> np.dtype[Any]:
    if not isinstance(value[b"dtype"], str):
        raise ValueError("an array whose dtype is no text")
    kind: np.dtype[Any] = np.dtype(value[b"dtype"])
    if kind.kind not in _NUMBERS:
        raise ValueError(f"an array of {kind}")
    return kind


def brief(text: object) -> str:
    """Somebody else's text as one line to look at, cut where it is long."""
    line = shown(str(text)[:_LONGEST])
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def told(answer: Any) -> str:
    """What came instead of `{actions: array}`, in words: the server's own error first, then the dialect, then the keys."""
    if not isinstance(answer, dict):
        return f"{_form(answer)} instead of a map"
    names = {_name(key): value for key, value in answer.items()}
    error = next((names[key] for key in ("error", "detail", "message", "traceback") if names.get(key)), None)
    if error is not None and "actions" not in names:
        return f"its error: {brief(last_line(str(error)))}"
    if "actions" not in names:
        return f"a map of {brief(', '.join(names)) or 'nothing'}, and no actions in it"
    if "actions" not in answer:
        return "actions under a key of bytes: another dialect of msgpack than openpi's"
    return f"actions as {_form(names['actions'])}"


def _name(key: Any) -> str:
    return key.decode(errors="replace") if isinstance(key, bytes) else str(key)


def _form(value: Any) -> str:
    if isinstance(value, dict):
        keys = {_name(key) for key in value}
        if {"nd", "data"} <= keys:
            return "an array in msgpack-numpy's dialect (nd, type, shape, data), which is not openpi's"
        return f"a map of {brief(', '.join(sorted(keys))) or 'nothing'}"
    if isinstance(value, list):
        sizes: list[str] = []
        inner: Any = value
        while isinstance(inner, list) and len(sizes) < 8:
            sizes.append(str(len(inner)))
            inner = inner[0] if inner else None
        return f"a plain list of {' × '.join(sizes)}, not an array as openpi packs it"
    if isinstance(value, str):
        return f"a text: {brief(last_line(value))}"
    return "nothing" if value is None else f"a {type(value).__name__}"


def described(message: Any) -> str:
    """A message as text: the same for the same content, arrays as lists."""
    return json.dumps(_plain(message), sort_keys=True, ensure_ascii=False)


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {_name(key): _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    return value if isinstance(value, str | int | float | bool | None) else repr(value)


def last_line(trace: str) -> str:
    """Of a trace, where its error is."""
    lines = trace.strip().splitlines()
    return lines[-1] if lines else "an empty one"
