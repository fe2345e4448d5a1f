"""The policy runner's process: `python -m station.policy.node --rig R --node policy`. Next to nothing until it is asked.

It always runs, so that a policy can be loaded at any time; until the first LoadPolicy it listens to no stream and has
imported nothing that computes (no NumPy, OpenCV, HDF5). The runner itself is `station.policy.runner`.
"""

from collections.abc import Callable

from station.bus.messages import Health, PolicyState
from station.bus.requests import Done, LoadPolicy, PolicyRequest, Refused, Reply, StopPolicy
from station.bus.sockets import RequestServer
from station.runtime.node import Node, run
from station.runtime.processes import STOP_DELAY_S
from station.runtime.realtime import start_ordinary

_POLL_MS = 500


def main(node: Node) -> None:
    """The node's life: wait for the first policy, then run policies."""
    requests: RequestServer[PolicyRequest] = RequestServer(node.rig.name, node.name, PolicyRequest)
    try:
        first = _first_load(node, requests)
        if first is not None:
            start_ordinary()  # inference, decoding, libraries' pools: only this loop must be in time for its tick
            from station.policy.runner import Runner  # heavy: only now

            Runner(node, requests).run(*first)
    finally:
        requests.close()


def _first_load(
    node: Node, requests: "RequestServer[PolicyRequest]"
) -> tuple[LoadPolicy, Callable[[Reply], None]] | None:
    """Wait for somebody to ask for a policy; None when the node is to finish."""
    since_ns = node.clock()
    while not node.finish.is_set():
        if node.health_due(node.clock()):
            node.publish_health(Health(node.name, "ok", "", notes=("no policy is loaded",)))
            node.publisher.publish("policy", PolicyState("none", since_ns))
        got = requests.receive(_POLL_MS)
        if got is None:
            continue
        request, answer, _ = got
        if isinstance(request, LoadPolicy):
            return request, answer
        answer(Done() if isinstance(request, StopPolicy) else Refused("no policy is loaded. Next: load one"))
    return None


if __name__ == "__main__":
    run(main, STOP_DELAY_S[1])
