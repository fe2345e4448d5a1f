"""A Franka arm, and the hand on its flange. The vendor's library has processes of its own."""

from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar

from drivers.franka import conditions
from drivers.franka.models import GRIPPERS, REACH_RAD
from drivers.franka.settings import FrankaSettings
from station.devices.contract import Condition, Description, Place
from station.devices.networked import arm
from station.errors import CommandRefused, DeviceError, DeviceMissing, DeviceWrong

if TYPE_CHECKING:
    from drivers.franka.acts import Acts
    from drivers.franka.hand import Hand
    from drivers.franka.line import Line
    from drivers.franka.states import State
    from station.devices.networked.reader import Reader

_ROBOT_HZ = 1000.0
_LOCKS = "FCI cannot lock its joints. Next: lock them in Desk"
_MEANS = {"it hung up": "the process of the vendor's library has ended"}
_DESK = "switch it on, unlock its joints and activate FCI in Desk; look at the cable and the rig file's address"


class FrankaArm(arm.NetworkedArm["State"]):
    """See `station.devices.contract.ArmDriver` for what each method promises."""

    Settings: ClassVar[type[FrankaSettings]] = FrankaSettings
    maker: ClassVar[str] = "a controller of Franka Robotics"

    def __init__(self, settings: FrankaSettings, place: Place) -> None:
        super().__init__(settings, place, REACH_RAD, settings.gripper.kind in GRIPPERS)
        self._franka = settings
        self._line: Line
        self._hand: Hand | None = None
        self._asked: Acts

    def opens_with(self) -> tuple[str, ...]:
        """What talks to the arm; the vendor's library is imported in its own processes."""
        return (
            "drivers.franka.description",
            "drivers.franka.hand",
            "drivers.franka.line",
            "station.devices.networked.program",
        )

    def _connect(self) -> "Reader[State]":
        from drivers.franka.line import Line
        from station.devices.networked.reader import Broken

        self._line = line = Line(self._franka, self._place.clock)
        try:
            line.connect()
        except BaseException as error:
            line.reader.close()
            line.end(at_once=True)
            if isinstance(error, Broken):
                raise self._unconnected(str(error)) from error
            raise
        return line.reader

    def _unconnected(self, said: str) -> DeviceError:
        """What the library said when it could not connect, with the next act."""
        node, address = self._place.node, self._franka.address
        if "No module" in said:
            return DeviceWrong(node, address, "franky", said, "pip install 'teleop-station[franka]'")
        if "version" in said.lower():
            return DeviceWrong(
                node, address, "a robot whose server is version 10 (system 5.9 or later)", said,
                "update the robot; docs/reference/untested-on-metal.md says what older ones would need",
            )  # fmt: skip
        return self._missing(said)

    def _missing(self, found: str) -> DeviceMissing:
        return DeviceMissing(self._place.node, self._franka.address, self.maker, _MEANS.get(found, found), _DESK)

    def _prepare(self, ending: ExitStack) -> None:
        from drivers.franka.acts import Acts
        from drivers.franka.hand import Hand
        from station.devices.networked.program import Program
        from station.devices.networked.readings import Readings

        line, self._hand = self._line, None
        ending.callback(lambda: line.end(self._broken))
        if self._gripped:
            self._hand = Hand(self._franka)
            self._grip(self._hand, ending)
        self._run(Program(lambda: line.process, conditions.ENDED, self._place.clock), ending)
        hand = self._hand.ask if self._hand is not None else line.ask
        self._asked = Acts(self._place.node, line.ask, hand, lambda: self._state, self._place.clock)
        self._readings = Readings(_ROBOT_HZ, self._gripped)

    def _take(self, states: "list[State]") -> None:
        super()._take(states)
        self._line.hear()

    def describe(self) -> Description:
        """Joints, limits, geometry, what was checked."""
        from drivers.franka import description

        self._opened()
        note, clocked = self._line.note, self._line.told.clocked
        found = description.checks(self._place.node, self._franka, self._state, note, clocked, self._trouble)
        return description.description(self._franka, note, clocked, found)

    @property
    def _trouble(self) -> str:
        return self._hand.trouble if self._hand is not None else ""

    def _following(self) -> bool:
        return conditions.following(self._state)

    def condition(self) -> Condition:
        """How the robot, its tracker and its hand let it stand."""
        return conditions.condition(self._state, self._around())

    def _around(self) -> conditions.Around:
        return conditions.Around(self._place.node, self._program.runs, self._program.lost, self._trouble)

    def _not_startable(self) -> str:
        return conditions.refusal(self._state, self._around())

    def torque(self, on: bool, free: tuple[str, ...] = ()) -> None:
        """On: its tracker is started, from where the arm is. Off is Desk's: refused, and nothing is changed."""
        if not on:
            self._power_off()
        super().torque(on, free)

    def _power_off(self) -> None:
        raise CommandRefused(f"{self._place.node} does not switch off: {_LOCKS}")

    def torque_on(self) -> bool:
        """Are motors on and brakes released."""
        return conditions.powered(self._state)

    def _acts(self, name: str) -> Iterator[str]:
        return self._asked.recover() if name == "recover" else self._asked.set_up_gripper()

    def _after(self, why: str) -> str:
        del why
        return "look at Desk, ask again"

    def health(self) -> dict[str, float]:
        """How the commands come through, how the clocks stand."""
        if self._reader is None:
            return {}
        clock = self._readings.clock
        return {
            "clock_drift_ppm": clock.drift_ppm, "late": float(self._readings.late),
            "commands_in_time": self._state.heard, "payload_kg": self._state.payload_kg,
        }  # fmt: skip

    def warnings(self) -> tuple[str, ...]:
        """A silent robot, commands that do not leave in real time, a hand that does not answer."""
        if self._reader is None:
            return ()
        told = [*self._warned()]
        if self._trouble:
            told.append(f"{self._trouble}: `station recover {self._place.node} --act activate_gripper`")
        return tuple(told)
