"""`station rig new`: what it asks, what somebody sees meanwhile, and the file that comes of it."""

import json
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from station.cli import app, sights
from station.cli.new_rig import make
from station.clock import NS_PER_MS
from station.errors import DeviceMissing, DeviceSilent, StationError, UsageError
from station.rig import discovery
from station.rig.choice import rig_of
from station.rig.discovery import Found, Joints
from station.rig.rig import load_rig, own_rigs
from station.steps.protocol import GO_ON, Step, Typed
from tests.station.steps.inside import as_a_job

LEADER = Found(
    "arm", "wx250s (USB Serial)", "/dev/ttyUSB0", "/dev/serial/by-id/usb-FT1", "FT1",
    suggestion=("leader: {driver: dynamixel, model: wx250s, port: /dev/serial/by-id/usb-FT1, rate_hz: 200, generation: aloha1}",),
)  # fmt: skip
FOLLOWER = msgspec.structs.replace(
    LEADER, model="vx300s (USB Serial)", port="/dev/ttyUSB1", serial="FT2", advice=("latency timer is 16 ms",),
    suggestion=("follower: {driver: dynamixel, model: vx300s, port: /dev/serial/by-id/usb-FT2, rate_hz: 200, generation: aloha1}",),
)  # fmt: skip
GELLO = msgspec.structs.replace(
    LEADER, model="gello", port="/dev/ttyUSB2", serial="FT3",
    suggestion=(
        "leader: {driver: dynamixel, model: gello, port: /dev/serial/by-id/usb-FT3, rate_hz: 100, baud: 1000000,",
        "         ids: [1, 2, 3, 4, 5, 6, 7], signs: [1, 1, 1, 1, 1, 1], offsets_rad: [0.0, 0.0, 0.0, 0.0, 0.0, 0.0],",
        "         gripper: {open_rad: 0.0, close_rad: 1.0}}",
        "# signs, offsets and gripper are placeholders: `station calibrate gello` finds them",
    ),
)  # fmt: skip
SILENT = Found("adapter", "USB Serial", "/dev/ttyUSB9", "/dev/ttyUSB9", "FT9", advice=("check the arm's power",))
WEBCAM = Found(
    "camera", "C922", "/dev/video0", "/dev/v4l/by-id/usb-C922-C1", "C1",
    suggestion=("cam_high: {driver: opencv, source: /dev/v4l/by-id/usb-C922-C1, width: 640, height: 480, fps: 60}",),
)  # fmt: skip
DARK = msgspec.structs.replace(
    WEBCAM, port="/dev/video2", serial="C2",
    suggestion=("cam_high: {driver: opencv, source: /dev/v4l/by-id/usb-C922-C2, width: 640, height: 480, fps: 30}",),
)  # fmt: skip
JPEG = b"\xff\xd8 what it sees"


class Plugged:
    """What is plugged in; arms stand where the test says."""

    def __init__(self, *found: Found) -> None:
        self.all = list(found)
        self.asked: tuple[str, ...] = ()
        self.stand: dict[str, Joints | None] = {}
        self.open: list[str] = []

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        self.asked = ports
        return self.all

    def pictures(self, found: Found) -> Generator[bytes | None, None, None]:
        if found is DARK:
            raise DeviceSilent("C922", found.port, "a picture", "none came", "replug it")
        self.open.append(found.port)
        try:
            while True:
                yield JPEG
        finally:
            self.open.remove(found.port)

    def joints(self, found: Found) -> Generator[Joints | None, None, None]:
        if found.kind != "arm":
            raise UsageError("no arm")
        self.open.append(found.port)
        try:
            while True:
                if found.port not in self.stand:
                    raise DeviceMissing("servos", found.port, "an open port", "it went away", "put the cable back")
                yield self.stand[found.port]
        finally:
            self.open.remove(found.port)


class Person:
    """Answers in turn; "" is what is suggested. Whoever sees something may do something meanwhile, by the words of the question."""

    def __init__(self, *answers: str, looks: bool = False) -> None:
        self._answers = list(answers)
        self.looks = looks
        self.told: list[str] = []
        self.asked: list[Step] = []
        self.seen: list[tuple[str, Mapping[str, float | str], bytes]] = []
        self.does: Callable[[str], object] = lambda _: None

    def tell(self, words: str) -> None:
        self.told.append(words)

    def ask(
        self, words: str, answers: tuple[str, ...] = (GO_ON,), meanwhile: Callable[[], None] = lambda: None,
        *, typed: Typed | None = None, suggested: str = "",
    ) -> str:  # fmt: skip
        step = Step(len(self.asked) + 1, words, answers, typed=typed, suggested=suggested)
        self.asked.append(step)
        meanwhile()
        self.does(words)
        meanwhile()
        given = self._answers.pop(0) or suggested
        assert step.allows(given), (words, given)
        return given

    def look(self, words: str, values: Mapping[str, float | str] | None = None, picture: bytes = b"") -> None:
        assert self.looks
        self.seen.append((words, values or {}, picture))


