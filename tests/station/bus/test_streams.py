"""The names of streams: one function for ticks and files alike."""

from itertools import permutations

import pytest

from station.bus.streams import DEVICE_KINDS, STREAMS, period_ns, stream_names
from station.devices.contract import Description, StreamDescription
from station.episodes import layout
from station.errors import EpisodeError


@pytest.mark.parametrize(
    ("kinds", "expected"),
    [
        (("frame",), {"frame": "x"}),
        (("frame", "depth"), {"frame": "x", "depth": "x_depth"}),
        (("depth",), {"depth": "x"}),
        (("arm_state", "vector"), {"arm_state": "x", "vector": "x_vector"}),
        (("vector",), {"vector": "x"}),
        (("hand_pose", "vector", "depth"), {"hand_pose": "x", "vector": "x_vector", "depth": "x_depth"}),
    ],
)
def test_the_main_stream_has_the_nodes_name_whatever_comes_first(
    kinds: tuple[str, ...], expected: dict[str, str]
) -> None:
    for order in permutations(kinds):
        assert stream_names("x", order) == expected
        described = {"x": Description("m", "", "", tuple(StreamDescription(kind, 30.0) for kind in order))}
        assert layout.streams(described) == {name: (kind, "x") for kind, name in expected.items()}


def test_what_no_device_may_publish_has_no_name() -> None:
    assert stream_names("x", ("tick", "row", "command", "none of ours", "frame")) == {"frame": "x"}
    assert sorted(stream_names("x", DEVICE_KINDS).values()) == sorted(set(stream_names("x", DEVICE_KINDS).values()))


def test_two_streams_of_one_name_are_refused_by_the_names_of_both() -> None:
    both = (StreamDescription("frame", 30.0), StreamDescription("depth", 30.0))
    descriptions = {"cam": Description("m", "", "", both), "cam_depth": Description("m", "", "", both[:1])}
    with pytest.raises(EpisodeError, match="frame of cam_depth and the depth of cam would both be called cam_depth"):
        layout.streams(descriptions)


def test_nodes_take_their_pace_from_the_table_and_what_others_pace_has_none() -> None:
    assert period_ns("session") == 200_000_000
    for kind in STREAMS.values():
        if kind.rate_hz is None:
            with pytest.raises(ValueError, match=f"gives {kind.name} no rate"):
                period_ns(kind.name)
        else:
            assert period_ns(kind.name) * kind.rate_hz == pytest.approx(1e9)
