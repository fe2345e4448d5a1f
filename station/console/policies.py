"""Policies as a page sees them: folders, what differs from the rig, evaluations. Blocking; for a thread.

A policy is called by its folder's name, and is looked up in what was found: no path is ever made of what a page sent.
"""

from pathlib import Path
from typing import Any

from station.episodes import naming
from station.errors import PolicyError, StationError, UsageError
from station.policy.claims import Point, Vector, of_policy, points_unseen, policy_points
from station.policy.description import described
from station.policy.evaluation import from_csv, results, told
from station.policy.folder import SHIPPED, Policy, load_policy
from station.rig.rig import Rig
from station.terminal.shown import shown

EVALUATIONS = "evaluations"
"""The folder of their folders, in the data folder: their episodes are played like any others."""
TRIALS, SUMMARY = "trials.csv", "summary.json"
LARGEST_CSV = 1 << 20


class Policies:
    """Those that ship with the station, and those beside the rig's data folder."""

    def __init__(self, rig: Rig) -> None:
        self._rig = rig
        self.own = rig.data.with_name(f"{rig.data.name}-policies")
        """Where people's own lie, or are linked to."""

    def listing(self, vector: Vector | None) -> dict[str, Any]:
        """Every folder, and in how much it differs from the rig; `vector` is the rig's, as far as its arms have said what they are."""
        return {
            "policies": [self._line(name, path, vector) for name, path in self._found().items()],
            "own": shown(str(self.own)),
        }

    def detail(self, name: str, vector: Vector | None) -> dict[str, Any]:
        """What one says, and each thing that it claims beside what the rig has. Raises UsageError for one that is not there."""
        path = self.path(name)
        try:
            policy = load_policy(path)
        except PolicyError:  # its line says what is wrong
            return {**self._line(name, path, vector), "facts": [], "points": [], "seen": vector is not None}
        points = [
            {
                "key": point.key,
                "says": shown(point.says),
                "has": shown(point.has),
                "found": shown(point.found),
                "fix": point.fix,
            }
            for point in self._points(policy, vector)
        ]
        facts = [[what, shown(value)] for what, value in described(policy)]
        return {**self._line(name, path, vector), "facts": facts, "points": points, "seen": vector is not None}

    def path(self, name: str) -> Path:
        """Where it is. Raises UsageError for one that is not there."""
        found = self._found().get(name)
        if found is None:
            raise UsageError(f"{name[:80]!r}: no such policy any more. Next: look at the list again")
        return found

    def _found(self) -> dict[str, Path]:
        """By name; one of people's own goes over a shipped one of the same name."""
        found = [file.parent for folder in (SHIPPED, self.own) for file in sorted(folder.glob("*/policy.yaml"))]
        return {path.name: path for path in found if shown(path.name) == path.name}

    def _line(self, name: str, path: Path, vector: Vector | None) -> dict[str, Any]:
        folder = shown(str(path.resolve()))
        line = {
            "name": name,
            "shipped": path.parent == SHIPPED,
            "folder": folder,
            "kind": "",
            "problem": "",
            "differs": 0,
        }
        try:
            policy = load_policy(path)
        except PolicyError as error:
            return {**line, "problem": shown(str(error))}
        differs = sum(1 for point in self._points(policy, vector) if point.found)
        return {**line, "kind": shown(f"{policy.kind}, {policy.backend}"), "differs": differs}

    def _points(self, policy: Policy, vector: Vector | None) -> list[Point]:
        if vector is not None:
            return list(policy_points(policy, vector))
        return list(points_unseen(of_policy(policy, policy.folder / "policy.yaml"), self._rig))

    # -- evaluations --

    def folder_for(self, name: str) -> Path:
        """Of a new evaluation. Raises UsageError where there is one of that name."""
        out = self._rig.data / EVALUATIONS / name
        if out.exists():
            raise UsageError(f"{out} is there already. Next: another name")
        return out

    def evaluations(self) -> list[dict[str, Any]]:
        """Their names, the newest first."""
        found = sorted(self._evaluated(), key=lambda path: path.stat().st_mtime, reverse=True)
        return [{"name": path.parent.name, "done": (path.parent / SUMMARY).exists()} for path in found]

    def evaluation(self, name: str) -> dict[str, Any]:
        """What its trials say so far. Raises UsageError for one that is not there, or cannot be read."""
        path = next((path for path in self._evaluated() if path.parent.name == name), None)
        if path is None:
            raise UsageError(f"{name[:80]!r}: no such evaluation, or no trial of it was made yet")
        try:
            with path.open("rb") as file:
                names, trials = from_csv(file.read(LARGEST_CSV).decode())
        except (OSError, ValueError) as error:
            raise UsageError(
                f"{path}: {error}. Next: `station eval` writes such files; is this one of them?"
            ) from error
        rates = [
            {
                "policy": shown(policy),
                "trials": one.trials,
                "successes": one.successes,
                "wilson": one.wilson,
                "told": told(one),
            }
            for policy, one in zip(names, results(trials, len(names)), strict=True)
        ]
        made = [
            {"trial": trial.turn.number, "policy": shown(names[trial.turn.policy]), "scene": trial.turn.scene,
             "success": trial.success, "seconds": trial.seconds, "helped": trial.helped, "why": shown(trial.why),
             "episode": self._episode(path.parent, trial.episode)}
            for trial in trials
        ]  # fmt: skip
        return {"name": name, "done": (path.parent / SUMMARY).exists(), "rates": rates, "trials": made}

    def _evaluated(self) -> list[Path]:
        return [
            path
            for path in (self._rig.data / EVALUATIONS).glob(f"*/{TRIALS}")
            if shown(path.parent.name) == path.parent.name
        ]

    def _episode(self, out: Path, file: str) -> str:
        """What the page's episodes call it; "" where it has none."""
        try:
            path = out / file
            return f"{path.parent.relative_to(self._rig.data).as_posix()}/{naming.number_of(path)}" if file else ""
        except (StationError, ValueError):
            return ""
