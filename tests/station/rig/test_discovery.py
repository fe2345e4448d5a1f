import itertools
from collections.abc import Generator

import msgspec
import pytest

from station.clock import NS_PER_S
from station.errors import DeviceMissing, DeviceSilent, UsageError
from station.rig import discovery as found
from station.rig.discovery import Found, discover, rules

ARM = Found(
    "arm",
    "vx300s",
    "/dev/ttyUSB0",
    "/dev/serial/by-id/usb-FT1",
    "FT1",
    rule='ATTRS{serial}=="FT1", SYMLINK+="{name}"',
    name="ttyDXL_follower",
)
OTHER = msgspec.structs.replace(
    ARM, port="/dev/ttyUSB1", stable="/dev/ttyUSB1", serial="FT2", rule='ATTRS{serial}=="FT2", SYMLINK+="{name}"'
)
CAMERA = Found("camera", "D405", "128", "128", "128")


class Good:
    def find(self, ports: tuple[str, ...]) -> list[Found]:
        return [ARM, CAMERA] if not ports else []


class Bad:
    def find(self, ports: tuple[str, ...]) -> list[Found]:
        raise DeviceMissing("x", "y", "z", "nothing", "install it")


def test_one_finder_that_fails_does_not_hide_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "finders", lambda: {"bad": Bad(), "good": Good()})
    discovered = discover()
    assert discovered.found == (ARM, CAMERA)
    assert "bad" in discovered.failures[0]
    assert "install it" in discovered.failures[0]


def test_the_shipped_finders_are_declared() -> None:
    assert set(found.finders()) >= {"dynamixel", "cameras"}


def test_rules_take_the_names_asked_for() -> None:
    text = rules([ARM, OTHER, CAMERA], {"FT1": "ttyDXL_follower_left", "/dev/ttyUSB1": "ttyDXL_follower_right"})
    assert 'SYMLINK+="ttyDXL_follower_left"' in text
    assert 'SYMLINK+="ttyDXL_follower_right"' in text
    assert "D405" not in text


def test_two_devices_of_one_name_are_refused() -> None:
    with pytest.raises(UsageError, match="--name"):
        rules([ARM, OTHER], {})


def test_a_name_for_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="FT9"):
        rules([ARM], {"FT9": "x"})


def test_no_baud_setter_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(found, "finders", lambda: {"good": Good()})
    with pytest.raises(UsageError):
        found.set_baud("/dev/ttyUSB0", 1_000_000)


class Camera(Good):
    """Its first pictures are too dark."""

    def __init__(self, *taken: bytes | None) -> None:
        self.taken, self.closed = taken, 0

    def pictures(self, found: Found) -> Generator[bytes | None, None, None]:
        try:
            if found is not CAMERA:
                raise DeviceMissing("x", found.port, "a camera", "another's", "ask another")
            yield from self.taken
            while True:
                yield None
        finally:
            self.closed += 1


def test_a_picture_is_taken_once_the_exposure_fits_and_the_camera_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    other, camera = Camera(), Camera(*(b"%d" % number for number in range(40)))
    monkeypatch.setattr(found, "finders", lambda: {"good": Good(), "camera": camera})
    assert found.picture(CAMERA) == b"14"
    assert camera.closed == 1
    stranger = msgspec.structs.replace(CAMERA, port="129")
    with pytest.raises(DeviceMissing, match="another's"):
        found.picture(stranger)
    monkeypatch.setattr(found, "finders", lambda: {"other": other})
    with pytest.raises(DeviceMissing):
        found.picture(stranger)
    monkeypatch.setattr(found, "finders", lambda: {"good": Good()})
    with pytest.raises(UsageError, match="no installed driver takes a picture with D405"):
        found.picture(CAMERA)
    with pytest.raises(UsageError, match="no installed driver reads vx300s"):
        next(found.joints(ARM))


def test_a_camera_that_takes_none_is_called_silent_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    camera, clock = Camera(None, b"one"), itertools.count(0, NS_PER_S)
    monkeypatch.setattr(found, "finders", lambda: {"camera": camera})
    taken = found.pictures(CAMERA, lambda: next(clock))
    assert [next(taken) for _ in range(5)] == [None, b"one", None, None, None]
    with pytest.raises(DeviceSilent, match="D405 on 128: expected a picture; found none came"):
        list(taken)
    assert camera.closed == 1


def test_whoever_stops_looking_closes_it(monkeypatch: pytest.MonkeyPatch) -> None:
    camera = Camera(b"one", b"two")
    monkeypatch.setattr(found, "finders", lambda: {"camera": camera})
    taken = found.pictures(CAMERA)
    assert (next(taken), camera.closed) == (b"one", 0)
    taken.close()
    assert camera.closed == 1


def test_two_devices_that_one_rule_would_match_are_refused() -> None:
    one = Found(
        "camera", "C922", "/dev/video0", "/dev/video0", "", rule='ATTRS{serial}=="1", SYMLINK+="{name}"', name="A"
    )
    other = msgspec.structs.replace(one, port="/dev/video2", stable="/dev/video2", name="B")
    with pytest.raises(UsageError, match=r"/dev/video0 and /dev/video2 cannot be told apart"):
        rules((one, other), {})
