"""The systemd unit that brings a station up with its computer. Pure: `udev/station@.service` is this text for a station in /opt."""

from pathlib import PurePath

NAME = "station@.service"
PLACE = PurePath("/etc/systemd/system") / NAME
STOP_S = 20
"""What systemd waits for `station stop`, which takes 10 s at most, whatever hangs."""


def unit(station: PurePath, user: str) -> str:
    """The unit's text. `station`: the command, absolute; `user`: whose commands in a terminal are to find it."""
    return f"""\
# A station that comes up with the computer: `systemctl enable --now station@aloha` runs rig `aloha`.
# Written by `station service install`; udev/README.md says what its lines are for.
[Unit]
Description=Teleoperation station, rig %i
After=systemd-user-sessions.service

[Service]
Type=exec
# The operator's own user: the commands typed in a terminal find the station in that user's runtime folder, which the
# login session below makes (/run/user/<uid>).
User={user}
PAMName=login
ExecStart={station} up --foreground --rig %i
# In order: who records, who commands, the arms (held, torque stays on), so never by killing.
ExecStop={station} stop --rig %i
KillMode=mixed
# `station stop` takes 10 s at most, whatever hangs.
TimeoutStopSec={STOP_S}
Restart=on-failure
RestartSec=2
# Arms, pilot and synchronizer run at real-time priority 20, what follows them below; the simulated world at 30
# (docs/reference/processes.md). While they start they are at nice −10. `station status` shows who has it.
LimitRTPRIO=50
LimitNICE=-10
# Serial ports, webcams, RealSense as raw USB, a foot pedal's events.
SupplementaryGroups=dialout video plugdev input

[Install]
WantedBy=multi-user.target
"""
