"""UFACTORY's Python SDK, as far as it is used: the layer that speaks the wire, in processes of ours that do nothing else.

Not its `XArmAPI`: that clears warnings when it connects, and errors when it finds a gripper at another baud rate, warns at every target
while no report runs, and waits 2 s for an answer. Both set a time-out for all sockets of the process, and both would rather talk to a
socket in /tmp than to the address.
"""

import socket
from typing import Any

from station.devices.networked.vendor_process import drop_what_is_unsent

ANSWER_S = 0.2
"""A link that is silent for so long is lost."""


def connect(address: str, port: int) -> Any:
    """The controller's commands (`UxbusCmdTcp`). Raises ConnectionError."""
    from xarm.core.config.x_config import XCONF

    XCONF.SocketConf.TCP_CONTROL_PORT = port
    from xarm.core.comm import SocketPort
    from xarm.core.wrapper import UxbusCmdTcp

    line = SocketPort(address, port, forbid_uds=True)
    socket.setdefaulttimeout(None)
    if not line.connected:
        raise ConnectionError(f"nobody takes commands at {address}:{port}")
    drop_what_is_unsent()
    commands = UxbusCmdTcp(line)
    commands.set_timeout(ANSWER_S)
    return commands
