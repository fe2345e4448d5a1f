"""Asking the operator for Enter, while the rig goes on talking."""

import os
import select
import sys
import termios
from collections.abc import Callable

import typer

from station.terminal.shown import shown

Prompt = Callable[[str, Callable[[], None]], None]
"""Shows a prompt and comes back once it was answered; meanwhile it calls the second again and again."""

_LOOK_S = 0.05


def enter(prompt: str, meanwhile: Callable[[], None]) -> None:
    """Wait for Enter, calling `meanwhile` twenty times a second: what flows at a prompt must be taken in, or it piles up.

    Keys pressed before the prompt was shown do not answer it. Raises typer.Abort at the end of the input.
    """
    keyboard = sys.stdin.fileno()
    if os.isatty(keyboard):
        termios.tcflush(keyboard, termios.TCIFLUSH)
    typer.echo(f"{shown(prompt)}. Then press Enter: ", nl=False)
    while not select.select([keyboard], [], [], _LOOK_S)[0]:
        meanwhile()
    # a byte at a time and past Python's buffer, which would take the answers to later prompts along
    while (key := os.read(keyboard, 1)) != b"\n":
        if not key:
            raise typer.Abort
