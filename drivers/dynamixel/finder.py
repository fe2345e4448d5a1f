"""Finds Dynamixel arms: every USB serial adapter, who answers behind it at which baud, what arm that looks like, and where it stands."""

import os
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from serial.tools import list_ports

from drivers.dynamixel import models
from drivers.dynamixel.budget import cycle_ms
from drivers.dynamixel.bus import Bus
from drivers.dynamixel.control_table import model_names, register
from drivers.dynamixel.joints import RAD_PER_TICK
from drivers.dynamixel.models import Servo
from drivers.dynamixel.port import usb_of
from station.clock import monotonic_ns
from station.errors import DeviceError, DeviceForbidden, DeviceMissing, DeviceSilent, DeviceWrong, UsageError
from station.rig.discovery import Found, Joints
from station.rig.usb import Usb, names

BAUDS = (1_000_000, 57_600, 4_000_000)
"""ALOHA's arms and tuned GELLOs, servos fresh from the factory, the fastest."""
BAUD_REGISTER = {9_600: 0, 57_600: 1, 115_200: 2, 1_000_000: 3, 2_000_000: 4, 3_000_000: 5, 4_000_000: 6}
"""ROBOTIS e-manual, X series, "Baud Rate (8)". Not every model has the last ones."""
TICK_HZ = 50.0
_VENDORS = {0x0403: "FTDI", 0x2F5D: "ROBOTIS"}
"""Adapters that are asked without being named; a port of another maker could be anything."""
_TRIES = 2


class Adapter(NamedTuple):
    """One serial port."""

    port: str
    model: str = "serial port"
    serial: str = ""
    vendor: int = 0
    product: int = 0


class Servos(NamedTuple):
    """Who answered at one baud: ID → model number."""

    baud: int
    by_id: dict[int, int]


class DynamixelFinder:
    """Arms behind serial ports."""

    def find(self, ports: tuple[str, ...]) -> list[Found]:
        """Ask every known adapter, or the ports named, side by side; about 0.8 s a baud."""
        adapters = [Adapter(port) for port in ports if not _is_camera(port)] if ports else plugged_in()
        if not adapters:
            return []
        with ThreadPoolExecutor(len(adapters)) as pool:
            return list(pool.map(describe, adapters))

    def joints(self, found: Found) -> Generator[Joints | None, None, None]:
        """Where the arm's servos stand; who does not answer is left out of a reading. Only pings and reads go out. Raises DeviceError."""
        servos = _answering(found.port)
        names = {servo.id: servo.name for servo in _servos_of(servos.by_id) if servo.shadow_of is None}
        position = register("Present Position")
        bus = Bus("servos", found.port, servos.baud, monotonic_ns)
        bus.open()
        try:
            while True:
                heard = bus.sync_read(tuple(names), position.address, position.size).by_id
                yield {
                    names[servo_id]: position.of(heard[servo_id].data, position.address) * RAD_PER_TICK
                    for servo_id in names
                    if servo_id in heard
                } or None
        finally:
            bus.close()

    def set_baud(self, port: str, baud: int) -> str:
        """Set every servo behind a port to `baud` (bit/s), at once, and look that all are there. Returns what to tell the operator.

        Raises UsageError for a baud that no servo knows, DeviceSilent where none answers, DeviceWrong where some are not there afterwards,
        and while any has torque: EEPROM is locked then, and letting an arm go is not this command's to do.
        """
        if baud not in BAUD_REGISTER:
            raise UsageError(f"--set-baud {baud}: servos know {', '.join(map(str, BAUD_REGISTER))}")
        before = [servos for servos in (_scan(port, each) for each in BAUD_REGISTER) if servos.by_id]
        if not before:
            raise DeviceSilent("servos", port, "an answer", "silence at every baud", "check the cable and the power")
        for servos in before:
            if servos.baud != baud:
                _write_baud(port, servos, BAUD_REGISTER[baud])
        wanted = {servo_id for servos in before for servo_id in servos.by_id}
        after = set(_scan(port, baud).by_id)
        if wanted - after:
            raise DeviceWrong(
                "servos", port, f"all at {baud} baud", f"{_list(sorted(wanted - after))} not there",
                f"run it again; if that fails, connect these servos alone ({baud} may be more than the model knows)",
            )  # fmt: skip
        return f"{len(wanted)} servos on {port} are at {baud} baud now. Next: `baud: {baud}` in the rig file"


def plugged_in() -> list[Adapter]:
    """Every USB serial adapter."""
    return [
        Adapter(
            port.device,
            port.product or port.description or "serial port",
            port.serial_number or "",
            port.vid,
            port.pid or 0,
        )
        for port in sorted(list_ports.comports(), key=lambda port: str(port.device))
        if port.vid is not None
    ]


