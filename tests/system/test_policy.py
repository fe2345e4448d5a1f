"""Policies through the whole stack, on a booted rig: real runner, pilot, gates, servo buses, journal and file."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import h5py
import numpy as np
import pytest
import yaml

from station.bus.messages import Applied, Health, PilotState
from station.bus.requests import Done, DriveLeaders, Engage, OpenSession
from station.bus.sockets import RequestClient
from station.bus.wire import Sample
from station.cli.headless import record_headless
from station.cli.rollout import Hands, Rollout
from station.client import Station
from station.errors import RequestRefused, StationError
from station.safety.pace import LONGEST_STEP_NS, SLACK_NS
from tests.system import takeovers, tempers
from tests.system.operator_terminal import Terminal
from tests.system.rig import light_rig
from tests.system.rig_of_its_own import rig_of_its_own

pytestmark = [pytest.mark.system, pytest.mark.timeout(300)]
PATIENCE_S = 60.0
ASKED_SHARE = 0.95
"""A computer that stops for a tick lets a row close without its setpoint; the file says so, and there are few."""


@pytest.fixture(scope="module")
def station() -> Iterator[Station]:
    """The light rig, up for all tests of this file; `python -m tests.system.takeovers` takes the whole one."""
    with rig_of_its_own(light_rig, tempers.install()) as station:
        yield station


def newest(data: Path, task: str) -> Path:
    return max((data / task).glob("episode_*.hdf5"))


def test_a_replayed_episode_is_its_action_tick_for_tick(station: Station, tmp_path: Path) -> None:
    assert record_headless(station, OpenSession("teleop", str(tmp_path)), 1, 9.0) == 0
    source = newest(tmp_path, "teleop")
    folder = tmp_path / "replay"
    folder.mkdir()
    settings = {
        "kind": "other", "backend": "replay", "weights": str(source), "state_dim": 14, "action_dim": 14, "chunk": 100,
        "rate_hz": 50, "action_offset_ticks": 10, "execution": {"mode": "newest"},
    }  # fmt: skip
    (folder / "policy.yaml").write_text(yaml.safe_dump(settings))
    with Rollout(station, Hands(None, None)) as rollout:
        identity = rollout.load(folder)
        rollout.begin()
        open_session = OpenSession("replayed", str(tmp_path), source="policy", policy=identity)
        try:
            assert record_headless(station, open_session, 1, 2.0, rollout.arrange, rollout.meanwhile) == 0
        finally:
            rollout.stop()
    with h5py.File(source) as recorded, h5py.File(newest(tmp_path, "replayed")) as played:
        wanted, action = recorded["action"][()], played["action"][()]
        asked = ~np.isnan(played["policy_action"][()]).any(axis=1)
        assert asked.mean() >= ASKED_SHARE, f"rows closed before their setpoint came: {np.flatnonzero(~asked).tolist()}"
        rows = [np.minimum(np.arange(first, first + len(action)), len(wanted) - 1) for first in range(len(wanted))]
        differences = [np.flatnonzero((action != wanted[these]).any(axis=1) & asked) for these in rows]
        differ = min(differences, key=len)  # a leader at rest gives equal rows, so one row does not tell where it began
        assert differ.tolist() == [], "every number of every tick that the file says was asked for"
        assert np.ptp(action[:, 0]) > 0.01, "it was still moving"
        assert np.array_equal(played["policy_action"][()][asked], action[asked])
        assert np.isnan(played["human_action"][()]).all()
        assert not played["control/intervention"][()].any()
        assert played.attrs["policy"] == identity
        assert "episode_0.hdf5 sha256:" in identity
        assert 0 < played.attrs["policy_delay_p95_ms"] < 10_000
        assert played.attrs["policy_starved_ticks"] == 0


class Ear:
    """What the arms really wrote, and how pilot and policy are."""

    def __init__(self, station: Station) -> None:
        streams = [("applied", arm) for arm in station.rig.followers]
        self._heard = station.subscribe([*streams, ("pilot", "pilot"), ("health", "policy")])
        self.applied: dict[str, list[tuple[int, Applied]]] = {arm: [] for arm in station.rig.followers}
        self.pilot: PilotState | None = None
        self.health: Health | None = None

    def until(self, seen: Callable[[], bool]) -> None:
        give_up = time.monotonic() + PATIENCE_S
        while not seen():
            assert time.monotonic() < give_up, f"pilot {self.pilot}, policy {self.health}"
            sample = self._heard.receive(100)
            if sample is not None:
                self._take(sample)

    def _take(self, sample: Sample) -> None:
        if isinstance(sample.body, Applied):
            self.applied[sample.node].append((sample.header.captured_at_ns, sample.body))
        elif isinstance(sample.body, PilotState):
            self.pilot = sample.body
        elif isinstance(sample.body, Health):
            self.health = sample.body

    def is_(self, state: str) -> bool:
        return self.pilot is not None and self.pilot.state == state

    def waist(self, arm: str) -> float:
        """The goal that the arm wrote last; rad."""
        self.until(lambda: bool(self.applied[arm]))
        return self.applied[arm][-1][1].goal[0]

    def close(self) -> None:
        self._heard.close()


@pytest.fixture
def ear(station: Station) -> Iterator[Ear]:
    ear = Ear(station)
    yield ear
    ear.close()


def no_step_beyond_the_limits(station: Station, ear: Ear) -> None:
    """Neighbouring goals differ by no more than the velocity limit allows in the longest step the gate takes."""
    longest_s = (LONGEST_STEP_NS + SLACK_NS) / 1e9
    for goals in ear.applied.values():
        joints = np.array([applied.goal[:6] for _, applied in goals])
        assert len(joints) > 20
        assert np.abs(np.diff(joints, axis=0)).max() <= station.rig.safety.velocity_rad_s * longest_s


@pytest.mark.parametrize(
    ("mood", "says"),
    [
        ("slow", ""),
        ("nan", "found nan"),
        pytest.param("shape", "(19, 14)", marks=pytest.mark.rig),
        ("hang", ""),
        pytest.param("die", "", marks=pytest.mark.rig),
    ],
)
def test_arms_follow_what_is_buffered_then_hold(
    station: Station, ear: Ear, tmp_path: Path, mood: str, says: str
) -> None:
    """Slow: 300 ms, most of a chunk of 400. The arms go on for as long as there are rows, hold when there are none."""
    folder = tempers.write(tmp_path / "policy")
    with Rollout(station, Hands(None, None)) as rollout, station.request_client("pilot") as pilot:
        load(rollout, folder)
        rollout.begin()
        engage(pilot)
        for goals in ear.applied.values():
            goals.clear()
        count = len(ear.applied[station.rig.followers[0]])
        ear.until(lambda: len(ear.applied[station.rig.followers[0]]) > count + 30)
        tempers.set_mood(folder, mood)
        if mood == "slow":
            ear.until(lambda: ear.health is not None and ear.health.readings.get("inference_p95_ms", 0) > 290)
        else:
            ear.until(lambda: ear.is_("hold"))
        if says:
            ear.until(lambda: ear.health is not None and ear.health.state == "fault" and says in ear.health.error)
        no_step_beyond_the_limits(station, ear)
        for goals in ear.applied.values():
            assert all(np.isfinite(applied.goal).all() for _, applied in goals)
        tempers.set_mood(folder, "good")
        if mood in ("hang", "die"):
            load(rollout, folder)  # the runner came back, and knows no policy
        rollout.begin()
        engage(pilot)
        ear.until(lambda: ear.is_("engaged"))
        rollout.stop()


def engage(pilot: RequestClient) -> None:
    """Let the policy command."""
    pilot.ask(Engage("policy"))


def load(rollout: Rollout, folder: Path) -> None:
    """Load, as soon as a runner that has just come back can."""
    give_up = time.monotonic() + PATIENCE_S
    while True:
        try:
            rollout.load(folder)
        except StationError:
            assert time.monotonic() < give_up
        else:
            return


def test_take_overs(station: Station, tmp_path: Path) -> None:
    """A short version of `python -m tests.system.takeovers --count 50`."""
    folder = tempers.write(tmp_path / "policy")
    episode = takeovers.take_overs(station, folder, tmp_path / "data", 2, seed=3)
    found = takeovers.labels(episode, station.rig.safety.velocity_rad_s, station.rig.tick_hz)
    assert found.wrong == ()
    assert found.take_overs == 2
    assert found.largest_step <= takeovers.SLACK
    assert found.by_source["leader"] > 5
    assert found.by_source["policy"] > 5


@pytest.mark.rig
def test_driven_leaders_are_where_the_take_over_finds_them(station: Station, ear: Ear, tmp_path: Path) -> None:
    """The policy goes 1.25 rad away: leaders that stay are refused with the way on, leaders that go along are taken over with."""
    folder = tempers.write(tmp_path / "policy")
    with Rollout(station, Hands(None, None)) as rollout, station.request_client("pilot") as pilot:
        load(rollout, folder)
        rollout.begin()
        engage(pilot)
        tempers.set_mood(folder, "away")
        first = station.rig.followers[0]
        begun = ear.waist(first)
        ear.until(lambda: ear.waist(first) - begun > 0.9 * tempers.AWAY_RAD)
        with pytest.raises(
            RequestRefused, match=r"does not go along \(nobody has asked for it\): bring it there by hand"
        ):
            pilot.ask(Engage("leader"))
        assert pilot.ask(DriveLeaders(True)) == Done()
        ear.until(lambda: ear.pilot is not None and bool(ear.pilot.stiff) and not ear.pilot.to_fit)
        with pytest.raises(RequestRefused, match="has torque and no hand is felt on it: it would fall"):
            pilot.ask(Engage("leader"))
        assert ear.is_("engaged") and ear.pilot is not None and ear.pilot.source == "policy", (
            "a refusal changes nothing"
        )
        pilot.ask(Engage("leader", held=True))
        ear.until(lambda: ear.is_("engaged") and ear.pilot is not None and ear.pilot.source == "leader")
        ear.until(lambda: ear.pilot is not None and not ear.pilot.stiff)
        assert ear.waist(first) - begun > 0.8 * tempers.AWAY_RAD, "no arm went back to where the leader had been"
        engage(pilot)
        ear.until(lambda: ear.is_("engaged") and ear.pilot is not None and ear.pilot.source == "policy")
        no_step_beyond_the_limits(station, ear)
        rollout.stop()


@pytest.mark.rig
def test_a_run_that_nobody_records_has_the_panel_and_goes_on_after_a_hold(station: Station, tmp_path: Path) -> None:
    folder = tempers.write(tmp_path / "sways")
    before = sorted(station.rig.data.rglob("*"))
    terminal = Terminal(["run", "--rig", str(station.rig.file), "--policy", str(folder), "--quiet"])
    try:
        terminal.until("Space: start")
        terminal.press(" ")
        panel = terminal.until("R U N N I N G")
        assert "nothing is recorded" in panel and "rollout 0" in panel and "saved" not in panel
        terminal.press("p")
        terminal.until("P A U S E D")
        terminal.press(" ")
        terminal.until("R U N N I N G")
        tempers.set_mood(folder, "nan")
        assert "hold" in terminal.until("R E S E T"), "its cause"
        tempers.set_mood(folder, "good")
        terminal.until("Space: start")
        terminal.press(" ")
        assert "rollout 1" in terminal.until("R U N N I N G")
        terminal.press(" ")
        terminal.until("R E S E T")
        terminal.press("q")
        assert terminal.ended() == 0
        assert "2 rollouts, 1 ended early, nothing recorded; the arms hold" in terminal.text
        assert terminal.restored()
    finally:
        terminal.close()
    assert sorted(station.rig.data.rglob("*")) == before
