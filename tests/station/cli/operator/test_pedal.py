"""Real input_event bytes through a FIFO."""

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from station.cli.operator.learn import learned
from station.cli.operator.pedal import BOUNCE_NS, Pedal, key_code
from station.errors import DeviceForbidden, DeviceMissing, UsageError

SYN, KEY, MSC = 0, 1, 4
A, B, C, F13 = 30, 48, 46, 183


def event(kind: int, code: int, value: int) -> bytes:
    return struct.pack("llHHi", 0, 0, kind, code, value)  # struct input_event of linux/input.h


def press(code: int) -> bytes:
    """What evdev sends for a pedal that is pressed, held and released."""
    down = event(MSC, 4, 458756) + event(KEY, code, 1) + event(SYN, 0, 0)
    return down + event(KEY, code, 2) + event(SYN, 0, 0) + event(KEY, code, 0) + event(SYN, 0, 0)


@pytest.fixture
def fifo(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    path = tmp_path / "event7"
    os.mkfifo(path)
    writer = os.open(path, os.O_RDWR)
    yield path, writer
    os.close(writer)


def test_three_pedals_ask_once_a_press(fifo: tuple[Path, int]) -> None:
    path, writer = fifo
    pedal = Pedal(path)
    assert pedal.acts(0) == []
    os.write(writer, press(A) + press(B) + press(C) + press(F13))
    assert pedal.acts(10**9) == ["pedal 1", "pedal 2", "pedal 3"]
    assert pedal.acts(2 * 10**9) == []
    pedal.close()


def test_a_bouncing_contact_asks_once(fifo: tuple[Path, int]) -> None:
    path, writer = fifo
    pedal = Pedal(path)
    os.write(writer, press(A) * 3)
    assert pedal.acts(10**9) == ["pedal 1"]
    os.write(writer, press(A))
    assert pedal.acts(10**9 + BOUNCE_NS // 2) == []
    os.write(writer, press(A))
    assert pedal.acts(2 * 10**9) == ["pedal 1"]
    pedal.close()


def test_other_keys_by_name_or_number(fifo: tuple[Path, int]) -> None:
    path, writer = fifo
    pedal = Pedal(path, ("f13", "48"))
    os.write(writer, press(B) + press(F13) + press(C))
    assert pedal.acts(10**9) == ["pedal 2", "pedal 1"]
    pedal.close()
    assert key_code("KEY_A") == key_code("a") == A
    with pytest.raises(UsageError, match="station pedal"):
        Pedal(path, ("nonsense",))
    with pytest.raises(UsageError, match="1 to 4"):
        Pedal(path, ("a", "b", "c", "d", "e"))


def test_a_pedal_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(DeviceMissing, match="event9") as missing:
        Pedal(tmp_path / "event9")
    assert "/dev/input/by-id/" in str(missing.value)


def test_a_pedal_that_is_not_permitted_names_the_group(fifo: tuple[Path, int], monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", forbidden)
    with pytest.raises(DeviceForbidden, match="usermod -aG input"):
        Pedal(fifo[0])


def test_a_pedal_that_is_pulled_out_says_so_and_can_be_opened_again(tmp_path: Path) -> None:
    path = tmp_path / "event7"
    os.mkfifo(path)
    pedal = Pedal(path)
    with pytest.raises(DeviceMissing, match="it is gone"):
        pedal.codes()  # nobody writes: end of file, as an unplugged device is ENODEV
    assert pedal.fd is None
    writer = os.open(path, os.O_RDWR)
    pedal.open()
    os.write(writer, press(A))
    assert pedal.acts(0) == ["pedal 1"]
    pedal.close()
    os.close(writer)


def test_what_was_pressed_first_second_third_is_the_option() -> None:
    assert learned([F13, A, F13, 999_999]) == "KEY_F13,KEY_A,999999"
