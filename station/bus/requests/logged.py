"""A request as a log has it. Pure."""

import msgspec

from station.bus.requests.policy import LoadPolicy
from station.bus.requests.request import Request
from station.bus.requests.session import OpenSession

_NAMING = ("policy", "policy_folder", "folder", "instruction")
"""What tells one policy from another."""


def logged(request: Request) -> str:
    """All that it says; of a policy that is judged by somebody who is not to know which it is, nothing that names it."""
    if isinstance(request, LoadPolicy | OpenSession) and request.blind:
        hidden = {name: "…" for name in _NAMING if name in request.__struct_fields__ and getattr(request, name)}
        request = msgspec.structs.replace(request, **hidden)
    return str(request)
