"""`station pedal PATH`: press each pedal and see what it sends."""

import select
from pathlib import Path
from typing import Annotated

import typer

from station.borders.options import seconds_option
from station.bus.actions import pedal_words
from station.cli.operator.pedal import ACTS, Pedal, key_name
from station.clock import NS_PER_S, monotonic_ns
from station.errors import UsageError
from station.terminal.screen import console


def learned(codes: list[int]) -> str:
    """The `--pedal-keys` of the pedals in the order in which they were pressed first. Pure."""
    return ",".join(key_name(code) for code in dict.fromkeys(codes[:64]))


def pedal(
    path: Annotated[Path, typer.Argument(help="the pedal's evdev device, below /dev/input/by-id/")],
    seconds: Annotated[float, seconds_option("--seconds", 0.0, "how long to wait for each pedal")] = 10.0,
) -> None:
    """Learn a foot pedal: press the pedals one after the other, in the order of what they are to do."""
    device = Pedal(path)
    codes: list[int] = []
    try:
        for number, act in enumerate(ACTS, 1):
            console.print(f"press the pedal for: {pedal_words(number)} (or wait {seconds:g} s if there is none)")
            until_ns = monotonic_ns() + round(seconds * NS_PER_S)
            code = None
            while code is None and monotonic_ns() < until_ns and device.fd is not None:
                select.select([device.fd], [], [], 0.2)
                code = next((found for found in device.codes() if found not in codes), None)
            if code is None:
                break
            codes.append(code)
            console.print(f"  {act}: {key_name(code)}")
    finally:
        device.close()
    if not codes:
        raise UsageError(f"{path} sent no key within {seconds:g} s. Next: is it the pedal's …-event-kbd device?")
    console.print()
    console.print(f"record with: --pedal {path} --pedal-keys {learned(codes)}")
