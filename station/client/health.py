"""How a process is, in one word and in its own. Pure."""

from station.bus.messages import ProcessState


def well(process: ProcessState) -> bool:
    """Does it run, and say that it works?"""
    return process.running and process.health is not None and process.health.state in ("ok", "warn")


def trouble(process: ProcessState) -> str:
    """What is wrong with a process, in its own words; "" if nothing is known."""
    if process.health is not None and process.health.error:
        return process.health.error
    if not process.running and process.last_exit:
        return f"{process.node} ended ({process.last_exit})"
    return ""
