"""CONTRIBUTING sends newcomers to files: they are there, and hold what they are said to hold."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
PLACES = re.findall(r"^\| (.+?) \| \[(.+?)\]\((.+?)\): `(\w+)` \|$", PAGE, re.MULTILINE)


def section(title: str) -> str:
    return PAGE.split(f"## {title}", 1)[1].split("\n## ", 1)[0]


def test_every_line_of_the_table_is_such_a_place() -> None:
    lines = [
        line for line in section("Where is …?").splitlines() if line.startswith("| ") and not line.startswith("| …")
    ]
    assert len(lines) == len(PLACES) >= 20


@pytest.mark.parametrize(("what", "shown", "path", "symbol"), PLACES, ids=[what for what, *_ in PLACES])
def test_what_is_looked_for_is_where_it_is_said_to_be(what: str, shown: str, path: str, symbol: str) -> None:
    assert shown == path, what
    names = set()
    for node in ast.parse((ROOT / path).read_text()).body:
        match node:
            case ast.ClassDef() | ast.FunctionDef():
                names.add(node.name)
            case ast.Assign():
                names |= {target.id for target in node.targets if isinstance(target, ast.Name)}
            case ast.AnnAssign(target=ast.Name(id=name)):
                names.add(name)
    assert symbol in names


def test_what_is_to_be_touched_exists() -> None:
    paths = set(re.findall(r"[`(]((?:station|drivers|calibration|tests|docs)/[\w./-]*)[`)]", PAGE))
    assert len(paths) > 30
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []
