"""`station rig try`: each camera is covered by a hand, and named by whose picture went."""

from collections.abc import Sequence

from calibration.checks.verdict import told, unchecked
from calibration.maths.quality import Gray
from calibration.measuring import Measuring
from calibration.trying.covered import covered
from station.files.check_results import Finding
from station.steps.protocol import GO_ON

SKIP, AGAIN, AS_ASKED = "skip", "again", "as asked"
_VIEW_S = 0.5
_LEAST_PICTURES = 2


class Cameras:
    """The cameras of a rig, told apart: what was found."""

    def __init__(self, measuring: Measuring) -> None:
        """What every camera sees uncovered is taken now, and compared with all the while."""
        self._measuring = measuring
        self.findings: list[Finding] = []
        self._pictures: dict[str, bytes] = {}
        """JPEG: what each sees, for whoever is asked to cover it."""
        self._free = self._left_free()

    def camera(self, node: str) -> None:
        """Have it covered."""
        about = self._measuring.seen.cameras[node]
        if about.description is None or node not in self._free:
            said = about.last.error if about.last and about.last.error else "no picture comes"
            self.findings.append(told(node, "present", "fail", said, "check its cable; `station status` tells more"))
            self._measuring.tell(f"{node}: {said}")
            return
        what = f"{about.description.model}, serial {about.description.serial}"
        self.findings.append(told(node, "present", "pass", what, ""))
        while (finding := self._covered(node)) is None:
            pass
        self.findings.append(finding)

    def _covered(self, node: str) -> Finding | None:
        """Covered once. None: the operator will do it again."""
        prompt = f"{node}: hold your hand right before its lens, so that it sees nothing else, and keep it there"
        if self._measuring.choose(prompt, (GO_ON, SKIP), self._pictures[node]) == SKIP:
            return self._skipped(node)
        seen = covered(self._free, self._views())
        if seen.camera == node:
            self._measuring.tell(f"I see {node} covered: right")
            return Finding(node, "told apart", "pass", round(100 * seen.shares[node], 1), "%", None, "")
        most = max(seen.shares, key=lambda camera: seen.shares[camera], default="")
        saw = f"I see {seen.camera} covered, not {node}" if seen.camera else "I see no camera covered, or more than one"
        if not seen.camera and most:
            saw += f" (of {most} {100 * seen.shares[most]:.0f} % has changed)"
        given = self._measuring.choose(f"{saw}. Did you cover {node}", (AS_ASKED, AGAIN, SKIP))
        if given == AGAIN:
            self._free = self._left_free()  # the light may be another by now
            return None
        return self._skipped(node) if given == SKIP else self._wrong(node, seen.camera)

    def _wrong(self, node: str, other: str) -> Finding:
        rig = self._measuring.rig
        if not other:
            do = "see in `station check --html` what it shows: a picture that stands still, or another device's; then `station rig try`"
            return told(node, "told apart", "fail", "its picture did not change when it was covered", do)
        mine, others = rig.device(node).port, rig.device(other).port
        do = f"exchange {mine} and {others} in {rig.file} (or their cables), then `station rig try`"
        return told(node, "told apart", "fail", f"it was covered, {other} went dark", do)

    @staticmethod
    def _skipped(node: str) -> Finding:
        return unchecked(node, "told apart", "it was skipped", f"`station rig try --only {node}`")

    def _left_free(self) -> dict[str, Sequence[Gray]]:
        self._measuring.ask("cameras: leave every view free, and keep away from them")
        views = self._views()
        self._pictures = {node: self._measuring.seen.cameras[node].pictures[-1] for node in views}
        return views

    def _views(self) -> dict[str, Sequence[Gray]]:
        """What every camera sees from now on."""
        cameras = self._measuring.seen.cameras
        self._measuring.listen(_VIEW_S, fresh=True)
        self._measuring.listen_until(lambda: all(len(seen.pictures) >= _LEAST_PICTURES for seen in cameras.values()))
        grays = {node: seen.grays() for node, seen in cameras.items()}
        return {node: found for node, found in grays.items() if found}
