"""Who asks waits longer than whoever it asks: the table of time-outs, added up."""

from typing import get_args

import pytest

from station.bus import requests
from station.bus.requests import Align, Engage, OpenSession, Request
from station.bus.requests.time_outs import OTHERS_S, TIME_OUTS, WITHOUT_HANDS, TimeOut, time_out_s
from station.control.alignment import LONGEST_NS
from station.sync import recording_core

ROWS = [(kind, row) for rows in (TIME_OUTS, WITHOUT_HANDS) for kind, row in rows.items()]
SLACK_S = 1.0
"""For the way there and back on a busy computer."""


@pytest.mark.parametrize(("kind", "row"), ROWS, ids=lambda value: getattr(value, "__name__", ""))
def test_a_time_out_is_longer_than_what_it_waits_for(kind: type[Request], row: TimeOut) -> None:
    waited_s = row.work_s + sum(time_out_s(other) for other in row.waits_for)
    assert row.seconds >= waited_s + SLACK_S, f"{kind.__name__} is given up while {row.waits_for} may still be answered"


def test_what_waits_is_in_the_table_itself() -> None:
    """A request without a row is answered at once: nobody may rely on one that waits for others."""
    unions = [get_args(union) for name, union in vars(requests).items() if name.endswith("Request") and get_args(union)]
    known = {kind for union in unions for kind in union}
    waiting = {other for _, row in ROWS for other in row.waits_for}
    assert waiting <= set(TIME_OUTS)
    assert set(requests.SessionRequest.__args__) | set(requests.PilotRequest.__args__) <= set(TIME_OUTS)
    assert set(TIME_OUTS) <= known | {requests.PrepareScene, requests.SaveTruth}


def test_what_is_said_to_take_so_long_does() -> None:
    assert time_out_s(Engage) * 1e9 > LONGEST_NS
    assert time_out_s(requests.BeginRecording) * 1e9 > recording_core.PATIENCE_NS


def test_an_operators_hands_are_waited_for_only_where_they_may_be() -> None:
    assert time_out_s(OpenSession("t", opening=False)) == time_out_s(Align, hands=False) < 60
    assert time_out_s(OpenSession("t", opening=None)) == time_out_s(OpenSession("t", opening=True)) > 600
    assert time_out_s(requests.Restart("cam")) == OTHERS_S
