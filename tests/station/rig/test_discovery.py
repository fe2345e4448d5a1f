import msgspec
import pytest

from station.errors import DeviceMissing, UsageError
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


def test_two_devices_that_one_rule_would_match_are_refused() -> None:
    one = Found(
        "camera", "C922", "/dev/video0", "/dev/video0", "", rule='ATTRS{serial}=="1", SYMLINK+="{name}"', name="A"
    )
    other = msgspec.structs.replace(one, port="/dev/video2", stable="/dev/video2", name="B")
    with pytest.raises(UsageError, match=r"/dev/video0 and /dev/video2 cannot be told apart"):
        rules((one, other), {})
