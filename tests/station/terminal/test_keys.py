import os
import pty
import termios

import pytest
from hypothesis import given
from hypothesis import strategies as st

from station.cli.operator.note import Line
from station.errors import UsageError
from station.terminal.keys import Keyboard, decode


@pytest.mark.parametrize(
    ("data", "keys"),
    [
        (b" ", ("space",)),
        (b"\r", ("enter",)),
        (b"sf?", ("s", "f", "?")),
        (b"\x1b[D", ("left",)),
        (b"\x1bOD", ("left",)),
        (b"\x1b[1;5Dd", ("d",)),  # Ctrl-left means nothing, and eats nothing
        ("ü€".encode(), ("ü", "€")),
        (b"\x7f", ("backspace",)),
        (b"\x1bq", ("escape", "q")),
        (b"\x01", ()),
    ],
)
def test_keys_by_name(data: bytes, keys: tuple[str, ...]) -> None:
    assert decode(data) == (keys, b"")


@pytest.mark.slow
@given(st.lists(st.sampled_from([b"\x1b[D", b" ", b"s", "ü".encode(), b"\x1b[3~", b"\r"])), st.integers(0, 20))
def test_where_the_bytes_are_cut_makes_no_difference(parts: list[bytes], cut: int) -> None:
    data = b"".join(parts)
    first = decode(data[:cut])
    second = decode(first.rest + data[cut:])
    assert first.keys + second.keys == decode(data).keys
    assert second.rest == b""


@given(st.binary(max_size=40))
def test_whatever_comes_it_is_eaten_but_for_the_beginning_of_a_key(data: bytes) -> None:
    assert len(decode(data).rest) < 8


def test_the_terminal_is_put_back_also_after_an_error() -> None:
    master, slave = pty.openpty()
    try:
        before = termios.tcgetattr(slave)
        with pytest.raises(ZeroDivisionError), Keyboard(slave) as keyboard:
            inside = termios.tcgetattr(slave)
            assert not inside[3] & (termios.ECHO | termios.ICANON)
            assert inside[3] & termios.ISIG, "Ctrl-C stays a signal"
            os.write(master, b"s\x1b")
            assert keyboard.read() == ("s",)
            assert keyboard.idle() == ("escape",)
            assert keyboard.idle() == ()
            raise ZeroDivisionError
        assert termios.tcgetattr(slave) == before
    finally:
        os.close(master)
        os.close(slave)


def test_a_terminal_that_goes_away_is_noticed() -> None:
    master, slave = pty.openpty()
    with Keyboard(slave) as keyboard:
        os.close(master)
        assert keyboard.read() == ()
        assert keyboard.closed
    os.close(slave)


def test_without_a_terminal_it_says_what_to_do(tmp_path: object) -> None:
    read, write = os.pipe()
    with pytest.raises(UsageError, match="--headless"):
        Keyboard(read)
    os.close(read)
    os.close(write)


def test_a_note_is_typed_mended_kept_or_dropped() -> None:
    line = Line()
    for key in ("g", "r", "x", "backspace", "i", "p", "space", "l", "left", "8"):
        line = line.typed(key)
    assert line == Line("grip l8")
    assert line.typed("enter") == Line("grip l8", True)
    assert line.typed("escape").keep is False
    assert Line("  ").typed("enter").keep is False
