"""docs/policies-faults.md says what a policy's faults look like; here each is played again."""

import pytest

from tests.station.policy import fault_table


@pytest.mark.parametrize("backend", [name for name in fault_table.BACKENDS if name != "torchscript"])
def test_every_fault_is_told_as_the_page_says(backend: str) -> None:
    found = fault_table.rows(backend)
    assert fault_table.written(backend) == found, "run: python -m tests.station.policy.fault_table"
    for line in found:
        _, fault, operator, file, _ = (part.strip() for part in line.split("|"))
        assert operator.startswith(("refused: ", "holds: ", "runs")), fault
        if operator.startswith("holds: "):
            assert "starved ticks 0" not in file and "nan" not in file


def test_the_page_has_every_backend_and_fault() -> None:
    for backend in fault_table.BACKENDS:
        assert len(fault_table.written(backend)) == len(fault_table.FAULTS), backend
