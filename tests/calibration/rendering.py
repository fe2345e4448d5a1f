"""Pictures of a board and of a table by a camera whose lens and place are known: the truth that calibration must find."""

from collections.abc import Sequence
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray

from calibration.cameras.board import Board
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose, from_vectors

BOARD = Board()
WIDTH, HEIGHT = 640, 480
LENS = Lens(np.array([[533.0, 0, 322.5], [0, 531.0, 236.5], [0, 0, 1]]), np.array([0.06, -0.15, 0.0008, -0.0006, 0.04]))
OVER = 3
_PX_PER_SQUARE = 120
Floats = NDArray[np.float64]
Fine = NDArray[np.float32]
Picture = NDArray[np.uint8]
"""(HEIGHT, WIDTH)."""
Few = Sequence[float] | Floats
Cover = Sequence[tuple[int, int, int, int, int]]
"""(x0, y0, x1, y1, shade), px."""


@cache
def _board_texture() -> Fine:
    shape = (BOARD.squares_x * _PX_PER_SQUARE, BOARD.squares_y * _PX_PER_SQUARE)
    texture = BOARD.aruco.generateImage(shape, marginSize=0)
    px = _PX_PER_SQUARE
    return np.asarray(cv2.copyMakeBorder(texture, px, px, px, px, cv2.BORDER_CONSTANT, value=(235,)), np.float32)


@cache
def _rays(key: tuple[bytes, bytes]) -> Fine:
    """Undistorted rays through the super-sampled pixels' centres, (H·OVER, W·OVER, 2)."""
    matrix, distortion = np.frombuffer(key[0]).reshape(3, 3), np.frombuffer(key[1])
    x, y = np.meshgrid((np.arange(WIDTH * OVER) + 0.5) / OVER - 0.5, (np.arange(HEIGHT * OVER) + 0.5) / OVER - 0.5)
    x, y = (x - matrix[0, 2]) / matrix[0, 0], (y - matrix[1, 2]) / matrix[1, 1]
    k1, k2, p1, p2, k3 = distortion
    u, v = x.copy(), y.copy()
    for _ in range(20):
        r2 = u * u + v * v
        radial = 1 + r2 * (k1 + r2 * (k2 + r2 * k3))
        u = (x - 2 * p1 * u * v - p2 * (r2 + 2 * u * u)) / radial
        v = (y - p1 * (r2 + 2 * v * v) - 2 * p2 * u * v) / radial
    return np.stack([u, v], axis=-1, dtype=np.float32)


def seen(texture: Fine, texture_from_m: Floats, camera_from_plane: Pose, outside: float, lens: Lens = LENS) -> Fine:
    """A plane z = 0 with a texture on it, through the lens, super-sampled: (H·OVER, W·OVER).

    `texture_from_m` (3, 3): from metres on the plane to pixels of the texture. With P the camera's pose, a ray r and the point m that it
    meets, r ~ [P₁ P₂ t]·(m, 1), so that the texture's pixel is texture_from_m·[P₁ P₂ t]⁻¹·r: one homography.
    """
    rays = _rays((lens.matrix.tobytes(), lens.distortion.tobytes()))
    p = camera_from_plane
    plane_from_ray = np.linalg.inv(np.column_stack([p.rotation[:, :2], p.translation_m]))
    where = cv2.perspectiveTransform(rays, texture_from_m @ plane_from_ray)
    fine = cv2.remap(texture, where, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT, borderValue=outside)  # type: ignore[call-overload]
    edge = np.concatenate([rays[0], rays[-1], rays[:, 0], rays[:, -1]])
    if (edge @ plane_from_ray[2, :2] + plane_from_ray[2, 2]).min() <= 0:  # some rays meet the plane behind the camera
        fine[rays @ plane_from_ray[2, :2] + plane_from_ray[2, 2] <= 0] = outside
    return np.asarray(fine, np.float32)


