"""`python -m station.training.learning DATA --out FOLDER`: train a small ACT on recorded episodes, and export it."""

from pathlib import Path
from typing import Annotated

import msgspec
import torch
import typer

from station.errors import StationError, UsageError
from station.policy.folder import Image
from station.terminal.shown import shown
from station.training.learning.batches import Batches, Disorder, parts, statistics
from station.training.learning.demonstrations import Demonstration, demonstrations
from station.training.learning.learner import Judgement, Learner, Recipe

_DEFAULT = Recipe((), Image(128, 96))


def train(
    data: Annotated[Path, typer.Argument(help="the folder that `station record --data` wrote")],
    out: Annotated[Path, typer.Option("--out", help="the policy folder to write; it must not be there yet")],
    task: Annotated[str, typer.Option("--task", help="only this task's episodes")] = "",
    cameras: Annotated[
        str, typer.Option("--cameras", help="names, in the order the policy will have them")
    ] = "cam_high,cam_left_wrist,cam_right_wrist",
    image: Annotated[str, typer.Option("--image", metavar="WxH")] = f"{_DEFAULT.image.width}x{_DEFAULT.image.height}",
    steps: Annotated[int, typer.Option("--steps", min=1, help="in all, over every sitting")] = _DEFAULT.steps,
    minutes: Annotated[
        float, typer.Option("--minutes", min=0.0, help="at most so long; the same command goes on from there")
    ] = 600.0,
    batch: Annotated[int, typer.Option("--batch", min=1)] = _DEFAULT.batch,
    learning_rate: Annotated[float, typer.Option("--learning-rate")] = _DEFAULT.learning_rate,
    state_noise: Annotated[
        float, typer.Option("--state-noise", help="on the state while training, rad")
    ] = Disorder().state,
    seed: Annotated[int, typer.Option("--seed", min=0)] = 0,
    threads: Annotated[int, typer.Option("--threads", min=1, help="processor cores to use")] = 1,
    instruction: Annotated[str, typer.Option("--instruction", help="what the task is, in words")] = "",
) -> None:
    """Train on every whole episode that is not labelled a failure; the last tenth is held out, the best by it is exported."""
    if out.exists():
        raise UsageError(f"{out} is there already. Next: name another folder with --out, or move it away")
    torch.set_num_threads(threads)
    recipe = Recipe(
        tuple(cameras.split(",")), _image(image), steps=steps, batch=batch, learning_rate=learning_rate,
        disorder=msgspec.structs.replace(Disorder(), state=state_noise), seed=seed,
    )  # fmt: skip
    demos = demonstrations(data, task, recipe.cameras, recipe.image)
    normalization = statistics(demos)
    batches = Batches(demos, normalization, recipe.chunk, recipe.rate_hz, recipe.image)
    learner = Learner(recipe, normalization, batches, out.with_name(out.name + ".training"))
    learnt, held_out = parts(demos)
    typer.echo(f"{len(learnt)} episodes to learn from, {len(held_out)} held out; step {learner.step} of {recipe.steps}")
    for found in learner.learn(minutes):
        typer.echo(_line(found, learner.best))
    if learner.step < recipe.steps:
        typer.echo(
            f"the time is up at step {learner.step} of {recipe.steps}; the same command goes on (move {out} away)"
        )
    difference = learner.export(out, demos[0].dim_names, instruction, _notes(learner, demos))
    size = (out / "policy.onnx").stat().st_size
    typer.echo(f"{out}: {size / 1e6:.2f} MB, within {difference.relative:.1g} of the torch network")


def _line(found: Judgement, best: Judgement | None) -> str:
    said = f"step {found.step:6d}  held out: actions {found.loss:.4f}, grasp off by {found.grasp_rad:.4f} rad"
    return said + (", the best so far" if found == best else "")


def _notes(learner: Learner, demos: list[Demonstration]) -> list[str]:
    best = learner.best
    made = (
        f"trained by station.policy.training on {len(demos)} episodes, {learner.step} steps, seed {learner.recipe.seed}"
    )
    return [made, *([f"best at step {best.step}: held-out loss {best.loss:.4f}"] if best else [])]


def _image(text: str) -> Image:
    width, _, height = text.partition("x")
    try:
        return msgspec.convert({"width": int(width), "height": int(height)}, Image)
    except (ValueError, msgspec.ValidationError) as error:
        raise UsageError(f"--image {text}: not a size. Next: write --image 128x96") from error


def main() -> None:
    """Exit codes as `station`'s: 0 done, 1 failed with a reason, 2 bad usage."""
    try:
        typer.run(train)
    except StationError as error:
        typer.echo(shown(str(error)), err=True)
        raise SystemExit(error.exit_code) from error


if __name__ == "__main__":
    main()
