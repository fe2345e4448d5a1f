"""What the check makes of the computer: disk, clock, scheduling, USB. Reads the computer, touches no device."""

import os
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from calibration.checks.survey import Survey
from calibration.checks.verdict import above, below, same, told, unchecked
from station.clock import NS_PER_S, Clock
from station.files.check_results import Finding
from station.rig.file import Check
from station.rig.rig import Rig

_CLOCK = Path("/sys/devices/system/clocksource/clocksource0/current_clocksource")
_STEADY_CLOCKS = ("tsc", "arch_sys_counter", "kvm-clock", "hyperv_clocksource_tsc_page")
_TEST_MB = 64
_ARMS_PER_CONTROLLER = 4


def check(rig: Rig, seen: Survey, clock: Clock) -> list[Finding]:
    """Everything about this computer."""
    return [*_disk(rig.data, rig.check, clock), *_time(seen, rig.check), *_usb(rig)]


def _disk(data: Path, limits: Check, clock: Clock) -> Iterator[Finding]:
    try:
        data.mkdir(parents=True, exist_ok=True)
        free_gb = shutil.disk_usage(data).free / 1e9
        speed = write_speed_mb_s(data, clock) if free_gb > 1 else 0.0
    except OSError as error:
        yield told("disk", "data folder", "fail", str(error), f"make {data} writable, or name another with --data")
        return
    yield below("disk", "free space", free_gb, "GB", limits.disk_gb, f"free space below {data}")
    yield below("disk", "write speed", speed, "MB/s", limits.disk_mb_s, "record to a local SSD")


def write_speed_mb_s(folder: Path, clock: Clock) -> float:
    """Write 64 MB into a file that is at once removed, and wait until they are on the disk."""
    block = os.urandom(1 << 20)
    path = folder / f".write-speed-{os.getpid()}"
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    path.unlink()
    try:
        begun_ns = clock()
        for _ in range(_TEST_MB):
            os.write(handle, block)
        os.fdatasync(handle)
        return _TEST_MB * 1.048576 * NS_PER_S / max(1, clock() - begun_ns)
    finally:
        os.close(handle)


def _time(seen: Survey, limits: Check) -> Iterator[Finding]:
    try:
        source = _CLOCK.read_text().strip()
    except OSError:
        yield unchecked("computer", "clock", "the kernel does not say which clock it uses", "")
    else:
        steady = source if source in _STEADY_CLOCKS else "tsc"
        do = "the kernel distrusts the processor's own clock: reading the time is slow; see `dmesg | grep clocksource`"
        yield same("computer", "clock", source, steady, do, otherwise="warn")
    first, last = seen.recorder_first, seen.recorder_last
    if first is None or last is None or last.ticks <= first.ticks:
        yield unchecked(
            "computer", "scheduling", "no ticks were counted", "`station status` says why the synchronizer is silent"
        )
        return
    late = 100 * (last.late_ticks - first.late_ticks) / (last.ticks - first.ticks)
    yield above(
        "computer", "late ticks", late, "%", limits.late_percent, "end other programs; `station bench` tells more"
    )


def _usb(rig: Rig) -> Iterator[Finding]:
    ports = [d.at for d in rig.devices if d.is_arm and not d.networked and not d.simulated]
    if not ports:
        return
    controllers = Counter(filter(None, (_controller(Path(port)) for port in ports)))
    if not controllers:
        yield unchecked("computer", "USB topology", "the kernel does not say which controller an arm hangs on", "")
        return
    most, count = controllers.most_common(1)[0]
    hubs = [port for port in ports if _behind_hub(Path(port))]
    if hubs:
        yield told(
            "computer", "USB topology", "warn", f"{', '.join(hubs)} behind a hub", "plug arms into the computer itself"
        )
    else:
        verdict = f"at most {count} arms on one controller ({most})"
        yield told("computer", "USB topology", "pass" if count <= _ARMS_PER_CONTROLLER else "warn", verdict, "")


def _sysfs(port: Path) -> Path | None:
    device = Path("/sys/class/tty") / port.resolve().name / "device"
    return device.resolve() if device.exists() else None


def _controller(port: Path) -> str:
    device = _sysfs(port)
    return next((part for part in device.parts if part.startswith("usb")), "") if device else ""


def _behind_hub(port: Path) -> bool:
    """A path such as 1-4.2 has a dot per hub."""
    device = _sysfs(port)
    return (
        any("." in part.partition(":")[0] and part[:1].isdigit() and "-" in part for part in device.parts)
        if device
        else False
    )
