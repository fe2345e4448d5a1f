from pathlib import Path

import pytest

from station.files import calibration_files
from station.files.calibration_files import Calibration
from station.rig import usb


class Tree:
    """/sys/class/video4linux and the devices behind it."""

    def __init__(self, root: Path) -> None:
        self.nodes, self.devices = root / "class", root / "devices"
        self.nodes.mkdir()

    def add(self, name: str, socket: str, serial: str, interface: str = "1.0", below: str = "") -> Path:
        device = self.devices / "usb1" / socket
        there = device / f"{socket}:{interface}" / below
        there.mkdir(parents=True, exist_ok=True)
        (device / "idVendor").write_text("046d\n")
        (self.devices / "usb1" / "idVendor").write_text("1d6b\n")
        (self.devices / "usb1" / "serial").write_text("0000:00:14.0\n")
        if serial:
            (device / "serial").write_text(f"{serial}\n")
        node = self.nodes / name
        node.mkdir()
        (node / "device").symlink_to(there)
        return node

    def behind(self, node: Path) -> usb.Usb:
        found = usb.behind(node, self.nodes.iterdir())
        assert found is not None
        return found


@pytest.fixture
def tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return Tree(tmp_path)


def test_a_serial_of_its_own_is_a_name(tree: Tree) -> None:
    node = tree.add("video0", "1-1", "A1")
    tree.add("video2", "1-2", "B2")
    found = tree.behind(node)
    assert (found.identity, found.by_place, found.advice) == ("A1", False, "")
    assert found.attribute("idVendor") == "046d"


def test_twins_go_by_their_socket(tree: Tree) -> None:
    one, other = tree.add("video0", "1-1", "0001"), tree.add("video2", "1-2.3", "0001")
    assert tree.behind(one).identity == "0001@1-1:1.0"
    assert tree.behind(other).identity == "0001@1-2.3:1.0"
    assert "0001 is another's too (video0)" in tree.behind(other).advice
    assert "1-2.3:1.0" in tree.behind(other).advice


def test_halves_of_one_device_go_by_their_interface(tree: Tree) -> None:
    colour, infrared = tree.add("video0", "1-1", "0001"), tree.add("video2", "1-1", "0001", "1.2")
    assert {tree.behind(colour).identity, tree.behind(infrared).identity} == {"0001@1-1:1.0", "0001@1-1:1.2"}


def test_who_was_calibrated_as_a_twin_stays_one_while_the_other_is_out(tree: Tree) -> None:
    node = tree.add("video0", "1-1", "0001")
    assert tree.behind(node).identity == "0001"
    calibration_files.save(Calibration("0001@1-1:1.0", "cam_high", "C922"))
    assert tree.behind(node).identity == "0001@1-1:1.0"


def test_without_a_serial_the_socket_is_told_and_no_hub_lends_its_own(tree: Tree) -> None:
    one, other = tree.add("video0", "1-1", ""), tree.add("video2", "1-2", "")
    assert (tree.behind(one).identity, tree.behind(one).twins) == ("", ())
    assert tree.behind(other).by_place
    assert "no serial number" in tree.behind(other).advice


def test_a_serial_port_hangs_deeper(tree: Tree) -> None:
    node = tree.add("ttyUSB0", "1-1", "FT1", below="ttyUSB0")
    assert (tree.behind(node).place, tree.behind(node).identity) == ("1-1:1.0", "FT1")


def test_what_is_not_on_usb_is_none(tree: Tree) -> None:
    (tree.nodes / "ttyS0").mkdir()
    assert usb.behind(tree.nodes / "ttyS0", tree.nodes.iterdir()) is None
    assert usb.behind(tree.nodes / "none", ()) is None
