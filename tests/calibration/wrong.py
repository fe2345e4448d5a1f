"""Wrong boards, views, poses and arms: each is refused with its cause, and nothing of it is stored.

`python -m tests.calibration.wrong` prints the table of docs/calibration.md; `test_wrong.py` is the same as a test.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from calibration.maths.lens import Lens
from calibration.maths.poses import from_vectors
from station.errors import StationError
from station.files import calibration_files
from tests.calibration.careless import (
    NARROW,
    SQUEEZED,
    Bench,
    bench,
    chessboard,
    crumpled,
    disagree,
    early,
    few_views,
    gello,
    gripper,
    know_lens,
    latency,
    lens,
    moving_board,
    one_view,
    place,
    print_of,
    printed,
    reference,
    rest,
    shaped,
    shared,
    shift,
    torque_comes_on,
    walking,
    wrist,
)
from tests.calibration.made_up_rig import GRAY, REST
from tests.calibration.rendering import LENS
from tests.calibration.servo_settings import gello_since, gives_torque, zeroed_with_fault


class Wrong(NamedTuple):
    """One case: what is done, and what the refusal must say."""

    name: str
    attempt: Callable[[Bench], object]
    cause: str
    lens_known: bool = False


def refused(case: Wrong) -> tuple[str, list[str]]:
    """What the operator is told, and the files that were stored or changed all the same."""
    with bench() as made:
        if case.lens_known:
            know_lens()
        before = _files()
        try:
            case.attempt(made)
            told = ""
        except StationError as error:
            told = str(error)
        after = _files()
        return told, [name for name in after if after[name] != before.get(name)]


def _files() -> dict[str, bytes]:
    folder = calibration_files.folder()
    return {path.name: path.read_bytes() for path in folder.glob("*.json")} if folder.is_dir() else {}


CASES = (
    Wrong("board slid about at one tilt", lambda b: lens(b, lambda: (30, 10), roll=0), "all have the same tilt"),
    Wrong("the same before a narrow lens", lambda b: lens(b, lambda: (30, 10), roll=0, lens=NARROW, near=2.0), "too much alike|disagree"),
    Wrong("board at one tilt, turned in its plane", lambda b: lens(b, lambda: (30, 10), roll=15), "too much alike"),
    Wrong("sixteen times the same view", one_view, "the same as view 1"),
    Wrong("tilts about x only", lambda b: lens(b, lambda: (b.random.uniform(-35, 35), 0), roll=0), "about one axis only"),
    Wrong("tilts about y only", lambda b: lens(b, lambda: (0, b.random.uniform(-35, 35)), roll=0), "about one axis only"),
    Wrong("board face on in every view", lambda b: lens(b, lambda: (0, 0)), "too much alike"),
    Wrong("board always in the middle", lambda b: lens(b, near=2.5, lens=Lens(LENS.matrix, np.zeros(5))), "% of the picture"),
    Wrong("five views of sixteen show it", few_views, "5 good views"),
    Wrong("board moved in every view: corners 1.5 px off", lambda b: lens(b, noise_px=1.5), "reproject .* px off"),
    Wrong("board bent by 1.5 mm along its wide side", lambda b: lens(b, board=shaped(wide_mm=1.5)), "bent along its wide side, .* 1.5 mm"),
    Wrong("board bent by 3 mm along its short side", lambda b: lens(b, board=shaped(short_mm=3)), "bent along its short side, .* 3.0 mm"),
    Wrong("board twisted by 3 mm", lambda b: lens(b, board=shaped(twist_mm=3)), "twisted, by about 3.0 mm"),
    Wrong("board printed at 97 % along one side", lambda b: lens(b, board=shaped(stretched=0.97)), "do not have one scale"),
    Wrong("camera's mode squeezes its picture", lambda b: lens(b, lens=SQUEEZED), "pixels are square"),
    Wrong("an older OpenCV's pattern", lambda b: printed(b, print_of(legacy=True)), "27 of the board's markers .* older OpenCV"),
    Wrong("a board of 10 × 7 squares", lambda b: printed(b, print_of(10, 7)), "of 10 squares across"),
    Wrong("an older pattern of 8 × 6 squares", lambda b: printed(b, print_of(8, 6, legacy=True)), "of 8 squares across in an older"),
    Wrong("markers 58 % of their squares", lambda b: printed(b, print_of(ratio=0.58)), "as wide as their squares"),
    Wrong("markers of another dictionary", lambda b: printed(b, print_of(dictionary="DICT_4X4_100")), "DICT_4X4_250"),
    Wrong("a mirrored picture", lambda b: printed(b, np.ascontiguousarray(print_of()[:, ::-1])), "mirrored"),
    Wrong("a chessboard without markers", lambda b: printed(b, chessboard()), "no markers"),
    Wrong("nothing in view", lambda b: printed(b, GRAY), "not seen"),
    Wrong("fixed camera without a lens", lambda b: place(b, iter(())), "no measured lens"),
    Wrong("board still moving on its mark", lambda b: place(b, moving_board(b)), "the board moved by", True),
    Wrong("board crumpled, or another camera's lens", lambda b: place(b, crumpled(b)), "reprojects", True),
    Wrong("board pushed by 60 mm half way", lambda b: wrist(b, shift(60), 6), "from stop 7 on 60 mm"),
    Wrong("board pushed by 6 mm half way", lambda b: wrist(b, shift(6), 6), "from stop 7 on 6 mm"),
    Wrong("board turned by 8° half way", lambda b: wrist(b, from_vectors(np.radians([0, 0, 8.0]), np.zeros(3)), 5), "from stop 6 on"),
    Wrong("board printed at 95 %", lambda b: wrist(b, scale=0.95), r"printed at 9[45]\.\d %"),
    Wrong("board printed at 102 %", lambda b: wrist(b, scale=1.02), r"printed at 10[12]\.\d %"),
    Wrong("wrist turned about one axis only", lambda b: wrist(b, axes=(0, 0, 0, 0, 0, 1)), "about one axis only"),
    Wrong("camera named with the other arm", lambda b: wrist(b, on="follower_right"), "turned too little|are off by"),
    Wrong("arm whose joints are 1.5° off", lambda b: wrist(b, wobble_rad=np.radians(1.5)), "are off by"),
    Wrong("arm moves at five stops of twelve", lambda b: wrist(b, restless=5), "7 stops, 8 are needed"),
    Wrong("arm moves while it is zeroed", lambda b: rest(b, lambda t_s: REST + 0.1 * np.sin(5 * t_s)), "moved by"),
    Wrong("torque comes on at the prompt", torque_comes_on, "torque on"),
    Wrong("placings 2° apart", lambda b: rest(b, REST, REST + np.radians(2), REST), "placings differ by"),
    Wrong("horn slipped by 90°", lambda b: rest(b, *[REST - np.radians([0, 90, 0, 0, 0, 0])] * 3), "its travel is"),
    Wrong("a jig's pose mistyped", lambda b: rest(b, REST, pose=[0, -400.0, 91, 6, 34, 0], placings=1), "its travel is"),
    Wrong("jig's pose of five joints", lambda b: rest(b, REST, pose=[0.0] * 5, placings=1), "6 joints, the pose 5"),
    Wrong("a servo that answers no number", lambda b: rest(b, np.array([0, np.nan, 0, 0, 0, 0])), "no numbers"),
    Wrong("leader 5° off its follower", disagree, "disagree in elbow"),
    Wrong("GELLO held 40° off", lambda b: gello(b, lambda t_s: 0.3 * t_s, np.radians(40)), "too far from a quarter turn"),
    Wrong("GELLO's joint turned to and fro", lambda b: gello(b, lambda t_s: 0.3 * np.sin(4 * t_s)), "one steady turn"),
    Wrong("half a sweep of a gripper", lambda b: gripper(b, 0.5), r"over \d+° of \d+° only"),
    Wrong("a gripper of twice the travel", lambda b: gripper(b, 2.0), "another gripper"),
    Wrong("nothing moves before the camera", lambda b: latency(b, lambda t_s: 0 * t_s), "nothing moves in view"),
    Wrong("something else moves before the camera", lambda b: latency(b, lambda t_s: 40 * np.sin(9 * t_s)), "does not follow the arm"),
    Wrong("pictures 60 ms before the arm", lambda b: latency(b, early), "cannot be"),
    Wrong("the cap is on the lens", lambda b: reference(b, 0 * GRAY), "is black"),
    Wrong("somebody walks through the reference", lambda b: reference(b, walking), "moved while it was taken"),
    Wrong("two cameras of one serial number", shared, "share one calibration file"),
    Wrong("a follower's servo has a homing offset", lambda _: gives_torque(Homing_Offset={1: 1024}), "Homing Offset is 1024.* 90.0°"),
    Wrong("the same arm is laid on its rest stops", zeroed_with_fault, "Homing Offset is 1024"),
    Wrong("GELLO's drive mode set after its calibration", lambda _: gello_since("Drive Mode", 1), "counts the other way round"),
    Wrong("GELLO's homing offset set after it", lambda _: gello_since("Homing Offset", -512), "45.0° less than where it was calibrated"),
    Wrong("GELLO's operating mode set after it", lambda _: gello_since("Operating Mode", 4), "Operating Mode is 4, and was 3"),
)  # fmt: skip


def main() -> None:
    """Print the table: the cause of each refusal; what to do next is left out."""
    print("| what is wrong | what the operator is told |\n|---|---|")
    for case in CASES:
        told, stored = refused(case)
        print(
            f"| {case.name} | {told.partition('. Next:')[0] or 'NOTHING'}{' STORED: ' if stored else ''}{', '.join(stored)} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
