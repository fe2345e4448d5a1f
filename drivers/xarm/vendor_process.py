"""The SDK, streaming targets, in a process of its own (`station.devices.networked.vendor_process`).

Without a target the controller holds the arm at the last one, for ever: it needs no watchdog, and a process that is killed leaves a hold.
What was sent into a silent link would be obeyed when that is back, however late: an answer that does not come in 0.2 s ends the stream,
and its connection with it.
"""

import time
from contextlib import suppress

from drivers.xarm import codes
from drivers.xarm.models import ACCELERATION_RAD_S2, GRIPPERS, MODELS, VELOCITY_RAD_S
from drivers.xarm.sdk import connect
from drivers.xarm.tip_speed import TipSpeed
from station.devices.networked.track import Track
from station.devices.networked.vendor_process import Process, arguments

SERVO, PLANNED = 1, 6
"""The controller's modes."""
COMMAND_HZ = {SERVO: 200.0, PLANNED: 25.0}
_MOVES, _READY, _GO = 1, 2, 0
_READY_S, _LOOK_S = 0.5, 0.02
_STANDS_S, _AGAIN_S = 0.5, 0.1
"""A target that has stood for so long is repeated only so often."""
_WIRE_JOINTS = 7
_SERVO_HAND_OVER = (0.0, 0.0, 0.0)
"""Speed, acceleration, time: ignored in this mode."""


class Settings:
    """The process's arguments."""

    def __init__(self, given: list[str]) -> None:
        self.address, self.port, self.mode = given[0], int(given[1]), int(given[2])
        self.model, gripper = MODELS[given[3]], GRIPPERS.get(given[4])  # type: ignore[index,call-overload]
        self.tip_m_s, self.alive_s = float(given[5]), float(given[6])
        self.chain = self.model.chain(gripper.tip_m if gripper is not None else 0.0)


class Control:
    """That the controller follows targets, once it does."""

    def __init__(self, settings: Settings, start: tuple[float, ...]) -> None:
        """Turns it to the mode and lets it go on from there. Raises RuntimeError with what it answers, ConnectionError."""
        self._commands, self._mode = connect(settings.address, settings.port), settings.mode
        for answer in (self._commands.set_mode(settings.mode, detection_param=0), self._commands.set_state(_GO)):
            if why := codes.answer(answer[0]):
                raise RuntimeError(f"the controller does not go on: {why}")
        self._until_ready()
        most = (VELOCITY_RAD_S,) * len(start)
        self._track = Track(start, most, time.monotonic(), TipSpeed(settings.chain, settings.tip_m_s).share)
        self._moved_s = self._sent_s = 0.0

    def _until_ready(self) -> None:
        until_s = time.monotonic() + _READY_S
        while (state := self._commands.get_state())[0] not in (0, 2) or state[1] not in (_MOVES, _READY):
            if time.monotonic() > until_s:
                raise RuntimeError(f"the controller is not ready to move (state {state[1]})")
            time.sleep(_LOOK_S)

    def aim(self, goal: tuple[float, ...], now_s: float) -> None:
        """A new goal."""
        self._track.aim(goal, now_s)

    def cycle(self, now_s: float) -> str:
        """One cycle: the next target. Why it does not go on."""
        target = self._track.at(now_s)
        if not self._track.stands:
            self._moved_s = now_s
        if now_s - self._moved_s > _STANDS_S and now_s - self._sent_s < _AGAIN_S:
            return ""
        self._sent_s = now_s
        joints = [*target, *(0.0,) * (_WIRE_JOINTS - len(target))]
        if self._mode == SERVO:
            code = self._commands.move_servoj(joints, *_SERVO_HAND_OVER)[0]
        else:
            code = self._commands.move_joint(joints, VELOCITY_RAD_S, ACCELERATION_RAD_S2 / 2, 0.0)[0]
        if not self._commands.state_is_ready and code in (0, 1, 2):
            return "it follows no more: somebody stopped it, or changed its mode"
        return codes.answer(code)

    def end(self) -> None:
        """Nothing more is sent: it arrives at its last target, and is held there."""


def main() -> None:
    """Take what comes, until nobody is there."""
    settings = Settings(arguments())
    with suppress(ImportError):
        import xarm.core.wrapper  # noqa: F401  (before anybody waits for it)
    width, period_s = len(settings.model.places), 1 / COMMAND_HZ[settings.mode]
    Process(width, period_s, settings.alive_s, lambda start: Control(settings, start)).run()


if __name__ == "__main__":
    main()
