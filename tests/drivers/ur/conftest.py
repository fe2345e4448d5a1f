from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.drivers.ur.driven import Driven
from tests.drivers.ur.metal import Metal

Made = Callable[..., Driven]


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """A loaded machine must not look like a program that does not start."""
    monkeypatch.setattr("drivers.ur.arm.STARTS_NS", 10_000_000_000)


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    """A controller, its driver open and read; both end with the test."""
    with ExitStack() as stack:

        def make(**keys: Any) -> Driven:
            metal = stack.enter_context(
                Metal(float(keys.pop("skew_ppm", 0.0)), unlock_s=float(keys.pop("unlock_s", 1.0)))
            )
            return stack.enter_context(Driven(metal, tmp_path, **keys))

        yield make
