"""A USB foot pedal: an evdev keyboard with one to three keys.

It is opened for ourselves (EVIOCGRAB) where that is possible, so that it does not also type into the terminal.
"""

import contextlib
import os
from collections.abc import Sequence
from pathlib import Path

from linuxpy.input.device import EventType, Key, grab, read_event

from station.clock import NS_PER_MS
from station.errors import DeviceForbidden, DeviceMissing, DeviceWrong, UsageError

ACTS = ("advance", "success", "discard")
"""What the first, second and third pedal do: as Space, s and d."""
DEFAULT_KEYS = ("KEY_A", "KEY_B", "KEY_C")
"""What a PCsensor pedal types as it comes."""
BOUNCE_NS = 40 * NS_PER_MS
_PRESSED = 1
"""Value of a key event: 0 released, 1 pressed, 2 repeated while held."""


def key_code(name: str) -> int:
    """The evdev code of a key: `KEY_A`, `a` or a number. Raises UsageError."""
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith(("KEY_", "BTN_")) else f"KEY_{name.upper()}"
    try:
        return int(Key[full].value)
    except KeyError:
        raise UsageError(
            f"--pedal-keys: there is no key {name!r}. Next: `station pedal PATH` shows what each pedal sends"
        ) from None


def key_name(code: int) -> str:
    """`KEY_A` for 30; the number where it has no name."""
    try:
        return str(Key(code).name)
    except ValueError:
        return str(code)


class Pedal:
    """The presses of a pedal as a descriptor for a poller."""

    def __init__(self, path: Path, keys: Sequence[str] = DEFAULT_KEYS) -> None:
        """Raises UsageError if the keys are none, DeviceMissing, DeviceForbidden, DeviceWrong if the pedal is not usable."""
        if not 1 <= len(keys) <= len(ACTS):
            raise UsageError(f"--pedal-keys: 1 to {len(ACTS)} keys ({', '.join(ACTS)}), not {len(keys)}")
        self._acts = {key_code(name): act for name, act in zip(keys, ACTS, strict=False)}
        self.path = path
        self.fd: int | None = None
        self._pressed_ns: dict[int, int] = {}
        self.open()

    def open(self) -> None:
        """Open it, or open it again."""
        self.close()
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
        except FileNotFoundError:
            raise DeviceMissing(
                "the pedal", str(self.path), "an input device", "nothing there",
                "plug it in; `ls /dev/input/by-id/` shows its path (…-event-kbd)",
            ) from None  # fmt: skip
        except PermissionError:
            raise DeviceForbidden(
                "the pedal", str(self.path), "an input device this user may read", "permission denied",
                "`sudo usermod -aG input $USER`, then log out and in again: evdev devices belong to the group `input`",
            ) from None  # fmt: skip
        except OSError as error:
            raise DeviceWrong(
                "the pedal",
                str(self.path),
                "an input device",
                str(error),
                "name its event device under /dev/input/by-id/",
            ) from None
        with contextlib.suppress(OSError):
            grab(fd)
        self.fd = fd

    def codes(self) -> list[int]:
        """The keys pressed since the last call. Raises DeviceMissing when the pedal is gone (it is closed then)."""
        pressed: list[int] = []
        while self.fd is not None:
            try:
                event = read_event(self.fd)
            except BlockingIOError:
                return pressed
            except (OSError, ValueError) as error:
                self.close()
                raise DeviceMissing(
                    "the pedal", str(self.path), "an input device", f"it is gone ({error or 'no more events'})",
                    "plug it in again; the keys go on working",
                ) from None  # fmt: skip
            if event.type == EventType.KEY and event.value == _PRESSED:
                pressed.append(int(event.code))
        return pressed

    def acts(self, now_ns: int) -> list[str]:
        """What the operator's foot asked for; a contact that bounces asks once. Raises like `codes`."""
        asked = []
        for code in self.codes():
            before = self._pressed_ns.get(code)
            self._pressed_ns[code] = now_ns
            if code in self._acts and (before is None or now_ns - before >= BOUNCE_NS):
                asked.append(self._acts[code])
        return asked

    def close(self) -> None:
        """Let go of it."""
        if self.fd is not None:
            os.close(self.fd)
            self.fd = None
