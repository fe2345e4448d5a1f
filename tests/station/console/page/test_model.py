"""The page's own logic, in Node's test runner: with the very table of actions that the server hands out."""

import json
import re
import shutil
import subprocess
from pathlib import Path

from station.console import view
from station.console.server import PAGE

TESTS = Path(__file__).parent


def test_state_becomes_what_is_shown(tmp_path: Path) -> None:
    actions = tmp_path / "actions.json"
    actions.write_text(json.dumps(view.action_table()))
    node = shutil.which("node")
    assert node is not None, "Node.js is needed. Next: make test, which installs it"
    done = subprocess.run(
        [node, "--test", *map(str, TESTS.glob("*.test.mjs"))],
        env={"ACTIONS": str(actions)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_word_that_is_used_is_in_the_dictionary() -> None:
    words = (PAGE / "words.js").read_text()
    used = {key for path in PAGE.glob("*.js") for key in re.findall(r"\bt\('([a-z.]+)'", path.read_text())}
    missing = [key for key in sorted(used) if f"'{key}':" not in words]
    assert used and not missing


def test_nothing_of_the_page_comes_from_elsewhere_or_evaluates_text() -> None:
    for path in [*PAGE.glob("*.js"), PAGE / "index.html", PAGE / "style.css"]:
        text = path.read_text()
        assert "http://" not in text and "https://" not in text, path
        assert not re.search(r"innerHTML|eval\(|new Function|unsafeHTML|\sstyle=|\son\w+=", text), path
