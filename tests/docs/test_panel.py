from pathlib import Path

import pytest

from docs import panel

DOCS = Path(__file__).parents[2] / "docs"


@pytest.mark.parametrize("name", ["panel.svg", "panel-hold.svg"])
def test_the_guides_pictures_of_the_panel_are_current(name: str) -> None:
    assert (DOCS / "guide" / name).read_text() == panel.pictures()[name], "run `python docs/panel.py`"