@pytest.fixture
def home(runtime: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.delenv("STATION_RIG", raising=False)
    return Path(runtime)


def plug(monkeypatch: pytest.MonkeyPatch, *found: Found) -> Plugged:
    plugged = Plugged(*found)
    monkeypatch.setattr(discovery, "finders", lambda: {"all": plugged})
    return plugged


@pytest.mark.slow
def test_it_asks_what_it_cannot_see_and_writes_a_file_that_loads(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugged = plug(monkeypatch, LEADER, FOLLOWER, GELLO, SILENT, WEBCAM, DARK)
    #                 leader      follower    a gello that is not ours   cam_high    names taken, then another
    person = Person("left", "", "", "", "skip", "", "cam_high", "session", "cam_low")
    file = make("lab", person)
    assert file == own_rigs() / "lab.yaml"
    assert f"{file} written" in person.told
    assert "left out: adapter USB Serial on /dev/ttyUSB9: check the arm's power" in person.told
    assert "'cam_high': another camera has that name" in person.told
    assert "'session': the station calls something of its own that" in person.told
    dark = next(line for line in person.told if "no picture of it" in line)
    assert dark.startswith(
        "C922 on /dev/video2: no picture of it: C922 on /dev/video2: expected a picture; found none came"
    )
    assert (own_rigs() / "lab-pictures" / "0.jpg").read_bytes() == JPEG
    assert plugged.open == [], "every camera is let go of"
    rig = load_rig(file)
    assert [device.node for device in rig.devices] == ["leader_left", "follower_left", "cam_high", "cam_low"]
    text = file.read_text()
    assert text.startswith(f"# yaml-language-server: $schema={home}/config/station/rig-file.schema.json\n")
    assert json.loads((home / "config/station/rig-file.schema.json").read_text())["title"] == "Rig file"
    assert "# wx250s (USB Serial), serial FT1; was /dev/ttyUSB0" in text and "# latency timer is 16 ms" in text
    assert rig_of("lab").file == file, "its name is enough from now on"
    first = person.asked[0]
    assert first.words == "wx250s (USB Serial) on /dev/ttyUSB0, serial FT1: which side"
    assert (first.answers, first.suggested) == (("skip",), "left") and first.typed is not None


@pytest.mark.slow
def test_an_arm_is_what_it_is_said_to_be_and_a_side_has_one_of_each(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = msgspec.structs.replace(
        FOLLOWER, port="/dev/ttyUSB4", suggestion=(FOLLOWER.suggestion[0].replace("FT2", "FT5"),)
    )
    plug(monkeypatch, FOLLOWER, other, GELLO)
    person = Person("right", "leader", "right", "", "right", "skip")
    text = make("odd", person).read_text()
    assert "leader: {driver: dynamixel, model: vx300s" in text and "follower: {driver: dynamixel, model: vx300s" in text
    assert [step.answers for step in person.asked] == [
        ("skip",), ("leader", "follower", "skip"), ("skip",), ("follower", "skip"), ("skip",), ("skip",),
    ]  # fmt: skip
    assert "'right': that side has a leader and a follower already" in person.told


def test_what_moves_in_somebodys_hand_says_which_arm_it_is(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugged = plug(monkeypatch, LEADER, FOLLOWER, GELLO)
    plugged.stand = {LEADER.port: {"waist": 6.2, "elbow": 1.0}, FOLLOWER.port: {"waist": 0.0}}
    monkeypatch.setattr(sights, "LOOK_NS", 0)
    person = Person("", "", "", "", "skip", looks=True)

    def hand(words: str) -> None:
        assert sorted(plugged.open) == [LEADER.port, FOLLOWER.port]
        if LEADER.port in words and "side" in words:
            plugged.stand[LEADER.port] = {"waist": 0.2, "elbow": 1.01}  # over the last tick: by 16°, not by 344°
        elif FOLLOWER.port in words and "side" in words:
            plugged.stand[LEADER.port] = {"waist": 0.2, "elbow": 1.5}

    person.does = hand
    make("lab", person)
    seen = [(words, values) for words, values, _ in person.seen]
    nothing = "nothing has moved yet: move an arm by hand to see which it is"
    assert seen[0] == (nothing, {"waist_deg": 355.2, "elbow_deg": 57.3})
    assert seen[1] == ("this one moved: waist, 16°", {"waist_deg": 11.5, "elbow_deg": 57.9})
    assert seen[2][0] == nothing, "what moved before a question counts no more"
    assert seen[5] == ("not this one: /dev/ttyUSB0 moved, its elbow, 28°", {"waist_deg": 0.0})
    assert seen[8][0].startswith(
        "its joints are not read: servos on /dev/ttyUSB2: expected an open port; found it went away"
    )
    assert plugged.open == [], "every port is let go of"


def test_a_port_that_comes_back_is_read_again(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plugged, now_ns = plug(monkeypatch, LEADER), 0
    person = Person(looks=True)
    arms = sights.ArmSights([LEADER], person, lambda: now_ns)
    look = arms.of(LEADER)
    for now_ns in (0, 200 * NS_PER_MS):  # noqa: B007
        look()
    assert all("it went away" in words for words, _, _ in person.seen) and len(person.seen) == 2
    plugged.stand[LEADER.port] = {"waist": 0.0}
    now_ns = sights.AGAIN_NS
    look()
    assert person.seen[-1][1] == {"waist_deg": 0.0}
    plugged.stand[LEADER.port] = None
    look()
    arms.close()
    assert plugged.open == []


def test_a_camera_is_shown_five_times_a_second_and_one_without_a_picture_says_so(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugged = plug(monkeypatch, WEBCAM, DARK)
    person = Person("", "", looks=True)
    make("lab", person)
    assert person.seen[0] == ("what it sees now", {}, JPEG)
    assert person.seen[1][0].startswith("no picture of it: C922 on /dev/video2: expected a picture; found none came")
    assert not (own_rigs() / "lab-pictures").exists() and plugged.open == []
    person.seen.clear()
    now_ns = 0
    sight = sights.CameraSight(WEBCAM, person, lambda: now_ns)
    for now_ns in range(0, 1000 * NS_PER_MS, 50 * NS_PER_MS):  # noqa: B007
        sight()
    sight.close()
    assert len(person.seen) == 5


@pytest.mark.parametrize("name", ["../lab", "My Rig", "", "a" * 25, "a" * 100_000, "-x", "lab\n", "läb"])
def test_what_is_no_name_is_refused(home: Path, name: str) -> None:
    with pytest.raises(UsageError, match="is no name for a rig"):
        make(name, Person())
    assert not own_rigs().exists()


def test_it_is_never_written_over_another_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, WEBCAM)
    file = home / "mine.yaml"
    file.write_text("precious")
    with pytest.raises(StationError, match="is there already and stays as it is"):
        make("lab", Person(), file)
    with pytest.raises(StationError, match="there is a rig sim already"):
        make("sim", Person())
    late = Person("")
    late.does = lambda _: (own_rigs() / "lab.yaml").write_text("precious")
    with pytest.raises(StationError, match="is there already and stays as it is"):
        make("lab", late)
    assert (own_rigs() / "lab.yaml").read_text() == file.read_text() == "precious"


@pytest.mark.slow
def test_with_nothing_plugged_in_it_says_what_to_do_and_like_copies_one(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugged = plug(monkeypatch)
    with pytest.raises(StationError, match=r"nothing that could be a rig's is plugged in.*--like aloha"):
        make("lab", Person(), ports=["/dev/ttyUSB7"])
    assert plugged.asked == ("/dev/ttyUSB7",)
    assert not (own_rigs() / "lab.yaml").exists()
    done: Any = as_a_job(app, "rig", "new", "lab", "--like", "aloha")
    assert done.exit_code == 0
    assert done.output.startswith(f"{own_rigs()}/lab.yaml written\n")
    assert "Next: `station rig check lab`, `station rig use lab`, then `station rig try`" in done.output
    assert load_rig(own_rigs() / "lab.yaml").name == "lab"
    assert "EEPROM" not in (own_rigs() / "lab.yaml").read_text()
    assert "Focus is fixed as ALOHA fixes it" in (own_rigs() / "lab.yaml").read_text()


def test_whoever_skips_all_gets_no_file(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plug(monkeypatch, WEBCAM)
    with pytest.raises(StationError, match="every arm and camera was skipped"):
        make("lab", Person("skip"))
    assert not (own_rigs() / "lab.yaml").exists()
