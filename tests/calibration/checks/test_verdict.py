import base64
import datetime
import io
from pathlib import Path

import cv2
import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from calibration.checks import report
from calibration.checks import verdict as v
from calibration.checks.cameras import Picture
from calibration.maths.registration import Arrow
from station.files import check_results
from station.files.check_results import CheckResult, Finding, StoredCheck
from station.terminal.screen import PlainConsole
from station.terminal.told import as_text
from tests.pictures import bgr

FINDING = st.builds(
    Finding, st.just("cam_high"), st.just("place"), st.sampled_from(["pass", "warn", "fail", "unchecked"]), st.floats(0, 9), st.just("mm"),
    st.floats(0, 9), st.just(""),
)  # fmt: skip


@given(st.lists(FINDING, max_size=6))
def test_nothing_unchecked_bad_or_absent_ever_passes(findings: list[Finding]) -> None:
    result = v.overall(findings)
    verdicts = {finding.verdict for finding in findings}
    assert (result.verdict == "fail") == ("fail" in verdicts)
    assert (result.verdict == "pass") == (verdicts == {"pass"})
    assert result.findings == tuple(findings)


def test_limits_warn_then_fail_and_name_what_they_broke() -> None:
    limits = (1.0, 2.0)
    for value, verdict, limit in ((1.0, "pass", 1.0), (1.5, "warn", 1.0), (2.5, "fail", 2.0)):
        finding = v.above("leader_left", "zero", value, "°", limits, "zero it")
        assert (finding.verdict, finding.limit) == (verdict, limit)
        assert finding.next == ("" if verdict == "pass" else "zero it")
    assert [v.below("a", "b", x, "V", (11.0, 10.0), "").verdict for x in (11.0, 10.5, 9.0)] == ["pass", "warn", "fail"]
    assert v.above("a", "b", float("nan"), "°", limits, "").verdict == "unchecked"
    assert v.same("cam_low", "identity", "cam_high", "cam_low", "swap").verdict == "fail"


def _jpeg(shade: int) -> bytes:
    return cv2.imencode(".jpg", np.full((48, 64, 3), shade, np.uint8))[1].tobytes()


def test_the_report_tells_the_same_three_times() -> None:
    findings = [
        v.above("cam_high", "place", 5.0, "mm", (1.5, 2.5), "put it <back>"),
        v.unchecked("cam_low", "place", "no reference", "calibrate"),
    ]
    result = v.overall(findings)
    assert msgspec.json.decode(as_text(result)) == {
        "verdict": "fail",
        "findings": [
            {"device": "cam_high", "name": "place", "verdict": "fail", "value": 5.0, "unit": "mm", "limit": 2.5, "next": "put it <back>"},
            {"device": "cam_low", "name": "place", "verdict": "unchecked", "value": "no reference", "unit": "", "limit": None,
             "next": "calibrate"},
        ],
    }  # fmt: skip
    at = datetime.datetime(2026, 11, 29, 17, 5, tzinfo=datetime.UTC)
    header = report.Header("sim", "abc" * 20, at, "ada <x>", "1.2.0")
    page = report.page(result, [Picture("cam_high", _jpeg(20), _jpeg(90), (Arrow(20, 20, 1.0, 0.5),))], header)
    assert "check of sim: fail" in page and "2026-11-29 17:05" in page
    assert "operator: ada &lt;x&gt;" in page and "file abcabcabcabc" in page
    assert "put it &lt;back&gt;" in page
    assert page.count("data:image/jpeg;base64,") == 2
    assert 'src="http' not in page
    out = io.StringIO()
    Console(file=out, width=160).print(report.table(result))
    assert out.getvalue().index("fail") < out.getvalue().index("no reference")


def test_a_terminal_of_80_columns_shows_whose_it_is_and_every_word_of_what_to_do() -> None:
    act = "look at the picture of --html; `station calibrate cameras` when it was meant"
    findings = [
        v.above("cam_right_wrist", "place of the camera", 5.0, "mm", (1.5, 2.5), act),
        v.unchecked("leader_right, follower_right", "leader against follower", "neither engaged", "park first"),
    ]
    out = io.StringIO()
    PlainConsole(file=out, width=80).print(report.table(v.overall(findings), everything=False))
    assert "cam_right_wrist " in out.getvalue()
    assert " leader_right,  " in out.getvalue() and " follower_right " in out.getvalue()
    assert "…" not in out.getvalue()
    assert max(len(line.rstrip()) for line in out.getvalue().splitlines()) <= 80
    words = out.getvalue().split()
    assert not [word for word in act.split() if word not in words]


def test_the_drift_is_drawn_where_it_is() -> None:
    now = report.drawn(Picture("cam_high", _jpeg(90), _jpeg(90), (Arrow(20, 20, 2.0, 0.0),)))
    picture = bgr(now)
    red = (picture[..., 2].astype(int) - picture[..., 0]) > 80
    assert red[20, 28]
    assert not red[40].any()
    assert base64.b64encode(now)


def test_a_check_is_due_when_old_failed_of_another_rig_or_absent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert "not been checked" in check_results.due("aloha", "x", 0.0, 8)
    stored = StoredCheck("x", 1000.0, CheckResult("warn", ()))
    check_results.store("aloha", stored)
    assert check_results.last("aloha") == stored
    assert check_results.due("aloha", "x", 1000.0 + 3600, 8) == ""
    assert "9.0 h old" in check_results.due("aloha", "x", 1000.0 + 9 * 3600, 8)
    assert "old" in check_results.due("aloha", "x", 500.0, 8)
    assert "changed" in check_results.due("aloha", "y", 1000.0, 8)
    check_results.store("aloha", msgspec.structs.replace(stored, result=CheckResult("fail", ())))
    assert "failed" in check_results.due("aloha", "x", 1000.0, 8)
    check_results.path_of("aloha").write_text("{")
    assert check_results.last("aloha") is None
