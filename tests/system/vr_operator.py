"""An operator in a headset: both hands in a real browser, on the simulated rig."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.drivers.vr.browser import Browser
from tests.system.vr_rig import SIDES, VrRig, hands, to_start


class LetGo(AssertionError):
    """The arms stopped following in the middle of a movement; the text says where and why."""


class Operator:
    """Knows the rig (as somebody who looks at it does) and moves only through the page."""

    def __init__(self, rig: VrRig, page: Browser) -> None:
        self.rig, self.page = rig, page

    def put_on(self) -> None:
        """Open the page, pair, enter, and hold both hands where the grippers are, grips open."""
        self.page.open(self.rig.url)
        self.enter()

    def enter(self, yaw_rad: float = 0.0) -> None:
        """Enter the page that is open, facing `yaw_rad` to the left of the rig's forward."""
        self.page.linked()
        self.page.js("operator.look(arguments[0])", yaw_rad)
        self.page.enter()
        self.hands_to_grippers()

    def hands_to_grippers(self, grip: float = 0.0) -> None:
        """Both hands where the grippers are held, as open as these are."""
        (poses,) = hands(self.rig.rig, {side: [tuple(self.rig.goal(side))] for side in SIDES})
        for side in SIDES:
            self.put(side, **poses[side], grip=grip)

    def put(self, side: str, **changes: Any) -> None:
        """Change a hand at once: p, q, trigger, grip."""
        self.page.js("operator.put(arguments[0], arguments[1])", side, changes)

    def do(self, script: str, *arguments: object) -> Any:
        """Wait for a promise of `operator`."""
        call = f"operator.{script}.then(arguments[arguments.length - 1])"
        return self.page.driver.execute_async_script(call, *arguments)

    def go_on(self) -> None:
        """Press A as long as it says "go on", until the hands command."""

        def engaged() -> bool:
            pilot = self.rig.pilot()
            if pilot.state == "engaged" and pilot.source == "vr":
                return True
            if self.page.js("return operator.offers('go_on')"):
                self.page.press("right", "a-button")
            return False

        self.rig.until("hands that command", engaged, 60)

    def squeeze(self, *sides: str) -> None:
        """Open and squeeze the grips; waits until those arms follow."""
        for side in sides:
            self.do("squeeze(arguments[0])", side)
        self.rig.until("closed clutches", lambda: set(sides) <= self.following())

    def following(self) -> set[str]:
        """Sides whose arms follow their hand."""
        return {hand.arm.removeprefix("follower_") for hand in self.rig.teleop().hands if hand.clutched}

    def play(self, poses: list[dict[str, Any]]) -> None:
        """Move both hands through these poses. Raises LetGo if the arms stop following."""
        self.page.js("operator.play(arguments[0])", poses)
        played = None
        while played is None:
            played = self.page.js("return operator.played")
            self.rig.truth()  # keeps what the rig says from piling up
        if played < len(poses):
            raise LetGo(f"at pose {played} of {len(poses)}: {self.rig.pilot()} {self.rig.teleop()}")

    def glide(self, side: str, *by_m: float) -> None:
        """Move a hand (WebXR's axes: right, up, back) and give the arm time to come along."""
        self.do("glide(arguments[0], arguments[1])", side, by_m)

    def let_go(self) -> None:
        """Open both grips."""
        for side in SIDES:
            self.put(side, grip=0)
        self.rig.until("open clutches", lambda: not self.following())

    def start_pose(self) -> None:
        """Bring both grippers to the start of the hand-over; they follow from then on."""
        self.hands_to_grippers()
        self.go_on()
        self.hands_to_grippers()
        self.squeeze(*SIDES)
        self.page.until("engagement on the board", "return document.documentElement.dataset.state === 'engaged'")
        self.play(to_start(self.rig))


@contextmanager
def sitting(rig: VrRig, data: Path) -> Iterator[None]:
    """`station vr --task cube`, until Ctrl-C."""
    station = Path(sys.executable).with_name("station")
    command = [str(station), "vr", "--rig", str(rig.rig.file), "--task", "cube", "--data", str(data)]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),  # a shell's background job would be deaf to Ctrl-C
    )  # fmt: skip
    try:
        rig.until("a sitting", lambda: rig.session().phase not in ("opening", "ended"), 60)
        yield
    finally:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert process.returncode == 0, said
    assert rig.code in said.replace(" ", "")
    assert "ready" in said
