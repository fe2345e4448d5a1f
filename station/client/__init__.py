"""The one way to talk to a running station: attach or start it, subscribe, request, watch the session, end cleanly."""

from station.client.health import trouble, well
from station.client.session import SessionClient
from station.client.station import Station, connect

__all__ = ["SessionClient", "Station", "connect", "trouble", "well"]
