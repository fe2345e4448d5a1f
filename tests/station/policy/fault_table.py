"""What goes wrong with a policy, what its operator then reads, and what the episode's file says: docs/policies-faults.md.

Every cell is played: the folder is loaded by the runner's own worker, asked by its own core, tick by tick, and what the core
asks and counts is what is printed. Time is made up, except a server's. `python -m tests.station.policy.fault_table` writes
the page; a test plays it again and compares.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from unittest import mock

import h5py
import numpy as np
from onnx import helper

from station.clock import monotonic_ns
from station.episodes.survey import policy_run
from station.policy import backend as backends
from station.policy.backend import Observation
from station.policy.backends import openpi
from station.policy.backends.openpi_wire import pack
from station.policy.runner_core import FAULTS_IN_A_ROW, RunnerCore
from station.policy.worker import Answer, Begin, Failure, Infer, Load, LoadFailed, Worker
from tests.station.policy import policies
from tests.station.policy.backends.policy_server import PolicyServer, serving
from tests.station.policy.test_observation import tick

PAGE = Path(__file__).parents[3] / "docs/policies-faults.md"
TICK_NS = 20_000_000
FAULTS = ("kept state", "late", "silent", "wrong shape", "wrong type", "NaN", "other dialect")
BACKENDS = ("onnx", "torchscript", "replay", "openpi", "a third party's")
CHUNK, LATE_NS = 10, 300_000_000
PLAIN = {"mean": [0.0] * 3, "std": [1.0] * 3}
SOUND: dict[str, Any] = {
    "cameras": [],
    "image": None,
    "chunk": CHUNK,
    "normalization": {"state": PLAIN, "action": PLAIN},
}
TITLE = """# What goes wrong with a policy

