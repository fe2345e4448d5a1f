"""Policies without a browser: what differs from the rig, what is asked of whom, evaluations as jobs that nobody sees through."""

import asyncio
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import h5py
import msgspec
import numpy as np
import pytest

from station.bus.messages import Control
from station.bus.requests import AskLeave, Done, LoadPolicy, Refused, StartPolicy, StopPolicy
from station.console.jobs import Jobs
from station.console.policies import EVALUATIONS, Policies
from station.errors import PolicyError, RequestRefused, UsageError
from station.policy.claims import refuse_policy
from station.policy.evaluation import as_csv
from station.policy.folder import load_policy
from station.steps.protocol import End, Line, Offer, Step
from tests.station.console.kept_policies import TRIALS, evaluated, own, vector
from tests.station.console.served import Console, Page, served
from tests.station.console.stage import AT_REST, RIG
from tests.station.datasets.recorded import Recorded, make

S = 1_000_000_000


def shelf(tmp_path: Path) -> Policies:
    return Policies(msgspec.structs.replace(RIG, data=tmp_path / "data"))


# -- folders --


def test_folders_are_listed_and_differ_by_the_loaders_own_comparison(tmp_path: Path) -> None:
    own(tmp_path / "data")
    swapped = list(vector().names)
    swapped[0], swapped[1] = swapped[1], swapped[0]
    path = own(tmp_path / "data", "swapped", dim_names=swapped, cameras=["cam_top"])
    own(tmp_path / "data", "broken", rate_hz=0)
    known = shelf(tmp_path)
    listed = {line["name"]: line for line in known.listing(vector())["policies"]}
    assert [(name, line["differs"], bool(line["problem"])) for name, line in listed.items() if not line["shipped"]] == [
        ("broken", 0, True), ("my-act", 0, False), ("swapped", 3, False),
    ]  # fmt: skip
    assert "rate_hz" in listed["broken"]["problem"]
    points = known.detail("swapped", vector())["points"]
    differs = [point for point in points if point["found"]]
    assert [(point["key"], point["says"], point["has"]) for point in differs] == [
        ("cameras", "cam_top", ", ".join(RIG.cameras)), ("dim_names[0]", swapped[0], swapped[1]), ("dim_names[1]", swapped[1], swapped[0]),
    ]  # fmt: skip
    with pytest.raises(PolicyError) as caught:
        refuse_policy(load_policy(path), vector())
    assert differs[0]["found"] in str(caught.value), "the page shows first what the loader refuses with"
    assert known.detail("my-act", vector())["facts"][1] == ["kind, backend", "act, onnx (policy.onnx)"]


def test_without_a_station_it_is_held_against_the_rigs_file(tmp_path: Path) -> None:
    own(tmp_path / "data", cameras=["cam_top"])
    detail = shelf(tmp_path).detail("my-act", None)
    assert not detail["seen"] and [point["key"] for point in detail["points"] if point["found"]] == ["cameras"]


@pytest.mark.parametrize("name", ["../data", "/etc", "nothing", "", "my-act/../my-act", "x" * 5000])
def test_no_path_is_made_of_a_name(name: str, tmp_path: Path) -> None:
    own(tmp_path / "data")
    with pytest.raises(UsageError, match="no such policy any more"):
        shelf(tmp_path).detail(name, None)
    with pytest.raises(UsageError, match="no such evaluation"):
        shelf(tmp_path).evaluation(name)


# -- evaluations --


def test_an_evaluation_is_read_as_its_command_wrote_it(tmp_path: Path) -> None:
    evaluated(tmp_path / "data", done=False)
    found = shelf(tmp_path).evaluation("first")
    assert [(rate["policy"], rate["successes"], rate["trials"]) for rate in found["rates"]] == [
        ("A", 1, 1),
        ("B", 0, 2),
    ]
    low, high = found["rates"][1]["wilson"]
    assert low == 0 and 0.6 < high < 0.7 and not found["done"]
    assert [trial["episode"] for trial in found["trials"]] == [
        "evaluations/first/trials/0",
        "",
        "evaluations/first/trials/2",
    ]
    assert shelf(tmp_path).evaluations() == [{"name": "first", "done": False}]
    with pytest.raises(UsageError, match="there already"):
        shelf(tmp_path).folder_for("first")


@pytest.mark.parametrize("text", ["", "trial,policy\n1,A\n", as_csv(TRIALS, ["A", "B"])[:-30], "\x00", "a" * 100])
def test_a_file_that_is_none_is_said(text: str, tmp_path: Path) -> None:
    (evaluated(tmp_path / "data") / "trials.csv").write_text(text)
    with pytest.raises(UsageError, match=r"trials\.csv"):
        shelf(tmp_path).evaluation("first")


