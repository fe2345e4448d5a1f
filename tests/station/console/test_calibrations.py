"""Calibrations for pages: what is in force and how old, which wizards fit; a wizard is begun by whoever may, with a yes from the rig."""

import datetime
from pathlib import Path

import msgspec
import pytest

from station.bus.messages import Description, StreamDescription, Zeros
from station.bus.requests import AskLeave, Done, Refused
from station.console import calibrations, wire
from station.console.asking import calibrate_command
from station.files import calibration_files
from station.files.calibration_files import ArmCalibration, Calibration, CheckReference, GripperRange, Latency, Made
from tests.station.console.served import PICTURE, AskingJob, Console, served
from tests.station.console.stage import AT_REST, RIG

TODAY = datetime.date(2026, 11, 30)
ZEROS = Made("2026-11-20T08:00:00+00:00", "ada", "rest stops", 1200, {"noise_rad": 0.00012})
GRIPPER = Made("2026-11-29T08:00:00+00:00", "ben", "sweep between the stops", 900)
ARM = ArmCalibration(
    ZEROS, ("waist",), (0.1,), (1,), (0.0,), gripper=GripperRange(1.0, 0.0, 0.05, 0.0), gripper_made=GRIPPER
)


@pytest.fixture(autouse=True)
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))


def description(serial: str, calibration: Calibration | None = None, zeros: Zeros | None = None) -> Description:
    stream = StreamDescription("arm_state", 200.0)
    return Description("vx300s", serial, "", (stream,), calibration=calibration, zeros=zeros)


def of(node: str, **descriptions: Description) -> dict[str, object]:
    return next(one for one in calibrations.told(RIG, descriptions, TODAY)["devices"] if one["node"] == node)


def test_what_is_in_force_is_told_with_its_age_and_by_whom() -> None:
    known = Calibration("S1", "follower_left", "vx300s", revision=2, arm=ARM)
    told = of("follower_left", follower_left=description("S1", known))
    assert (told["heard"], told["serial"], told["newer"], told["trouble"]) == (True, "S1", False, "")
    parts = told["parts"]
    assert isinstance(parts, list) and [(p["part"], p["age_days"], p["by"], p["left"]) for p in parts] == [
        ("zeros", 10, "ada", "noise rad 0.00012"), ("gripper", 1, "ben", ""),
    ]  # fmt: skip


def test_a_file_that_its_driver_does_not_work_with_yet_is_told() -> None:
    calibration_files.save(Calibration("S1", "follower_left", "vx300s", arm=ARM))
    told = of("follower_left", follower_left=description("S1"))
    assert (told["newer"], told["parts"]) == (True, [])
    known = calibration_files.load("S1")
    assert not of("follower_left", follower_left=description("S1", known))["newer"]


def test_while_a_device_says_nothing_its_newest_file_is_shown() -> None:
    reference = CheckReference(ZEROS, "", 100.0, 5.0)
    calibration_files.save(
        Calibration("C1", "cam_high", "webcam", reference=reference, latency=Latency(GRIPPER, 30.0, 2.0))
    )
    told = of("cam_high")
    assert not told["heard"] and told["wizards"] == []
    assert [part["part"] for part in told["parts"]] == ["latency", "reference"]  # type: ignore[attr-defined]
    assert of("cam_low")["parts"] == []


def test_a_broken_file_is_told_and_the_others_shown() -> None:
    path = calibration_files.save(Calibration("S1", "follower_left", "vx300s", arm=ARM))
    path.write_text("{")
    told = of("follower_left", follower_left=description("S1"))
    assert "torn" in str(told["trouble"]) and told["heard"]


