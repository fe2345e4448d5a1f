"""A USB foot pedal: an evdev keyboard with one to three keys.

It is opened for ourselves (EVIOCGRAB) where that is possible, so that it does not also type into the terminal.
"""

import contextlib
import fcntl
import os
from collections.abc import Sequence
from pathlib import Path

from evdev import ecodes
from evdev.eventio import EventIO

from station.bus.actions import PEDALS, pedal_words
from station.clock import NS_PER_MS
from station.errors import DeviceForbidden, DeviceMissing, DeviceWrong, UsageError

ACTS = tuple(f"pedal {number}" for number in range(1, PEDALS + 1))
"""What the first, second and third pedal press; what they mean stands in the table of actions."""
PEDAL_WORDS = "; ".join(f"pedal {number}: {pedal_words(number)}" for number in range(1, PEDALS + 1))
DEFAULT_KEYS = ("KEY_A", "KEY_B", "KEY_C")
"""What a PCsensor pedal types as it comes."""
EVIOCGRAB = 0x40044590
"""_IOW('E', 0x90, int) of linux/input.h: nobody else reads its events until it is closed."""
BOUNCE_NS = 40 * NS_PER_MS
_PRESSED = 1
"""Value of a key event: 0 released, 1 pressed, 2 repeated while held."""


def key_code(name: str) -> int:
    """The evdev code of a key: `KEY_A`, `a` or a number. Raises UsageError."""
    if name.isdigit():
        return int(name)
    full = name.upper() if name.upper().startswith(("KEY_", "BTN_")) else f"KEY_{name.upper()}"
    code = ecodes.ecodes.get(full)
    if code is None:
        raise UsageError(
            f"--pedal-keys: there is no key {name!r}. Next: `station pedal PATH` shows what each pedal sends"
        )
    return int(code)


def key_name(code: int) -> str:
    """`KEY_A` for 30; the number where it has no name."""
    names = ecodes.bytype[ecodes.EV_KEY].get(code, str(code))
    return names if isinstance(names, str) else str(names[-1])  # of several, the last is the key's (KEY_MUTE, BTN_LEFT)


class _Events(EventIO):
    """evdev's reader on a descriptor that is open already."""

    def __init__(self, fd: int) -> None:
        self.fd = fd


class Pedal:
    """The presses of a pedal as a descriptor for a poller."""

    def __init__(self, path: Path, keys: Sequence[str] = DEFAULT_KEYS) -> None:
        """Raises UsageError if the keys are none, DeviceMissing, DeviceForbidden, DeviceWrong if the pedal is not usable."""
        if not 1 <= len(keys) <= len(ACTS):
            raise UsageError(f"--pedal-keys: 1 to {len(ACTS)} keys, not {len(keys)}: {PEDAL_WORDS}")
        self._acts = {key_code(name): act for name, act in zip(keys, ACTS, strict=False)}
        self.path = path
        self.fd: int | None = None
        self._pressed_ns: dict[int, int] = {}
        self.open()

    def open(self) -> None:
        """Open it, or open it again. Raises DeviceMissing, DeviceForbidden or DeviceWrong, each with its next act."""
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
            fcntl.ioctl(fd, EVIOCGRAB, 1)
        self.fd = fd

    def codes(self) -> list[int]:
        """The keys pressed since the last call. Raises DeviceMissing when the pedal is gone (it is closed then)."""
        pressed: list[int] = []
        while self.fd is not None:
            try:
                events = list(_Events(self.fd).read())
                if not events:
                    raise OSError("no more events")
            except BlockingIOError:
                return pressed
            except OSError as error:
                self.close()
                raise DeviceMissing(
                    "the pedal", str(self.path), "an input device", f"it is gone ({error})",
                    "plug it in again; the keys go on working",
                ) from None  # fmt: skip
            pressed += [event.code for event in events if event.type == ecodes.EV_KEY and event.value == _PRESSED]
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