# -- what is asked --


def holding(console: Console, page: Page, **changed: Any) -> None:
    """That page holds control."""
    said = {"phase": "ended", "control": Control(page.welcome["seat"], "ada")} | changed
    console.hub.heard.session = msgspec.structs.replace(AT_REST, **said)


async def answered(page: Page, **said: Any) -> dict[str, Any]:
    await page.say({"id": 1, **said})
    return await page.heard("answer")


def test_a_policy_is_loaded_by_whoever_holds_control_and_beside_no_policys_sitting(tmp_path: Path) -> None:
    folder = own(tmp_path / "data")

    async def tries(console: Console) -> None:
        async with await console.paired("engineer") as browser, console.page(browser) as page:
            said = {"type": "load", "policy": "my-act", "instruction": "pick it"}
            assert "the session says nothing" in (await answered(page, **said))["why"]
            holding(console, page, control=Control("other", "bob (console)"))
            assert (await answered(page, **said))["why"].startswith("bob (console) holds control")
            holding(console, page, source="policy", phase="reset")
            assert "a policy's sitting is open" in (await answered(page, **said))["why"]
            assert console.hub.asked == []
            holding(console, page, phase="recording")
            assert (await answered(page, **said))["done"], "beside a demonstration nothing moves for it"
            assert "no such policy" in (await answered(page, type="load", policy="other"))["why"]
            for on in (True, False):
                assert (await answered(page, type="shadow", on=on))["done"]
            assert console.hub.requests() == [
                LoadPolicy(str(folder), "pick it"),
                StartPolicy(shadow=True),
                StopPolicy(),
            ]
            console.hub.reply = lambda _question, _who: Refused(
                "action_dim: 7, but the vector of rig bench has 14 dimensions"
            )
            assert "has 14 dimensions" in (await answered(page, **said))["why"], "why not, as the loader says it"

    served(tmp_path, tries, speaks=False)


def test_a_word_that_is_none_is_answered_to_whoever_waits(tmp_path: Path) -> None:
    async def tries(console: Console) -> None:
        async with await console.paired("engineer") as browser, console.page(browser) as page:
            for said in (
                {"type": "load", "policy": 5},
                {"type": "rollouts", "seen": 1, "task": "x"},
                {"type": "levitate"},
            ):
                answer = await answered(page, **said)
                assert (answer["id"], answer["done"]) == (1, False) and answer["why"]

    served(tmp_path, tries, speaks=False)


class Trials:
    """A job that offers, asks, and tells, as an evaluation does."""

    def __init__(self, arguments: Sequence[str], quiet: bool, looks: bool = True) -> None:
        self.arguments = list(arguments)
        self.end: End | None = None
        self.given: list[tuple[int, str]] = []
        self._over = threading.Event()

    def lines(self) -> Iterator[Line]:
        yield Offer(1, ("take over", "hold", "pause", "lead", "in hand", "go along", "success", "failure"))
        yield Step(2, "1 of 2 trials", progress=0.5)
        yield Step(3, "put scene 0 as it is", ("go on", "quit"))
        assert self._over.wait(20)
        self.end = End(0)
        yield self.end

    def answer(self, step: Step | Offer, answer: str) -> None:
        self.given.append((step.number, answer))

    def stop(self) -> None:
        self._over.set()

    def wait(self) -> int:
        return 0

    def close(self) -> None:
        self._over.set()


def test_an_evaluation_is_a_job_once_somebody_at_the_rig_allows_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("station.console.jobs.Job", Trials)
    own(tmp_path / "data")
    said = {
        "type": "evaluate",
        "name": "second",
        "policies": ["my-act", "handover"],
        "trials": 20,
        "seconds": 30,
        "blind": True,
        "by_hand": True,
        "seed": 3,
    }

    async def tries(console: Console) -> None:
        async with await console.paired("engineer") as browser, console.page(browser) as page:
            holding(console, page, phase="ready")
            assert "a sitting is open" in (await answered(page, **said))["why"]
            holding(console, page)
            evaluated(console.data, "second")
            assert "there already" in (await answered(page, **said))["why"]
            assert console.hub.asked == []
            said["name"] = "third"
            console.hub.reply = lambda _question, _who: Refused("not done: nobody at the rig allowed it within 20 s")
            assert "nobody at the rig" in (await answered(page, **said))["why"]
            assert console.server._jobs.told is None, "nothing runs without that yes"
            console.hub.reply = lambda _question, _who: Done()
            assert (await answered(page, **said))["done"]
            assert console.hub.requests()[-1] == AskLeave("evaluate my-act, handover: 20 trials each")
            job = console.server._jobs._job
            assert isinstance(job, Trials)
            own_folder = tmp_path / "data-policies/my-act"
            assert job.arguments[:4] == ["eval", "--rig", str(RIG.file), f"--policy={own_folder}"] and job.arguments[
                -2:
            ] == ["--blind", "--judge=keys"]
            assert {
                "--trials=20",
                "--seconds=30.0",
                "--seed=3",
                f"--out={console.data / EVALUATIONS / 'third'}",
                "--operator=ada",
            } < set(job.arguments)
            while not (told := await page.heard("job"))["answers"]:
                pass
            assert (told["of"], told["offers"], told["answers"]) == ("third", ["success", "failure"], ["go on", "quit"])
            assert told["progress"] == 0.5, "of the trials that were made, whatever is said meanwhile"
            await _is_answered(console, page, job)

    served(tmp_path, tries, speaks=False)