def test_wizards_are_those_that_measure_something_of_the_device() -> None:
    rest, quarters = (Zeros(found_by, (0.0,), (1,)) for found_by in ("rest stops", "quarter turns"))
    assert calibrations.wizards(description("S", zeros=rest), "follower") == ["arms"]
    assert calibrations.wizards(description("S", zeros=quarters), "leader") == ["gello"]
    assert calibrations.wizards(description("S"), "follower") == []
    assert calibrations.wizards(description("S"), "camera") == ["cameras", "latency"]


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"what": "arms", "placings": 2, "pose": "0,-90,5.5", "only": ["follower_left"]},
         ["--operator=ada", "--placings=2", "--pose=0,-90,5.5", "--only=follower_left"]),
        ({"what": "cameras", "board": True, "on": "follower_left", "placings": 2}, ["--operator=ada", "--on=follower_left", "--board"]),
        ({"what": "grippers", "seconds": 12, "board": True}, ["--operator=ada", "--seconds=12"]),
        ({"what": "latency", "only": ["--yes", "x; rm"]}, ["--operator=ada", "--only=--yes", "--only=x; rm"]),
        ({"what": "gello", "seconds": 3}, ["--operator=ada"]),
    ],
)  # fmt: skip
def test_a_wizard_is_the_houses_command_and_no_value_is_an_option(said: dict[str, object], words: list[str]) -> None:
    made = wire.decode(msgspec.json.encode({"type": "calibrate", "id": 1, **said}).decode())
    assert isinstance(made, wire.Calibrate)
    command = calibrate_command(made, RIG, "ada")
    assert sorted(command) == sorted(["calibrate", made.what, "--rig", str(RIG.file), *words])


@pytest.mark.parametrize("pose", ["--yes", "0;1", "a", "0\n1", "0" * 201])
def test_a_pose_is_numbers(pose: str) -> None:
    with pytest.raises(ValueError, match="pose"):
        wire.decode(msgspec.json.encode({"type": "calibrate", "id": 1, "what": "arms", "pose": pose}).decode())


def test_it_begins_once_the_session_gives_leave_is_seen_by_whoever_looks_and_answered(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.console.jobs.Job", AskingJob)

    async def calibrates(console: Console) -> None:
        console.hub.session = msgspec.structs.replace(AT_REST, phase="ended")
        async with (
            await console.paired("engineer") as browser,
            console.page(browser) as page,
            console.page(browser, "b" * 16) as other,
        ):
            await page.say({"type": "watch", "cameras": [], "job": True})
            while (await page.heard("state"))["session"]["phase"] != "ended":
                pass
            console.hub.reply = lambda *_: Refused("not done: nobody at the rig allowed it within 20 s")
            await page.say({"type": "calibrate", "id": 1, "what": "arms"})
            refused = await page.heard("answer")
            assert not refused["done"] and "nobody at the rig" in refused["why"]
            assert console.server._jobs.told is None, "nothing was begun"
            console.hub.reply = lambda *_: Done()
            await page.say({"type": "calibrate", "id": 2, "what": "arms", "only": ["follower_left"]})
            assert (await page.heard("answer"))["done"]
            assert AskLeave("calibrate arms") in console.hub.requests()
            while not (job := await other.heard("job"))["answers"]:
                pass
            assert (job["name"], job["words"]) == ("calibrate arms", "hold the leaders")
            look = await page.heard("look")
            assert (look["step"], look["words"], look["values"], look["picture"]) == (
                1,
                "the board is seen",
                {"waist_deg": 12.5},
                PICTURE,
            )
            await page.say({"type": "calibrate", "id": 3, "what": "gello"})
            assert "runs already" in (await page.heard("answer"))["why"]
            await page.say({"type": "answerstep", "id": 4, "step": 1, "answer": "go on"})
            assert (await page.heard("answer"))["done"]
            await page.say({"type": "endjob", "id": 6})
            while (await other.heard("job"))["running"]:
                pass
            console.hub.session = AT_REST
            while (await page.heard("state"))["session"]["phase"] == "ended":
                pass
            await page.say({"type": "calibrate", "id": 5, "what": "arms"})
            while (told := await page.heard("answer"))["id"] != 5:
                pass
            assert "a sitting is open" in told["why"]

    served(tmp_path, calibrates)
