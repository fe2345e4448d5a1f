import pytest


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arms' time-outs are wide: a loaded machine must not look like a fault."""
    monkeypatch.setattr("drivers.dynamixel.bus.REPLY_SLACK_MS", 60.0)
    monkeypatch.setattr("drivers.dynamixel.bus.SETUP_SLACK_MS", 60.0)
    monkeypatch.setattr("drivers.dynamixel.bus._SCAN_MS", 100.0)
    monkeypatch.setattr("station.devices.networked.arm.STARTS_NS", 10_000_000_000)