def describe(adapter: Adapter) -> Found:
    """One adapter with who is behind it. Never raises for what an operator can mend: that is advice."""
    behind = usb_of(adapter.port)
    by_place = behind is not None and behind.by_place
    stable, name = stable_name(adapter.port, by_place)
    base = Found(
        "adapter", adapter.model, adapter.port, stable, behind.identity if behind else adapter.serial,
        advice=(behind.advice,) if behind and by_place else (), rule=_rule(adapter, behind),
        name=name or "ttyDXL_unknown",
    )  # fmt: skip
    if adapter.vendor and adapter.vendor not in _VENDORS:
        return _with(
            base,
            details=("not asked: not an adapter servos usually hang on",),
            advice=(*base.advice, f"`station find --port {adapter.port}` asks it"),
            rule="",
        )
    seen: list[Servos] = []
    notes: list[str] = []
    try:
        for baud in BAUDS:
            seen.append(_scan(adapter.port, baud, notes))
    except DeviceError as error:
        return _with(base, details=(error.found,), advice=(*base.advice, error.do))
    answered = [servos for servos in seen if servos.by_id]
    if not answered:
        return _with(
            base,
            details=(f"nobody answers at {_list(BAUDS)} baud",),
            advice=(*base.advice, "check the arm's power and the cable to its first servo", *dict.fromkeys(notes)),
        )
    return _arm(base, answered, (*base.advice, *dict.fromkeys(notes)))


def _arm(base: Found, answered: Sequence[Servos], notes: Sequence[str]) -> Found:
    details = tuple(f"at {servos.baud} baud: {servos_text(servos.by_id)}" for servos in answered)
    if len(answered) > 1:
        bauds = _list([servos.baud for servos in answered])
        advice = f"its servos are at different bauds ({bauds}): `station find --set-baud 1000000 {base.port}`"
        return _with(base, kind="arm", details=details, advice=(advice, *notes))
    servos = answered[0]
    model, role = recognise(servos.by_id)
    name = base.name if base.name != "ttyDXL_unknown" else f"ttyDXL_{role}"
    return _with(
        base, kind="arm", model=f"{model} ({base.model})", details=details, name=name,
        suggestion=_suggestion(model, role, base.stable, servos), advice=(*_slow(servos, model, base.port), *notes),
    )  # fmt: skip


def _servos_of(by_id: dict[int, int]) -> tuple[Servo, ...]:
    """The servos of the arm they make, by name; of one that is nobody's model by their numbers."""
    model = recognise(by_id)[0]
    tables = {"vx300s": models.VX300S, "wx250s": models.WX250S}
    return tables[model].servos if model in tables else tuple(Servo(n, f"servo {n}", ()) for n in sorted(by_id))


def _answering(port: str) -> Servos:
    """Who answers there, at the first baud at which somebody does."""
    for baud in BAUDS:
        servos = _scan(port, baud)
        if servos.by_id:
            return servos
    raise DeviceSilent("servos", port, "an answer", f"silence at {_list(BAUDS)} baud", "check the cable and the power")


def recognise(by_id: dict[int, int]) -> tuple[str, str]:
    """(model, role) of the arm these servos make; `gello` for anything but ALOHA's two."""
    names = {servo_id: model_names().get(number, "") for servo_id, number in by_id.items()}
    for model, role, table in (("vx300s", "follower", models.VX300S), ("wx250s", "leader", models.WX250S)):
        if all(names.get(servo.id) in servo.models for servo in table.servos):
            return model, role
    return "gello", "leader"


def servos_text(by_id: dict[int, int]) -> str:
    """`9 servos: 1–7 xm540_w270, 8–9 xm430_w350`."""
    runs: list[tuple[int, int, str]] = []
    for servo_id, number in sorted(by_id.items()):
        name = model_names().get(number, f"model {number}")
        if runs and runs[-1][1] == servo_id - 1 and runs[-1][2] == name:
            runs[-1] = (runs[-1][0], servo_id, name)
        else:
            runs.append((servo_id, servo_id, name))
    texts = [f"{first} {name}" if first == last else f"{first}–{last} {name}" for first, last, name in runs]
    return f"{len(by_id)} servo{'s' if len(by_id) > 1 else ''}: {', '.join(texts)}"