def exposed(fine: Fine, seed: int, noise: float, gain: float) -> Picture:
    """(HEIGHT, WIDTH): what the sensor makes of it."""
    sharp = cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA) * gain
    blurred = cv2.GaussianBlur(sharp, (0, 0), 0.6)
    picture = blurred + np.random.default_rng(seed).normal(0, noise, blurred.shape)
    return np.asarray(np.clip(np.round(picture), 0, 255), np.uint8)


def board_picture(
    camera_from_board: Pose, lens: Lens = LENS, seed: int = 0, noise: float = 1.5, gain: float = 0.85
) -> Picture:
    """The board before a grey wall. (HEIGHT, WIDTH) uint8."""
    fine = seen(_board_texture(), printed(_PX_PER_SQUARE), camera_from_board, 110, lens)
    return exposed(fine, seed, noise, gain)


def printed(px_per_square: int) -> Floats:
    """(3, 3): from metres on a print with a margin of one square to its pixels."""
    scale, margin = px_per_square / BOARD.square_m, px_per_square - 0.5
    return np.array([[scale, 0, margin], [0, scale, margin], [0, 0, 1.0]])


@cache
def table_texture() -> Fine:
    """A wooden table with things on it, 2 × 2 m at 0.5 mm: what a camera sees when no board is about."""
    random = np.random.default_rng(7)
    size = 2400
    grain = cv2.GaussianBlur(random.normal(0, 1, (size, size)), (0, 0), 1.5, sigmaY=9)
    texture = 120 + 40 * grain / grain.std() * 0.35
    for _ in range(260):
        x, y = random.integers(0, size, 2)
        side = random.integers(8, 70, 2)
        cv2.rectangle(
            texture, (int(x), int(y)), (int(x + side[0]), int(y + side[1])), float(random.integers(20, 235)), -1
        )
    return np.asarray(cv2.GaussianBlur(np.clip(texture, 0, 255), (0, 0), 1.0), np.float32)


def table_picture(
    camera_from_table: Pose,
    lens: Lens = LENS,
    seed: int = 0,
    noise: float = 2.0,
    gain: float = 1.0,
    cover: Cover | None = None,
) -> Picture:
    """A table 2 × 2 m around the origin; `cover` is a list of (x0, y0, x1, y1, shade) that hide part of the picture (arms, hands)."""
    scale = table_texture().shape[0] / 2.0
    texture_from_m = np.array([[scale, 0, scale], [0, scale, scale], [0, 0, 1.0]])
    fine = seen(table_texture(), texture_from_m, camera_from_table, 60, lens)
    for x0, y0, x1, y1, shade in cover or ():
        block = np.random.default_rng(int(shade)).normal(shade, 25, ((y1 - y0) // 4 + 1, (x1 - x0) // 4 + 1))
        big = cv2.resize(block, ((x1 - x0) * OVER, (y1 - y0) * OVER), interpolation=cv2.INTER_CUBIC)
        fine[y0 * OVER : y1 * OVER, x0 * OVER : x1 * OVER] = big
    return exposed(fine, seed, noise, gain)


def looking_at(
    point_m: Few,
    distance_m: float,
    tilt_deg: Few = (0.0, 0.0),
    roll_deg: float = 0.0,
    centre: Few = (0.0, 0.0),
) -> Pose:
    """camera_from_plane of a camera that sees `point_m` (x, y on the plane) at `distance_m`, the plane tilted about x and y,
    shifted in the picture by `centre` (x/z, y/z)."""
    a, b, c = np.radians([tilt_deg[0], tilt_deg[1], roll_deg])
    turn = (
        from_vectors(np.array([0, 0, c]), np.zeros(3))
        @ from_vectors(np.array([a, 0, 0]), np.zeros(3))
        @ from_vectors(np.array([0, b, 0]), np.zeros(3))
    )
    where = np.array([centre[0] * distance_m, centre[1] * distance_m, distance_m])
    return Pose(turn.rotation, where - turn.rotation @ np.array([*point_m, 0.0]))
