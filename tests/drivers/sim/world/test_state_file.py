import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivers.sim.world.state_file import StateReader, StateWriter

WRITER = """
import sys, time
import numpy as np
from pathlib import Path
from drivers.sim.world.state_file import StateWriter
writer, n = StateWriter(Path(sys.argv[1]), 64), 0
print("ready", flush=True)
while True:
    n += 1
    writer.write(n, np.full(64, float(n)))
"""


@settings(max_examples=50)
@given(st.integers(0, 2**62), st.lists(st.floats(allow_nan=False), min_size=1, max_size=40))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, time_ns: int, numbers: list[float]) -> None:
    path = tmp_path_factory.mktemp("state") / "state"
    writer = StateWriter(path, len(numbers))
    writer.write(time_ns, np.array(numbers))
    reader = StateReader(path)
    snapshot = reader.read()
    reader.close()
    writer.close()
    assert snapshot is not None
    assert snapshot.time_ns == time_ns
    np.testing.assert_array_equal(snapshot.numbers, numbers)


def test_each_of_many_states_can_be_read(tmp_path: Path) -> None:
    writer = StateWriter(tmp_path / "state", 1)
    reader = StateReader(tmp_path / "state")
    for number in range(1, 10):
        writer.write(number, np.array([float(number)]))
        snapshot = reader.read()
        assert snapshot is not None
        assert (snapshot.time_ns, snapshot.numbers.tolist()) == (number, [number])
    reader.close()
    writer.close()


def test_no_reader_ever_sees_half_a_state(tmp_path: Path) -> None:
    """Another process writes as fast as it can; every number of a snapshot belongs to its time."""
    path = tmp_path / "state"
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE) as writer:
        try:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"ready\n"
            seen: set[int] = set()
            deadline = time.monotonic() + 30
            while len(seen) < 2000 and time.monotonic() < deadline:
                reader = StateReader(path)  # anew each time: one that opens during a write finds a state file too
                snapshot = reader.read()
                reader.close()
                if snapshot is not None:
                    assert np.all(snapshot.numbers == snapshot.time_ns)
                    seen.add(snapshot.time_ns)
        finally:
            writer.kill()
    assert len(seen) >= 2000


def test_a_writer_that_died_half_way_leaves_nothing_readable(tmp_path: Path) -> None:
    path = tmp_path / "state"
    writer = StateWriter(path, 3)
    writer.write(7, np.ones(3))
    raw = bytearray(path.read_bytes())
    path.write_bytes(raw[:24] + (3).to_bytes(8, "little") + raw[32:])  # an odd sequence
    reader = StateReader(path)
    assert reader.read() is None
    reader.close()
    raw[-1] ^= 1
    path.write_bytes(raw)
    reader = StateReader(path)
    assert reader.read() is None
    reader.close()


def test_another_file_is_refused_and_a_wrong_count_too(tmp_path: Path) -> None:
    path = tmp_path / "state"
    path.write_bytes(b"x" * 100)
    with pytest.raises(ValueError, match="not a world's state"):
        StateReader(path)
    writer = StateWriter(path, 3)
    with pytest.raises(ValueError, match="2 numbers instead of 3"):
        writer.write(0, np.zeros(2))
    writer.close()
    assert not path.exists()