def stable_name(port: str, by_place: bool = False) -> tuple[str, str]:
    """(path for the rig file, name of its link by our rules): a /dev/ttyDXL_… link, else by-id, else the port.

    `by_place`: its serial number is another's too, or none; `by-id` then has the one that was plugged in last.
    """
    real, others = os.path.realpath(port), "by-path" if by_place else "by-id"
    for folder, pattern in ((Path("/dev"), "ttyDXL_*"), (Path("/dev/serial", others), "*")):
        for link in sorted(folder.glob(pattern)) if folder.is_dir() else ():
            if os.path.realpath(link) == real:
                return str(link), link.name if folder == Path("/dev") else ""
    return port, ""


def _scan(port: str, baud: int, notes: list[str] | None = None) -> Servos:
    bus = Bus("servos", port, baud, monotonic_ns)
    notes = [] if notes is None else notes
    if not os.path.exists(port):
        raise DeviceMissing(
            "servos", port, "a serial port", "no such device", "check the USB cable; `station find` lists ports"
        )
    if not os.access(port, os.R_OK | os.W_OK):
        raise DeviceForbidden(
            "servos",
            port,
            "leave to open it",
            "permission denied",
            "sudo usermod -aG dialout $USER, then log out and in again",
        )
    try:
        notes += bus.open()
        return Servos(baud, bus.scan())
    finally:
        bus.close()


def _write_baud(port: str, servos: Servos, value: int) -> None:
    """To all at once: one after the other would leave a bus of two bauds if it were broken off."""
    torque, baud = register("Torque Enable"), register("Baud Rate")
    bus = Bus("servos", port, servos.baud, monotonic_ns)
    bus.open()
    try:
        held = [servo_id for servo_id in servos.by_id if bus.read(servo_id, torque.address, torque.size) != b"\0"]
        if held:
            raise DeviceWrong(
                "servos", port, "torque off", f"torque on at {_list(held)}",
                "support the arm, then release it (`station park --rig R --release`) and run it again",
            )  # fmt: skip
        left = dict(servos.by_id)
        for _ in range(_TRIES):
            bus.sync_write(baud.address, {servo_id: baud.bytes(value) for servo_id in left})
            left = bus.scan()  # whoever still answers at the old baud has not heard it
            if not left:
                return
    finally:
        bus.close()


def _slow(servos: Servos, model: str, port: str) -> list[str]:
    count = len(servos.by_id)
    cycle = cycle_ms(servos.baud, count, writes=model != "gello")
    if 1000.0 / cycle >= 2 * TICK_HZ:
        return []
    return [
        f"{servos.baud} baud cannot do {TICK_HZ:g} Hz: one reading of {count} servos takes {cycle:.0f} ms on the wire, "
        f"{1000 / cycle:.0f} a second at best. Set 1 Mbaud: `station find --set-baud 1000000 {port}`"
    ]


def _suggestion(model: str, role: str, port: str, servos: Servos) -> tuple[str, ...]:
    baud, count = servos.baud, len(servos.by_id)
    if model == "gello":
        rate = int(min(200.0, 0.9 * 1000.0 / cycle_ms(baud, count, writes=False)))
        zeros, ones = [0.0] * (count - 1), [1] * (count - 1)
        return (
            f"leader: {{driver: dynamixel, model: gello, port: {port}, rate_hz: {rate}, baud: {baud},",
            f"         ids: {sorted(servos.by_id)}, signs: {ones}, offsets_rad: {zeros},",
            "         gripper: {open_rad: 0.0, close_rad: 1.0}}",
            "# signs, offsets and gripper are placeholders: `station calibrate gello` finds them",
        )
    generation = (
        "aloha2" if "xc430_w150" in {model_names().get(number) for number in servos.by_id.values()} else "aloha1"
    )
    return (f"{role}: {{driver: dynamixel, model: {model}, port: {port}, rate_hz: 200, generation: {generation}}}",)


def _rule(adapter: Adapter, behind: Usb | None) -> str:
    who = f'ATTRS{{serial}}=="{adapter.serial}"'
    if behind is not None and behind.by_place:
        who = f'KERNELS=="{behind.place}"'
    elif not names(adapter.serial):
        return ""
    return (
        f'SUBSYSTEM=="tty", ATTRS{{idVendor}}=="{adapter.vendor:04x}", ATTRS{{idProduct}}=="{adapter.product:04x}", '
        f'{who}, ENV{{ID_MM_DEVICE_IGNORE}}="1", ATTR{{device/latency_timer}}="1", '
        'GROUP="dialout", MODE="0660", SYMLINK+="{name}"'
    )


def _with(found: Found, **changes: object) -> Found:
    return Found(**{field: getattr(found, field) for field in found.__struct_fields__} | changes)


def _is_camera(port: str) -> bool:
    return Path(os.path.realpath(port)).name.startswith("video")


def _list(numbers: Sequence[int]) -> str:
    return ", ".join(map(str, numbers))
