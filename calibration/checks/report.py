"""A check's result for people and programs: a table on the terminal, JSON, one self-contained HTML page with pictures."""

import base64
import datetime
import html
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from rich.table import Table
from rich.text import Text

from station.files.check_results import CheckResult, Finding, limit_text, value_text
from station.terminal.screen import numbers
from station.terminal.shown import shown

if TYPE_CHECKING:
    from calibration.checks.cameras import Picture

COLUMNS = ("", "device", "what", "value", "limit", "next")
_COLOURS = {"pass": "green", "warn": "yellow", "fail": "bold red", "unchecked": "cyan"}


def table(result: CheckResult, everything: bool = True) -> Table:
    """For the terminal: what is not well first. Without `everything` what passes is only counted."""
    passed = sum(finding.verdict == "pass" for finding in result.findings)
    rows = numbers(COLUMNS, COLUMNS, f"check: {result.verdict}")
    rows.caption, rows.caption_justify = "" if everything else f"{passed} passed (--all lists them)", "left"
    rows.columns[0].no_wrap = True
    # whose it is, whole, however narrow the terminal; of two arms one below the other
    rows.columns[1].width = max(
        (len(name) for finding in result.findings for name in finding.device.split()), default=0
    )
    for finding in _worst_first(result):
        if finding.verdict == "pass" and not everything:
            continue
        rows.add_row(
            Text(finding.verdict, style=_COLOURS[finding.verdict]), *(Text(shown(cell)) for cell in _cells(finding))
        )
    return rows


class Header(NamedTuple):
    """Whose check it was."""

    rig: str
    rig_sha256: str
    at: datetime.datetime
    operator: str = ""
    station_version: str = ""

    def lines(self) -> list[tuple[str, str]]:
        """What stands above the findings."""
        return [
            ("rig", f"{self.rig} (file {self.rig_sha256[:12]})"),
            ("date", f"{self.at:%Y-%m-%d %H:%M %Z}".strip()),
            ("operator", self.operator or "not named"),
            ("station", self.station_version),
        ]


def page(result: CheckResult, pictures: "Sequence[Picture]", header: Header) -> str:
    """One HTML file that needs no other: whose, when, the findings, and per camera the reference beside now with the drift as arrows."""
    title = f"check of {header.rig}"
    about = "<br>".join(f"{name}: {_escaped(value)}" for name, value in header.lines() if value)
    loud = [f for f in _worst_first(result) if f.verdict != "pass"]
    quiet = [f for f in result.findings if f.verdict == "pass"]
    troubled = [f.device for f in loud if f.verdict in ("fail", "warn")]
    figures = "\n".join(
        _figure(picture) for picture in sorted(pictures, key=lambda picture: picture.camera not in troubled)
    )
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>{_escaped(title)}: {result.verdict}</title>
<style>
body {{ font: 15px/1.4 system-ui, sans-serif; margin: 2em; max-width: 75em }}
table {{ border-collapse: collapse }} td, th {{ padding: .25em .7em; border-bottom: 1px solid #ccc; text-align: left }}
.pass td:first-child {{ color: #0a7d28 }} .warn td:first-child {{ color: #b36b00 }}
.fail td:first-child {{ color: #c00; font-weight: bold }} .unchecked td:first-child {{ color: #06c }}
td:nth-child(5) {{ white-space: nowrap }} img {{ width: 48% }} figure {{ margin: 1.5em 0 }}
</style></head><body>
<h1>{_escaped(title)}: {result.verdict}</h1>
<p>{about}</p>
{_rows(loud)}
{figures}
<details><summary>{len(quiet)} passed</summary>
{_rows(quiet)}
</details>
</body></html>
"""


def _worst_first(result: CheckResult) -> list[Finding]:
    order = ("fail", "warn", "unchecked", "pass")
    return sorted(result.findings, key=lambda finding: order.index(finding.verdict))


def _rows(findings: Sequence[Finding]) -> str:
    rows = "\n".join(
        f'<tr class="{f.verdict}"><td>{f.verdict}</td>'
        + "".join(f"<td>{_escaped(text)}</td>" for text in _cells(f))
        + "</tr>"
        for f in findings
    )
    head = "<tr><th></th><th>device</th><th>what</th><th>value</th><th>limit</th><th>next</th></tr>"
    return f"<table>{head}\n{rows}\n</table>"


def _escaped(text: str) -> str:
    return html.escape(shown(text))


def _cells(finding: Finding) -> tuple[str, ...]:
    return finding.device, finding.name, value_text(finding), limit_text(finding), finding.next


def _figure(picture: "Picture") -> str:
    from calibration.looks import ARROW_SCALE  # here: it brings OpenCV

    reference = _embedded(picture.reference_jpeg)
    now = _embedded(drawn(picture))
    caption = f"{_escaped(picture.camera)}: the reference, and now; arrows show the drift {ARROW_SCALE} times enlarged"
    return f'<figure><img src="{reference}" alt="reference"> <img src="{now}" alt="now"><figcaption>{caption}</figcaption></figure>'


def drawn(picture: "Picture") -> bytes:
    """Now, with the drift as arrows. JPEG."""
    import cv2  # here: the table for a terminal needs no OpenCV
    import numpy as np

    from calibration.looks import draw_drift

    now = np.asarray(cv2.imdecode(np.frombuffer(picture.now_jpeg, np.uint8), cv2.IMREAD_COLOR))
    draw_drift(np.asarray(now, np.uint8), picture.arrows)
    return bytes(cv2.imencode(".jpg", now, (cv2.IMWRITE_JPEG_QUALITY, 88))[1])


def _embedded(jpeg: bytes) -> str:
    return "data:image/jpeg;base64," + base64.b64encode(jpeg).decode()
