"""The keyboard: one key at a time from a terminal, also over SSH; the terminal is always put back as it was."""

import contextlib
import os
import sys
import termios
import tty
from types import TracebackType
from typing import NamedTuple, Self

from station.errors import UsageError

_ESCAPES = {
    "[A": "up", "[B": "down", "[C": "right", "[D": "left", "OA": "up", "OB": "down", "OC": "right", "OD": "left",
    "[3~": "delete", "[H": "home", "[F": "end",
}  # fmt: skip
_NAMES = {" ": "space", "\r": "enter", "\n": "enter", "\x7f": "backspace", "\x08": "backspace", "\t": "tab"}
_LONGEST_ESCAPE = 8


class Decoded(NamedTuple):
    """Keys by name (`space`, `left`) or as the character they type, and bytes that are not a whole key yet."""

    keys: tuple[str, ...]
    rest: bytes


def decode(data: bytes) -> Decoded:
    """Bytes of a terminal as keys. What may still become a longer key is left in `rest`. Pure."""
    keys: list[str] = []
    while data:
        if data[0] == 0x1B:
            name, length = _escape(data)
        else:
            name, length = _character(data)
        if length == 0:
            break
        if name:
            keys.append(name)
        data = data[length:]
    return Decoded(tuple(keys), data)


def _escape(data: bytes) -> tuple[str, int]:
    """An escape sequence at the beginning: its name ("" if it means nothing here) and length, 0 if it is not whole."""
    text = data[1:_LONGEST_ESCAPE].decode("ascii", "replace")
    if not text:
        return "", 0
    if text[0] not in "[O":
        return "escape", 1
    for place, character in enumerate(text[1:], 1):
        if "@" <= character <= "~":
            return _ESCAPES.get(text[: place + 1], ""), place + 2
    return ("", 0) if len(text) < _LONGEST_ESCAPE - 1 else ("escape", 1)


def _character(data: bytes) -> tuple[str, int]:
    for length in range(1, min(4, len(data)) + 1):
        with contextlib.suppress(UnicodeDecodeError):
            character = data[:length].decode()
            return _NAMES.get(character, character if character.isprintable() else ""), length
    return ("", 1) if len(data) >= 4 else ("", 0)


class Keyboard:
    """The terminal's keys as a descriptor for a poller. Ctrl-C stays a signal; Ctrl-Z and Ctrl-S do nothing."""

    def __init__(self, fd: int | None = None) -> None:
        """Raises UsageError if there is no terminal."""
        self.fd = sys.stdin.fileno() if fd is None else fd
        if not os.isatty(self.fd):
            raise UsageError(
                "there is no terminal to read keys from. Next: run it in a terminal (ssh -t), or record with --headless"
            )
        self.closed = False
        """The terminal is gone."""
        self._rest = b""
        self._before = termios.tcgetattr(self.fd)

    def __enter__(self) -> Self:
        mode = termios.tcgetattr(self.fd)
        tty.cfmakecbreak(mode) if hasattr(tty, "cfmakecbreak") else self._cbreak(mode)
        mode[0] &= ~termios.IXON
        mode[6][termios.VSUSP] = b"\x00"
        termios.tcsetattr(self.fd, termios.TCSADRAIN, mode)
        return self

    @staticmethod
    def _cbreak(mode: "list[int | list[bytes | int]]") -> None:
        """`tty.cfmakecbreak` of Python 3.12."""
        lflag, special = mode[3], mode[6]
        assert isinstance(lflag, int)
        assert isinstance(special, list)
        mode[3] = lflag & ~(termios.ECHO | termios.ICANON)
        special[termios.VMIN], special[termios.VTIME] = 1, 0

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(termios.error):  # the terminal may be gone
            termios.tcsetattr(self.fd, termios.TCSADRAIN, self._before)

    def read(self) -> tuple[str, ...]:
        """The keys that are there; call it when the descriptor is readable."""
        try:
            data = os.read(self.fd, 1024)
        except OSError:
            data = b""
        if not data:
            self.closed = True
            return ()
        decoded = decode(self._rest + data)
        self._rest = decoded.rest
        return decoded.keys

    def idle(self) -> tuple[str, ...]:
        """Nothing came for a while: a lone ESC was the key, not the beginning of another."""
        if self._rest != b"\x1b":
            return ()
        self._rest = b""
        return ("escape",)
