from station.bus.messages import Health
from station.bus.sockets import Publisher
from station.bus.wire import Sample
from station.clock import monotonic_ns
from station.rig.rig import find_rig, load_rig
from station.runtime.node import Node
from station.sync.synchronizer import Synchronizer


def test_the_runners_health_is_kept_in_the_episode_and_a_devices_explains_a_hold(runtime: str, monkeypatch) -> None:
    node = Node(load_rig(find_rig("bench")), "synchronizer")
    synchronizer = Synchronizer(node)
    kept: list[Sample] = []
    monkeypatch.setattr(synchronizer, "_put", kept.append)
    publishers = [Publisher("bench", name, 1, monotonic_ns) for name in ("policy", "follower_left")]
    try:
        for _ in range(500):  # a subscription takes a moment
            for publisher, name in zip(publishers, ("policy", "follower_left"), strict=True):
                publisher.publish("health", Health(name, "warn", f"{name} is warm"))
            synchronizer._bus.socket.poll(10)
            synchronizer._drain()
            if kept and "follower_left" in synchronizer._troubles:
                break
        assert {sample.node for sample in kept} == {"policy"}
        assert synchronizer._troubles == {"follower_left": "follower_left is warm"}
    finally:
        for publisher in publishers:
            publisher.close()
        node.finish.set()
        synchronizer.run()  # closes what it opened
        node.close()