Played and written by `python -m tests.station.policy.fault_table`; a test plays it again. A chunk is 10 rows at 50 Hz here, 200 ms.
*Refused* is said before anything is engaged, and there is no episode. Where the arms hold, the episode ends with that reason in
`ended`, and its attributes count what came before: a hold's counts are published before the hold is asked for.
"""


class Cell(NamedTuple):
    """One fault of one backend."""

    operator: str
    file: str


class Played(NamedTuple):
    """A folder, and what happens to it after its first answer."""

    folder: Path
    latency_ns: int | None = 5_000_000
    """Made up; None: it never answers."""
    after: Callable[[], None] = lambda: None
    real: bool = False
    """How long an answer really takes counts."""


def play(played: Played) -> Cell:
    """Load it, run it until it holds or half a second has passed."""
    worker = Worker(monotonic_ns)
    loaded = worker._do(Load(played.folder))
    try:
        if isinstance(loaded, LoadFailed):
            return Cell(f"refused: {loaded.why}", "no episode")
        assert loaded is not None and not isinstance(loaded, Answer | Failure)
        core = RunnerCore(loaded.policy, 50)
        worker._do(Begin(core.begin()))
        said = _run(worker, core, played)
        counts = policy_run([{"starved_ticks": 0.0, "faults": 0.0}, core.readings(_Now.ns)])
        long = counts.delay_p95_ms > CHUNK * TICK_NS / 2e6
        text = f"starved ticks {counts.starved_ticks}, faults {counts.faults}, delay p95 {'above' if long else 'below'} 100 ms"
        note = f"runs; `station status` notes: {loaded.note}" if loaded.note else "runs"
        return Cell(f"holds: {said}" if said else note, f"{text}; `policy`: {_hashed(loaded.identity)}")
    finally:
        worker._close()
        os.close(worker.wakes)  # its thread was never started


class _Now:
    ns = 0


def _run(worker: Worker, core: RunnerCore, played: Played) -> str:
    pending: tuple[int, Any] | None = None
    for k in range(1, 60):
        _Now.ns = k * TICK_NS
        if pending is not None and pending[0] <= _Now.ns:
            at_ns, result = pending
            pending = None
            if isinstance(result, Answer):
                core.answered(core.rollout, result.t_obs_ns, result.actions, at_ns - result.t_obs_ns, at_ns)
            else:
                core.failed(core.rollout, result.why, at_ns)
        setpoint = core.tick(k, _Now.ns)
        if setpoint is not None and setpoint.hold:
            return setpoint.why
        if core.may_infer():
            first = not core.delay.percentile_ms(50) >= 0
            if not first:
                played.after()
            core.inferring(_Now.ns)
            latency_ns = 5_000_000 if first else played.latency_ns
            if latency_ns is not None:
                result, took_ns, core.trouble = _asked(worker, Infer(core.rollout, (tick(k),)))
                if played.real:
                    latency_ns = max(latency_ns, took_ns)
                else:
                    core.trouble = ""
                if isinstance(result, Answer):
                    result = result._replace(t_obs_ns=_Now.ns)
                pending = _Now.ns + latency_ns, result
    return ""


def _asked(worker: Worker, job: Infer) -> tuple[Any, int, str]:
    """The answer, how long it really took where that is worth counting, and what the backend said was wrong meanwhile."""
    found: list[Any] = []
    began_ns, trouble = monotonic_ns(), ""
    asking = threading.Thread(target=lambda: found.append(worker._do(job)))
    asking.start()
    while asking.is_alive():
        trouble = worker.trouble or trouble
        asking.join(0.001)
    took_ns = monotonic_ns() - began_ns
    return found[0], took_ns if took_ns > TICK_NS * CHUNK else 0, trouble if took_ns > TICK_NS * CHUNK else ""


def _hashed(identity: str) -> str:
    """Which files are in it."""
    found = re.findall(r"([\w.:/]+) (says )?sha256:", identity)
    return ", ".join("what the server says of itself" if says else f"`{name}`" for name, says in found)


def onnx_folder(folder: Path, fault: str) -> Played:
    """A graph of each temper."""
    policies.write(folder, **SOUND)
    path, wanted = folder / "policy.onnx", policies.settings(**SOUND)
    if fault == "kept state":  # all that a graph can do of the kind: noise that nobody seeds
        info = [helper.make_tensor_value_info("state", policies.FLOAT, [1, 3])]
        noise = helper.make_node("RandomNormal", [], ["noise"], shape=[1, CHUNK, 3])
        nodes = [noise, helper.make_node("Add", ["noise", "state"], ["actions"])]
        policies.save(path, nodes, info, {"actions": [1, CHUNK, 3]}, {})
    elif fault == "wrong shape":
        policies.act(path, wanted | {"chunk": CHUNK + 1})
    elif fault == "wrong type":
        info = [helper.make_tensor_value_info("state", policies.FLOAT, [1, 3])]
        import onnx

        cast = helper.make_node("Cast", ["wide"], ["actions"], to=policies.INT64)
        grown = helper.make_node("Expand", ["state", "shape"], ["wide"])
        shape = onnx.numpy_helper.from_array(np.array([1, CHUNK, 3]), "shape")
        out = [helper.make_tensor_value_info("actions", policies.INT64, [1, CHUNK, 3])]
        graph = helper.make_graph([grown, cast], "policy", info, out, [shape])
        onnx.save(helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path)
    elif fault == "NaN":
        info = [helper.make_tensor_value_info("state", policies.FLOAT, [1, 3])]
        nodes = [
            helper.make_node("Expand", ["nan", "shape"], ["wide"]),
            helper.make_node("Add", ["wide", "state"], ["actions"]),
        ]
        policies.save(
            path, nodes, info, {"actions": [1, CHUNK, 3]}, {"nan": np.float32(np.nan), "shape": np.array([1, CHUNK, 3])}
        )
    elif fault == "other dialect":
        path.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n")
    return Played(folder, *_timing(fault))


def replay_folder(folder: Path, fault: str) -> Played:
    """An episode of each temper."""
    policies.write(
        folder, graph=False, **(SOUND | {"backend": "replay", "weights": "episode_0.hdf5", "normalization": None})
    )
    path = folder / "episode_0.hdf5"
    rows = np.zeros((90, 4 if fault == "wrong shape" else 3), np.int64 if fault == "wrong type" else np.float32)
    if fault == "NaN":
        rows[7] = np.nan
    if fault == "other dialect":
        path.write_text("not HDF5")
    else:
        with h5py.File(path, "w") as file:
            file["action"] = rows
            file.attrs["tick_hz"] = 50.0
    return Played(folder, *_timing(fault))


class Temper:
    """A third party's backend."""

    def __init__(self, fault: str) -> None:
        self.fault, self.on, self.count = fault, fault in ("kept state", "wrong shape", "wrong type", "NaN"), 0.0

    def begin(self) -> None:
        if self.fault != "kept state":
            self.count = 0.0

    def infer(self, observation: Observation) -> Any:
        self.count += 0.01
        rows = np.full((CHUNK, 3), self.count)
        if not self.on:
            return rows
        return {"wrong shape": rows[1:], "wrong type": rows.astype(int), "NaN": rows * np.nan}.get(self.fault, rows)

    def close(self) -> None:
        pass


class Point:
    """An installed entry point."""

    name = "theirs"

    def __init__(self, temper: Temper) -> None:
        self._temper = temper

    def load(self) -> Callable[[Any], Temper]:
        return lambda _policy: self._temper


