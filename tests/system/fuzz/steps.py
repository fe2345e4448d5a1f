"""What a fuzz has done so far: one line of a file a step, so that a run that was cut goes on where it was."""

from pathlib import Path

import msgspec

SLOW_S = 5.0
"""An answer that takes longer is a hang."""


class Step(msgspec.Struct, frozen=True):
    """One part of a run against one border."""

    part: str
    border: str
    seed: int
    tried: int
    understood: int
    """Of those tried: what decoded, and so reached what is behind the border; of files, those that were read in part at least."""
    slowest_s: float
    wrong: tuple[str, ...] = ()
    """What must not be: a death, a hang, a trace, a lost file."""


class Steps:
    """The file of a run."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self.done: list[Step] = []
        if path is not None and path.exists():
            whole, _, torn = path.read_bytes().rpartition(b"\n")  # of a line that a run was killed in, nothing is left
            self.done = [msgspec.json.decode(line, type=Step) for line in whole.splitlines()]
            if torn:
                path.write_bytes(whole + b"\n" if whole else b"")

    def has(self, part: str, border: str, seed: int) -> bool:
        """Was this step done by an earlier run?"""
        return any((step.part, step.border, step.seed) == (part, border, seed) for step in self.done)

    def add(self, step: Step) -> None:
        """Done, and on the disk."""
        self.done.append(step)
        if self._path is not None:
            with self._path.open("ab") as file:
                file.write(msgspec.json.encode(step) + b"\n")

    @property
    def wrong(self) -> list[str]:
        """All that must not be."""
        return [f"{step.part}, {step.border}, seed {step.seed}: {what}" for step in self.done for what in step.wrong]

    def table(self) -> str:
        """For docs/reliability.md."""
        lines = ["| what | border | tried | understood | slowest | wrong |", "|---|---|---|---|---|---|"]
        for part, border in dict.fromkeys((step.part, step.border) for step in self.done):
            steps = [step for step in self.done if (step.part, step.border) == (part, border)]
            tried, understood = sum(s.tried for s in steps), sum(s.understood for s in steps)
            share = f"{understood:,} ({100 * understood / tried:.0f} %)" if tried else "–"
            slowest, wrong = max(s.slowest_s for s in steps), sum(len(s.wrong) for s in steps)
            lines.append(f"| {part} | {border} | {tried:,} | {share} | {slowest:.2f} s | {wrong} |")
        return "\n".join(lines)
