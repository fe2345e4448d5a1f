"""The rows of docs/policies-faults.md that need torch."""

import pytest

from tests.station.policy import fault_table

pytestmark = [pytest.mark.torch, pytest.mark.timeout(300)]


@pytest.mark.filterwarnings("ignore:.*torch.jit:DeprecationWarning", "ignore::Warning")
def test_torchscript_is_told_as_the_page_says() -> None:
    assert fault_table.written("torchscript") == fault_table.rows("torchscript"), (
        "run: python -m tests.station.policy.fault_table"
    )