def torchscript_folder(folder: Path, fault: str) -> Played:
    """A module of each temper."""
    import torch

    class Module(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(1))

        def forward(self, state: torch.Tensor) -> torch.Tensor:
            if self.fault == "kept state":
                self.seen += state.abs().mean()
            rows = state[:, None].repeat(1, self.rows, 1) + self.seen
            return rows.long() if self.fault == "wrong type" else rows * self.factor

    module = Module()
    module.fault, module.rows = fault, CHUNK + (fault == "wrong shape")
    module.factor = float("nan") if fault == "NaN" else 1.0
    policies.write(folder, graph=False, **(SOUND | {"backend": "torchscript", "weights": "policy.pt"}))
    if fault == "other dialect":
        torch.save(module.state_dict(), folder / "policy.pt")
    else:
        with torch.no_grad():
            torch.jit.save(torch.jit.trace(module, torch.zeros(1, 3), check_trace=False), str(folder / "policy.pt"))
    return Played(folder, *_timing(fault))


def _timing(fault: str) -> tuple[int | None]:
    return ({"late": LATE_NS, "silent": None}.get(fault, 5_000_000),)


@contextmanager
def server_folder(folder: Path, fault: str) -> Iterator[Played]:
    """A server of each temper; it turns so after its first answer, and is not to be waited for as long as real ones."""
    server = PolicyServer(CHUNK, 3)
    answers: dict[str, Any] = {
        "wrong shape": np.zeros((CHUNK, 2)), "wrong type": np.zeros((CHUNK, 3), np.int64), "NaN": np.full((CHUNK, 3), np.nan),
        "other dialect": {b"nd": True, b"type": "<f8", b"kind": b"", b"shape": [CHUNK, 3], b"data": bytes(24 * CHUNK)},
    }  # fmt: skip
    counted = [0.0]

    def counting(server: PolicyServer, link: Any, question: dict[str, Any]) -> None:
        counted[0] += 0.01
        link.send(pack({"actions": np.full(server.shape, counted[0])}))

    with ExitStack() as running:
        if fault in ("late", "silent"):
            running.enter_context(mock.patch.object(openpi, "SHORTEST_NS", CHUNK * TICK_NS))
        served = running.enter_context(ExitStack())
        port = served.enter_context(serving(server))
        policies.write(
            folder,
            graph=False,
            **(SOUND | {"backend": "openpi", "weights": f"ws://127.0.0.1:{port}", "normalization": None}),
        )
        if fault == "kept state":
            server.behave = counting
            yield Played(folder)
            return

        def turn() -> None:
            if fault in answers:
                server.behave = lambda server, link, question: link.send(pack({"actions": answers[fault]}))
            elif fault == "late":
                server.behave = PolicyServer.slow
            elif fault == "silent":
                served.close()

        yield Played(folder, after=turn, real=fault == "late")


def cell(backend: str, fault: str) -> Cell:
    """Play one."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch) / "cube"
        if backend == "openpi":
            with server_folder(folder, fault) as played:
                found = play(played)
        elif backend == "a third party's":
            temper = Temper(fault)
            policies.write(
                folder, graph=False, **(SOUND | {"backend": "theirs", "weights": "none", "normalization": None})
            )
            with mock.patch.object(backends, "entry_points", return_value=[Point(temper)]):
                found = play(Played(folder, *_timing(fault)))
        else:
            make = {"onnx": onnx_folder, "replay": replay_folder, "torchscript": torchscript_folder}[backend]
            found = play(make(folder, fault))
        return Cell(*(_told(text, scratch) for text in found))


def _told(text: str, scratch: str) -> str:
    """What differs from one time to the next is left out."""
    text = text.replace(f"{scratch}/cube/", "").replace(scratch, "").replace(f"/private{scratch}", "")
    text = re.sub(r"127\.0\.0\.1:\d+", "HOST:8000", text)
    text = re.sub(r"\(by up to [\d.e+-]+\)", "(by up to …)", text)
    return text.replace("|", "¦").replace("\n", " ")


def rows(backend: str) -> list[str]:
    """The table of one backend."""
    return [f"| {fault} | {found.operator} | {found.file} |" for fault in FAULTS for found in [cell(backend, fault)]]


def section(backend: str, lines: list[str]) -> str:
    """With its heading."""
    return "\n".join([f"## {backend}\n", "| fault | the operator reads | the file says |", "|---|---|---|", *lines, ""])


def written(backend: str) -> list[str]:
    """A backend's rows on the page as it is."""
    text = PAGE.read_text() if PAGE.is_file() else ""
    part = text.partition(f"## {backend}\n")[2].partition("\n## ")[0]
    return [line for line in part.splitlines() if line.startswith("| ") and not line.startswith("| fault")]


def page() -> str:
    """The whole page; a backend whose library is not installed keeps its rows."""
    found = {name: written(name) if name == "torchscript" and not has_torch() else rows(name) for name in BACKENDS}
    return TITLE + "\n" + "\n".join(section(name, lines) for name, lines in found.items())


def has_torch() -> bool:
    try:
        import torch  # noqa: F401
    except ImportError:
        return False
    return True


assert FAULTS_IN_A_ROW > 1, "one bad answer ends nothing"

if __name__ == "__main__":
    PAGE.write_text(page())
    sys.stdout.write(f"{PAGE}\n")