async def _is_answered(console: Console, page: Page, job: Trials) -> None:
    console.hub.asked.clear()
    console.hub.reply = lambda _question, _who: Refused("not done: ben did not allow it")
    assert "ben did not allow it" in (await answered(page, type="answerstep", step=3, answer="go on"))["why"]
    assert console.hub.requests() == [AskLeave("go on evaluating: go on")] and job.given == [], "arms move after it"
    assert "nothing is asked like that" in (await answered(page, type="answerstep", step=1, answer="quit"))["why"]
    for answer in ("success", "failure"):
        assert (await answered(page, type="answerstep", step=1, answer=answer))["done"], (
            "nothing moves because of a verdict"
        )
    console.hub.reply = lambda _question, _who: Done()
    assert not (await answered(page, type="answerstep", step=1, answer="take over"))["done"], (
        "that has a word of its own"
    )
    assert (await answered(page, type="answerstep", step=3, answer="go on"))["done"]
    assert job.given == [(1, "success"), (1, "failure"), (3, "go on")]


def test_an_evaluation_after_a_failed_check_is_answered_for_by_somebody_with_a_name(tmp_path: Path) -> None:
    said = {
        "type": "evaluate",
        "name": "hot",
        "policies": ["handover"],
        "trials": 1,
        "seconds": 5,
        "override": "the last of today",
    }

    async def tries(console: Console) -> None:
        async with await console.paired("engineer", person="") as browser, console.page(browser) as page:
            holding(console, page)
            assert "an override is somebody's" in (await answered(page, **said))["why"]
            assert console.hub.asked == [] and console.server._jobs.told is None

    served(tmp_path, tries)


def test_while_it_is_blind_no_episode_names_its_policy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("station.console.jobs.Job", Trials)
    with h5py.File(make(tmp_path / "data", Recorded(rows=10)), "r+") as episode:
        episode.attrs["policy"] = "act /data/my-act"

    async def tries(console: Console) -> None:
        async with await console.paired("operator") as browser:
            address = f"{console.base}/episodes/one?of=cube/0"

            async def facts() -> str:
                async with browser.get(address) as answer:
                    return await answer.text()

            assert "my-act" in await facts()
            console.server._jobs.begin("eval", ["eval"], "ada", blind=True)
            assert "my-act" not in await facts()
            console.server._jobs.end()
            while "my-act" not in await facts():
                await asyncio.sleep(0.01)

    served(tmp_path, tries, speaks=False)


def test_a_second_job_waits() -> None:
    async def tries() -> None:
        jobs = Jobs(lambda _: None, lambda _: None)
        jobs._job = Trials(["eval"], True)  # type: ignore[assignment]
        jobs.told = {"name": "eval", "by": "ada", "moves": True, "blind": False}
        with pytest.raises(RequestRefused, match="eval runs already, for ada"):
            jobs.begin("check", ["check"], "ben")
        assert [jobs.moves(answer) for answer in ("go on", "yes", "success", "quit")] == [True, True, False, False]

    asyncio.run(tries())


# -- what is shown --


def test_what_a_policy_asks_for_stands_beside_where_the_joints_are(tmp_path: Path) -> None:
    async def looks(console: Console) -> None:
        async with await console.paired("viewer") as browser, console.page(browser) as page:
            await page.say({"type": "watch", "cameras": [], "policy": True})
            told = await page.heard("policy")
            assert (told["runner"]["phase"], told["runner"]["name"], told["runner"]["blind"]) == (
                "running",
                "my-act",
                False,
            )
            assert "identity" not in told["runner"] and told["runner"]["plan_ms"] == 640.0
            while (point := await page.heard("tick"))["wanted"] is None:
                pass
            assert len(point["wanted"]) == len(point["qpos"]) == 14
            assert np.abs(np.array(point["wanted"]) - point["qpos"]).max() < 0.3

    served(tmp_path, looks)
