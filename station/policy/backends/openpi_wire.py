"""The bytes between a policy server of openpi's and its clients: msgpack, arrays as maps of a certain form. Never a pickle.

array   {b"__ndarray__": true, b"data": bytes, b"dtype": "<f4", b"shape": [2, 3]}
scalar  {b"__npgeneric__": true, b"data": 1.5, b"dtype": "<f4"}
"""

from typing import Any

import msgspec
import numpy as np

from station.errors import WireError

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
    kind: np.dtype[Any] = np.dtype(value[b"dtype"])
    if kind.kind not in _NUMBERS:
        raise ValueError(f"an array of {kind}")
    return kind
