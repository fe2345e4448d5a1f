"""Trains a small ACT on a processor: steps, held-out losses, checkpoints that another sitting goes on from, and the export.

What is minimised, for normalised actions a, the network's â, and the grasp g to come:

    mean |â − a|  +  GRASP_WEIGHT · mean |ĝ − g|  (where it is known)

No posterior: what a script demonstrates has one way only, and the ACT paper finds no use for the latent there. ĝ is read off
the pictures' tokens alone by one linear map that is thrown away after training. Of the first loss, where the cube lies is a small
part (a tenth of a radian in motions of one), and is learnt last; the second asks for nothing else, from the first picture on.

Step n is a function of the seed and n, so that a training that was interrupted ends where one that was not would have.
"""

import math
import os
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
import torch
from torch import Tensor, nn

from station.errors import PolicyError
from station.policy.folder import Execution, Image, Normalization, PolicyFile
from station.training.export import Difference, export_act
from station.training.learning.batches import Batch, Batches, Disorder
from station.training.networks.act import Act, ActShape
from station.training.networks.resnet import ResNetShape

GRASP_WEIGHT = 0.2
LARGEST_BYTES = 5_000_000
"""What ships with the package is no bigger."""
_WARM_UP = 200
_AVERAGED = 0.998
"""The network that is judged and exported is a running mean of the one that learns (Polyak): its memory, 500 steps."""
_JUDGE_ROWS = 7
_JUDGE_BATCH = 64
_LARGEST_GRADIENT = 1.0


class Recipe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything a training depends on but the demonstrations."""

    cameras: tuple[str, ...]
    image: Image
    rate_hz: float = 12.5
    chunk: int = 25
    """Two seconds: longer than any pause of the script, so that a wait has an end in sight."""
    steps: int = 12_000
    batch: int = 32
    learning_rate: float = 5e-4
    weight_decay: float = 1e-4
    dropout: float = 0.1
    hidden_dim: int = 128
    feedforward_dim: int = 256
    encoder_layers: int = 2
    widths: tuple[int, int, int, int] = (16, 32, 64, 128)
    disorder: Disorder = Disorder()
    seed: int = 0

    def shape(self, dims: int) -> ActShape:
        """The network's."""
        return ActShape(
            state_dim=dims, action_dim=dims, chunk=self.chunk, cameras=len(self.cameras), hidden_dim=self.hidden_dim,
            feedforward_dim=self.feedforward_dim, heads=4, encoder_layers=self.encoder_layers, posterior_layers=0,
            dropout=self.dropout, backbone=ResNetShape(self.widths, (1, 1, 1, 1), "group"),
        )  # fmt: skip


class Judgement(NamedTuple):
    """How the averaged network does on what was held out."""

    step: int
    loss: float
    """mean |â − a|, normalised: what the best is chosen by."""
    grasp_rad: float
    """mean |ĝ − g|, rad and gripper units, over the dimensions in which grasps differ; NaN without a grasp."""


class _Grasp(nn.Module):
    """Pictures' tokens → where the first grasp will be."""

    def __init__(self, act: Act, image: Image) -> None:
        super().__init__()
        stride = act.shape.backbone.stride
        tokens = act.shape.cameras * math.ceil(image.height / stride) * math.ceil(image.width / stride)
        self.head = nn.Linear(tokens * act.shape.hidden_dim, act.shape.action_dim)

    def forward(self, tokens: Tensor) -> Tensor:
        """(B, tokens, hidden) → (B, D)."""
        found: Tensor = self.head(tokens.flatten(1))
        return found


class _Student(nn.Module):
    """The network and its throw-away head."""

    def __init__(self, recipe: Recipe, dims: int) -> None:
        super().__init__()
        self.act = Act(recipe.shape(dims))
        self.grasp = _Grasp(self.act, recipe.image)

    def forward(self, state: Tensor, images: Tensor) -> tuple[Tensor, Tensor]:
        """(B, D), (B, cameras, 3, H, W) → actions (B, chunk, D), grasp (B, D)."""
        seen = self.act.see(images)
        latent = state.new_zeros(len(state), self.act.shape.latent_dim)
        return self.act.decide(state, seen, latent), self.grasp(seen.tokens)


