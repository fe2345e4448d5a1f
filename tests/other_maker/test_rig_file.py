"""Where an arm is: at a port or at an address, one of them; and whether it is the rig's own world that stands there."""

from pathlib import Path

import msgspec
import pytest

from station.errors import RigError
from station.files.runtime_folder import runtime_folder
from station.rig import entries
from station.rig.entries import world_address
from station.rig.rig import load_rig


class Either(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Settings of an arm that has a serial port and a network socket."""

    port: str = ""
    address: str = ""


class EitherArm:
    Settings = Either


def written(folder: Path, arm: str, world: str = "", name: str = "places") -> Path:
    path = folder / f"{name}.yaml"
    path.write_text(f"name: {name}\n{world}\narms: {{left: {{follower: {arm}}}}}\n")
    return path


@pytest.fixture
def either(monkeypatch: pytest.MonkeyPatch) -> None:
    known = dict(entries.installed("station.drivers"))
    of = lambda group: {**known, "either": f"{__name__}:EitherArm"} if group == "station.drivers" else {"bench": "x:Y"}  # noqa: E731
    monkeypatch.setattr(entries, "installed", of)


@pytest.mark.usefixtures("runtime", "either")
@pytest.mark.parametrize(
    ("arm", "told"),
    [
        ("{driver: either}", "an arm is at one place, and this one has no port or address. Fix: give a serial port"),
        ("{driver: either, port: '', address: ''}", "no port or address"),
        ("{driver: either, port: /dev/x, address: 10.0.0.1}", "both port /dev/x and address 10.0.0.1"),
        ("{driver: acme, port: /dev/x}", "unknown field `port`"),
        ("{driver: acme, address: ''}", "no address. Fix: give a network address, such as address: 192.168.1.10"),
        ("{driver: dynamixel, model: vx300s, generation: aloha1, address: 10.0.0.1}", "unknown field `address`"),
    ],
)
def test_an_arm_is_at_one_place(tmp_path: Path, arm: str, told: str) -> None:
    with pytest.raises(RigError) as error:
        load_rig(written(tmp_path, arm))
    assert told in str(error.value)


@pytest.mark.usefixtures("runtime", "either")
@pytest.mark.parametrize(
    ("arm", "world", "real"),
    [
        ("{driver: acme, address: 192.168.1.10}", "", True),
        ("{driver: acme, address: 127.71.3.2}", "", True),
        ("{driver: acme, address: localhost}", "world: {driver: bench}", True),
        ("{driver: either, port: /dev/pts/7}", "", True),
        ("{driver: either, port: /dev/ttyDXL_left}", "world: {driver: bench}", True),
        ("{driver: either, port: ports/left}", "world: {driver: bench}", False),
        ("{driver: acme, address: world/left}", "world: {driver: bench}", False),
    ],
)
def test_only_what_the_rigs_own_world_binds_is_simulated(tmp_path: Path, arm: str, world: str, real: bool) -> None:
    rig = load_rig(written(tmp_path, arm, world))
    assert rig.moves_real_arms == real
    device = rig.device("follower_left")
    assert device.networked == ("address" in arm)
    assert device.port == (device.settings.address or device.settings.port)


@pytest.mark.usefixtures("runtime")
def test_a_worlds_addresses_are_each_rigs_own(tmp_path: Path) -> None:
    world = "world: {driver: bench}"
    seen = set()
    for name in ("one", "two"):
        for arm in ("left", "right"):
            path = written(tmp_path, f"{{driver: acme, address: world/{arm}}}", world, name)
            address = load_rig(path).device("follower_left").settings.address
            assert address == world_address(runtime_folder(name), arm)
            first, second, third, last = map(int, address.split("."))
            assert first == 127 and 1 <= second <= 254 and third <= 255 and 1 <= last <= 254
            seen.add(address)
    assert len(seen) == 4
