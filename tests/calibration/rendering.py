"""Pictures of a board and of a table by a camera whose lens and place are known: the truth that calibration must find."""

from functools import cache

import cv2
import numpy as np

from calibration.cameras.board import Board
from calibration.maths.lens import Lens
from calibration.maths.poses import Pose, from_vectors

BOARD = Board()
WIDTH, HEIGHT = 640, 480
LENS = Lens(np.array([[533.0, 0, 322.5], [0, 531.0, 236.5], [0, 0, 1]]), np.array([0.06, -0.15, 0.0008, -0.0006, 0.04]))
OVER = 3
_PX_PER_SQUARE = 120


@cache
def _board_texture():
    shape = (BOARD.squares_x * _PX_PER_SQUARE, BOARD.squares_y * _PX_PER_SQUARE)
    texture = BOARD.aruco.generateImage(shape, marginSize=0)
    return cv2.copyMakeBorder(texture, *[_PX_PER_SQUARE] * 4, cv2.BORDER_CONSTANT, value=235)


@cache
def _rays(key):
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
    return np.stack([u, v], axis=-1)


def rays(lens):
    return _rays((lens.matrix.tobytes(), lens.distortion.tobytes()))


def _plane(camera_from_plane: Pose, lens):
    """Where every ray meets the plane z = 0: x, y (m) there, and whether it does so in front of the camera."""
    inverse = camera_from_plane.inverse()
    x, y = rays(lens)[..., 0], rays(lens)[..., 1]
    r, origin = inverse.rotation, inverse.translation_m
    scale = -origin[2] / (r[2, 0] * x + r[2, 1] * y + r[2, 2])
    u = origin[0] + scale * (r[0, 0] * x + r[0, 1] * y + r[0, 2])
    v = origin[1] + scale * (r[1, 0] * x + r[1, 1] * y + r[1, 2])
    return u, v, scale > 0


def _sampled(texture, u_px, v_px, ahead, outside):
    picture = cv2.remap(
        texture,
        u_px.astype(np.float32),
        v_px.astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_CONSTANT,
        borderValue=outside,
    ).astype(np.float64)
    return np.where(ahead, picture, outside)


def _exposed(fine, seed, noise, gain):
    picture = fine.reshape(HEIGHT, OVER, WIDTH, OVER).mean(axis=(1, 3)) * gain
    picture = cv2.GaussianBlur(picture, (0, 0), 0.6)
    picture += np.random.default_rng(seed).normal(0, noise, picture.shape)
    return np.clip(np.round(picture), 0, 255).astype(np.uint8)


def board_picture(camera_from_board: Pose, lens=LENS, seed=0, noise=1.5, gain=0.85):
    """The board before a grey wall. (HEIGHT, WIDTH) uint8."""
    u, v, ahead = _plane(camera_from_board, lens)
    scale = _PX_PER_SQUARE / BOARD.square_m
    fine = _sampled(_board_texture(), u * scale + _PX_PER_SQUARE - 0.5, v * scale + _PX_PER_SQUARE - 0.5, ahead, 110)
    return _exposed(fine, seed, noise, gain)


@cache
def _table_texture():
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
    return cv2.GaussianBlur(np.clip(texture, 0, 255), (0, 0), 1.0)


def table_picture(camera_from_table: Pose, lens=LENS, seed=0, noise=2.0, gain=1.0, cover=None):
    """A table 2 × 2 m around the origin; `cover` is a list of (x0, y0, x1, y1, shade) that hide part of the picture (arms, hands)."""
    u, v, ahead = _plane(camera_from_table, lens)
    scale = _table_texture().shape[0] / 2.0
    fine = _sampled(_table_texture(), (u + 1.0) * scale, (v + 1.0) * scale, ahead, 60)
    for x0, y0, x1, y1, shade in cover or ():
        block = np.random.default_rng(int(shade)).normal(shade, 25, ((y1 - y0) // 4 + 1, (x1 - x0) // 4 + 1))
        big = cv2.resize(block, ((x1 - x0) * OVER, (y1 - y0) * OVER), interpolation=cv2.INTER_CUBIC)
        fine[y0 * OVER : y1 * OVER, x0 * OVER : x1 * OVER] = big
    return _exposed(fine, seed, noise, gain)


def looking_at(point_m, distance_m, tilt_deg=(0.0, 0.0), roll_deg=0.0, centre=(0.0, 0.0)):
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