class Learner:
    """One training. `folder` holds its checkpoint; where one of the same recipe is, it goes on from there."""

    def __init__(self, recipe: Recipe, normalization: Normalization, batches: Batches, folder: Path) -> None:
        """Raises PolicyError: the checkpoint in `folder` is of another recipe, or of other demonstrations."""
        self.recipe, self.normalization, self._batches = recipe, normalization, batches
        dims = len(normalization.state.mean) if normalization.state else 0
        torch.manual_seed(recipe.seed)
        self._student = _Student(recipe, dims)
        self._mean = torch.optim.swa_utils.AveragedModel(
            self._student, multi_avg_fn=torch.optim.swa_utils.get_ema_multi_avg_fn(_AVERAGED)
        )
        self._optimizer = torch.optim.AdamW(
            self._student.parameters(), lr=recipe.learning_rate, weight_decay=recipe.weight_decay
        )
        self._judged_by = batches.held_out(_JUDGE_ROWS, _JUDGE_BATCH)
        self.checkpoint = folder / "checkpoint.pt"
        self._best: dict[str, Any] = {}
        self.best: Judgement | None = None
        self.step = 0
        folder.mkdir(parents=True, exist_ok=True)
        self._resume()

    def learn(
        self, minutes: float, every: int = 500, clock_s: Callable[[], float] = time.monotonic
    ) -> Iterator[Judgement]:
        """Go on until the recipe's steps are done or the time is up; judge and save every so-many steps, and at the end."""
        ends_s = clock_s() + 60 * minutes
        while self.step < self.recipe.steps and clock_s() < ends_s:
            self.learn_step()
            if self.step % every == 0:
                yield self._judged()
        if self.step % every:
            yield self._judged()

    def learn_step(self) -> float:
        """One step. Returns its loss."""
        recipe = self.recipe
        batch = self._batches.draw(np.random.default_rng([recipe.seed, self.step]), recipe.batch, recipe.disorder)
        torch.manual_seed(recipe.seed * 1_000_003 + self.step)
        for group in self._optimizer.param_groups:
            group["lr"] = recipe.learning_rate * _rate(self.step, recipe.steps)
        self._student.train()
        actions, grasp = _losses(self._student, batch)
        loss = actions + GRASP_WEIGHT * grasp
        self._optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self._student.parameters(), _LARGEST_GRADIENT)
        self._optimizer.step()
        self._mean.update_parameters(self._student)
        self.step += 1
        return float(loss.detach())

    def judge(self) -> Judgement:
        """The averaged network on what was held out."""
        student = self._mean.module.eval()
        losses, off = [], []
        with torch.no_grad():
            for batch in self._judged_by:
                actions, grasp = student(torch.from_numpy(batch.state), torch.from_numpy(batch.images))
                losses.append(np.abs(actions.numpy() - batch.actions).mean((1, 2)))
                off.append(np.abs(self._batches.grasp_off(grasp.numpy() - batch.grasp))[batch.grasp_known])
        known = np.concatenate(off)
        return Judgement(
            self.step, float(np.concatenate(losses).mean()), float(known.mean()) if known.size else math.nan
        )

    def export(self, folder: Path, dim_names: tuple[str, ...], instruction: str, notes: list[str]) -> Difference:
        """Write the best network so far as a policy folder.

        Raises PolicyError: the folder is there already, there was no time to judge once, or the graph is too big to ship.
        """
        if self.best is None:
            raise PolicyError(self.checkpoint, "checkpoint", "nothing was learnt yet", "give it more --minutes")
        student = _Student(self.recipe, len(dim_names))
        student.load_state_dict(self._best)
        difference = export_act(student.act, folder, self._settings(dim_names, instruction), notes)
        size = (folder / "policy.onnx").stat().st_size
        if size > LARGEST_BYTES:
            shutil.rmtree(folder)
            fix = "choose a smaller hidden_dim, feedforward_dim or widths"
            raise PolicyError(folder, "policy.onnx", f"{size} bytes; at most {LARGEST_BYTES} ship", fix)
        return difference

    def _settings(self, dim_names: tuple[str, ...], instruction: str) -> PolicyFile:
        return PolicyFile(
            kind="act", backend="onnx", weights="policy.onnx", cameras=self.recipe.cameras, image=self.recipe.image,
            state_dim=len(dim_names), action_dim=len(dim_names), dim_names=dim_names, chunk=self.recipe.chunk,
            rate_hz=self.recipe.rate_hz, normalization=self.normalization, execution=Execution("ensemble", k=0.01, every_ticks=8),
            newest_dims=tuple(i for i, name in enumerate(dim_names) if name.endswith("gripper")),
            instruction=instruction,
        )  # fmt: skip

    def _judged(self) -> Judgement:
        found = self.judge()
        if self.best is None or found.loss < self.best.loss:
            self.best = found
            self._best = {name: tensor.clone() for name, tensor in self._mean.module.state_dict().items()}
        self._save()
        return found

    def _identity(self) -> str:
        return msgspec.json.encode([self.recipe, self.normalization]).decode()

    def _save(self) -> None:
        part = self.checkpoint.with_suffix(".part")
        torch.save(
            {
                "of": self._identity(), "step": self.step, "student": self._student.state_dict(),
                "mean": self._mean.state_dict(), "optimizer": self._optimizer.state_dict(),
                "best": self._best, "judgement": list(self.best or ()),
            },
            part,
        )  # fmt: skip
        os.replace(part, self.checkpoint)

    def _resume(self) -> None:
        if not self.checkpoint.exists():
            return
        saved = torch.load(self.checkpoint, weights_only=True)
        if saved["of"] != self._identity():
            found = "is of another recipe, or of other demonstrations"
            raise PolicyError(self.checkpoint, "checkpoint", found, "name another folder, or move this one away")
        self._student.load_state_dict(saved["student"])
        self._mean.load_state_dict(saved["mean"])
        self._optimizer.load_state_dict(saved["optimizer"])
        self.step, self._best = saved["step"], saved["best"]
        self.best = Judgement(*saved["judgement"]) if saved["judgement"] else None


def _losses(student: nn.Module, batch: Batch) -> tuple[Tensor, Tensor]:
    """Of the actions, and of the grasp."""
    actions, grasp = student(torch.from_numpy(batch.state), torch.from_numpy(batch.images))
    known = torch.from_numpy(batch.grasp_known)
    off = (grasp - torch.from_numpy(batch.grasp)).abs() * known
    return (actions - torch.from_numpy(batch.actions)).abs().mean(), off.sum() / known.sum().clamp(min=1)


def _rate(step: int, steps: int) -> float:
    """Linear warm-up, then half a cosine to nothing."""
    if step < _WARM_UP:
        return (step + 1) / _WARM_UP
    return 0.5 * (1 + math.cos(math.pi * min(1.0, (step - _WARM_UP) / max(1, steps - _WARM_UP))))
