"""`station policy import act|lerobot`: somebody else's checkpoint becomes a policy folder. Torch is imported here and only here."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from station.errors import UsageError
from station.terminal.screen import console

if TYPE_CHECKING:
    from station.training.importing.act import Imported

app = typer.Typer(
    no_args_is_help=True, help="Turn a checkpoint into a policy folder: ONNX and policy.yaml, compared with torch."
)

Units = Annotated[
    str, typer.Option("--units", help="state's and action's at training, one or one each: rad, deg, mrad, 1, %")
]
Dataset = Annotated[
    Path | None,
    typer.Option("--dataset", metavar="SET", help="the exported dataset it was trained on, which names its joints"),
]
Out = Annotated[
    Path, typer.Option("--out", metavar="FOLDER", help="the policy folder to write; it must not be there yet")
]


@app.command()
def act(
    checkpoint: Annotated[Path, typer.Argument(metavar="CKPT", help="policy_best.ckpt of ACT or act-plus-plus")],
    stats: Annotated[Path, typer.Option("--stats", metavar="PKL", help="dataset_stats.pkl beside it")],
    cameras: Annotated[
        str, typer.Option("--cameras", help="the rig's names in the ORDER of training: cam_high,cam_low,…")
    ],
    out: Out,
    image: Annotated[str, typer.Option("--image", metavar="WxH", help="the pictures' size at training")] = "640x480",
    heads: Annotated[int, typer.Option("--heads", min=1, help="attention heads at training")] = 8,
    trained_on: Annotated[
        Literal["real", "sim"], typer.Option("--trained-on", help="ACT shifts its labels by a step on real data only")
    ] = "real",
    drop_base: Annotated[bool, typer.Option("--drop-base", help="leave out the mobile base's actions")] = False,
    units: Units = "",
    dataset: Dataset = None,
) -> None:
    """Import a checkpoint of tonyzhaozh/act or act-plus-plus."""
    size = _size(image)
    _need_torch()
    from station.training.importing.act import ActSource, import_act

    source = ActSource(
        checkpoint, stats, tuple(cameras.split(",")), *size, heads, trained_on, drop_base, _listed(units), dataset
    )
    _tell(import_act(source, out), out)


@app.command()
def lerobot(
    source: Annotated[Path, typer.Argument(metavar="DIR", help="a pretrained_model folder: ACT or Diffusion")],
    out: Out,
    cameras: Annotated[
        str, typer.Option("--cameras", help="the rig's names in the checkpoint's order, if others than its own")
    ] = "",
    rate: Annotated[float, typer.Option("--rate", min=1.0, help="frames a second of the training set")] = 50.0,
    steps: Annotated[
        int | None, typer.Option("--steps", min=1, help="diffusion: denoise in so few steps, by DDIM")
    ] = None,
    units: Units = "",
    dataset: Dataset = None,
) -> None:
    """Import a policy that LeRobot trained."""
    _need_torch()
    from station.training.importing.lerobot import import_lerobot

    _tell(import_lerobot(source, out, _listed(cameras), rate, steps, _listed(units), dataset), out)


def _listed(text: str) -> tuple[str, ...]:
    return tuple(filter(None, (one.strip() for one in text.split(","))))


def _size(text: str) -> tuple[int, int]:
    width, _, height = text.partition("x")
    if not (width.isdecimal() and height.isdecimal()):
        raise UsageError(f"--image {text!r} is no size. Next: give it like 640x480")
    return int(width), int(height)


def _need_torch() -> None:
    try:
        import onnxscript  # noqa: F401
        import safetensors  # noqa: F401
        import torch  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"importing needs {error.name}, which running does not. Next: pip install 'teleop-station[policy,torch]'"
        ) from error


def _tell(done: "Imported", out: Path) -> None:
    console.print(f"{done.shape} → {out}")
    for note in done.notes:
        console.print(f"  {note}")
    for difference in done.differences:
        console.print(f"  {difference.file}: {difference.relative:.1e} from the torch network, of its largest output")
    console.print(f"Next: station policy show {out}; then docs/guide/policies.md, from harmless to real")
