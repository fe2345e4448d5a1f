"""What a simulated world may be asked, at its node `world`: the station's own questions, and faults to inject.

Both worlds answer the same requests; one that makes no sense in a world is refused.
"""

from typing import Literal

from station.bus.requests import PrepareScene, Request, SaveTruth, ScoreScene

ServoFault = Literal[
    "silence", "speak", "noise", "overload", "power_loss", "unplug", "replug", "slip", "stop", "register"
]
CameraFault = Literal[
    "none", "freeze", "slow", "drop", "refuse", "move", "turn", "blur", "dark", "late", "swap", "focus"
]


class SetServoFault(Request, frozen=True):
    """A fault on one arm's bus.

    `silence`/`speak`: the servo (all of them without one) stops answering / answers again. `noise`: `value` is the
    fraction of packets with a byte hit. `overload`: the servo shuts itself down. `power_loss`: power went and came
    back. `unplug`/`replug`: the USB cable. `slip`: the horn has slipped by `value` degrees.
    `stop`: something is in the way, and the shaft turns no further than `value` degrees.
    `register`: the register `name` holds `value`, as if the servo had come like that.
    """

    arm: str
    what: ServoFault
    servo: int | None = None
    value: float = 0.0
    name: str = ""


class SetCameraFault(Request, frozen=True):
    """A fault of one camera.

    `freeze`: no more pictures, the connection stays. `slow`: `value` pictures a second. `drop`: the connection breaks
    once. `refuse`: the connection breaks and there is nothing to connect to. `move`: `value` mm to its right. `turn`:
    `value` degrees about its vertical. `blur`: out of focus, σ = `value` pixels. `dark`: `value` times the light.
    `late`: pictures are stamped `value` ms late. `swap`: it shows what the camera `other` should show. `focus`: another
    program sets its focus to `value`. `none`: all is well again.
    """

    camera: str
    what: CameraFault
    value: float = 0.0
    other: str = ""


class PressPendant(Request, frozen=True):
    """What somebody does at the pendant, the cable or beside an arm on the network: `what` of `drivers.sim.ur.pendant.DOES`, and a number
    where it needs one. `protective_stop`, `emergency_stop`, `release`, `remote`, `slider`, `silent`, `hang_up`, `unplug` …
    """

    arm: str
    what: str
    value: float = 0.0


class ShowBoard(Request, frozen=True):
    """Somebody holds a ChArUco board before the cameras, or lays it down, where it stays; `square_m` 0 takes it away.

    The pose is that of `drivers.sim.world.board`'s frame in the scene, `square_m` how large it was printed.
    """

    xyz_m: tuple[float, float, float] = (0.0, 0.0, 0.0)
    quaternion_wxyz: tuple[float, float, float, float] = (1.0, 0.0, 0.0, 0.0)
    square_m: float = 0.0


class SwingArms(Request, frozen=True):
    """The hands swing both leaders to and fro for so long, at changing speed. Refused unless they wait and are followed.

    `heedless`: at once, and on whatever the arms do, until they are aligned: hands of somebody who looks elsewhere.
    """

    seconds: float
    heedless: bool = False


WorldRequest = (
    PrepareScene | ScoreScene | SaveTruth | SetServoFault | SetCameraFault | PressPendant | ShowBoard | SwingArms
)
