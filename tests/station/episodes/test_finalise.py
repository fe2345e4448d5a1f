"""From a journal to an episode under its name: whatever is killed, damaged, discarded or in the way."""

import subprocess
import sys
from pathlib import Path

import h5py
import pytest

from station.bus.messages import Frame, Row
from station.episodes import naming
from station.episodes.finalise import finalise as run
from station.episodes.journal import JournalWriter
from station.episodes.picture_dataset import Picture, PictureDataset
from station.episodes.verify import verify
from station.errors import EpisodeError, JournalDamaged, NothingRecorded
from tests.station.episodes.recording import T0_NS, TICK_NS, Recording, header, jpeg, write


@pytest.mark.parametrize(
    "where",
    [
        "build.Builder.take",
        "build.Builder.finish",
        "episode_writer.verify",
        "episode_writer.durable.sync",
        "episode_writer.EpisodeWriter.publish",
        "finalise._put_away",
    ],
)
def test_finalising_may_be_killed_anywhere_and_run_again(tmp_path: Path, where: str) -> None:
    part = naming.journal_path(tmp_path, 2)
    write(part, Recording(20, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=2))
    script = (
        "import os, sys; from pathlib import Path; from station.episodes import build, episode_writer, finalise\n"
        f"real = {where}\n"
        f"{where} = lambda *given: ({where.startswith('build')} and real(*given), os.kill(os.getpid(), 9))\n"
        "finalise.finalise(Path(sys.argv[1]))"
    )
    assert subprocess.run([sys.executable, "-c", script, str(part)], timeout=60).returncode == -9
    assert part.exists()
    episode = naming.episode_path(tmp_path, 2)
    assert episode.exists() == where.endswith("_put_away")
    assert run(part) == episode
    assert run(part) == episode  # and once more
    assert verify(episode) == []
    assert sorted(entry.name for entry in tmp_path.iterdir()) == [".highest_episode", "episode_2.hdf5"]


def test_it_never_replaces_another_recording(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(2, [jpeg()]))
    episode = run(part)
    before = episode.read_bytes()
    write(part, Recording(3, [jpeg()]), header(start_ns=T0_NS + 1))
    with pytest.raises(EpisodeError, match="another recording"):
        run(part)
    assert episode.read_bytes() == before
    assert part.exists()


def test_a_discarded_one_never_has_an_episodes_name(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(2, [jpeg()]))
    assert run(naming.discard(part)) == tmp_path / "episode_0.hdf5.deleted"
    assert list(tmp_path.glob("*.hdf5")) == []
    assert verify(tmp_path / "episode_0.hdf5.deleted") == []


def test_a_kept_journal_is_kept(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(2, [jpeg()]))
    run(part, keep_journal=True)
    assert sorted(entry.name for entry in tmp_path.glob("e*")) == ["episode_0.hdf5", "episode_0.mcap"]


def test_damage_in_the_middle_saves_what_precedes_it_and_keeps_the_journal(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(30, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",)))
    content = bytearray(part.read_bytes())
    content[len(content) * 2 // 3] ^= 1
    part.write_bytes(content)
    with h5py.File(run(part)) as file:
        assert 10 < len(file["/action"]) < 30
        assert "checksum" in file.attrs["damage"]
        assert file.attrs["recovered"]
    assert (tmp_path / "episode_0.mcap.damaged").read_bytes() == content
    assert not part.exists()


@pytest.mark.parametrize(
    ("spoil", "said"), [("nan", "not a number"), ("gap", "row 7 is missing"), ("lost", "cam_high")]
)
def test_what_makes_no_sense_ends_the_episode_there(tmp_path: Path, spoil: str, said: str) -> None:
    part = naming.journal_path(tmp_path, 0)
    writer = JournalWriter(part, header(cameras=("cam_high",)))
    dropped = 0
    for sample in (sample for batch in Recording(20, [jpeg()], cameras=("cam_high",)).batches() for sample in batch):
        body = sample.body
        if isinstance(body, Row) and body.row == 7 and spoil == "gap":
            continue
        if isinstance(body, Row) and body.row == 7 and spoil == "nan":
            sample = sample._replace(
                body=Row(body.tick, 7, (float("nan"), *body.action[1:]), body.action_sent, "leader")
            )
        if isinstance(body, Frame) and spoil == "lost" and sample.header.captured_at_ns > T0_NS + 7 * TICK_NS:
            dropped += 1
            continue
        writer.append(sample)
    writer.close(20)
    with h5py.File(run(part)) as file:
        assert 0 < len(file["/action"]) <= 9
        assert said in file.attrs["damage"]
    assert (spoil == "lost") == (dropped > 0)


def test_nothing_recorded_is_said(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    JournalWriter(part, header()).close(0)
    content = part.read_bytes()
    with pytest.raises(NothingRecorded):
        run(part)
    assert not part.exists()
    assert (tmp_path / "episode_0.mcap.empty").read_bytes() == content


def test_a_damaged_first_record_is_damage_and_never_nothing(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    JournalWriter(part, header()).close(0)
    with part.open("r+b") as file:
        file.seek(60)
        file.write(b"~~~~")
    content = part.read_bytes()
    with pytest.raises(JournalDamaged):
        run(part)
    assert not part.exists()
    assert (tmp_path / "episode_0.mcap.damaged").read_bytes() == content
    write(naming.journal_path(tmp_path, 1), Recording(2, [jpeg()]))
    with naming.journal_path(tmp_path, 1).open("r+b") as file:
        file.seek(200)
        file.write(b"~~~~")
    with pytest.raises(JournalDamaged, match="first record"):
        run(naming.journal_path(tmp_path, 1))


def test_a_raw_picture_on_a_jpeg_rig_is_refused_and_the_journal_kept(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    recording = Recording(2, [bytes(640 * 480 * 3)], cameras=("cam_high",), frame_encoding="bgr8")
    write(part, recording, header(cameras=("cam_high",)))
    with pytest.raises(EpisodeError, match="images: jpeg"):
        run(part)
    assert part.exists()


@pytest.mark.parametrize("room", [2_000, 40_000, 120_000])
def test_a_full_disk_while_building_keeps_the_journal(tmp_path: Path, room: int) -> None:
    """A limit of the file's size fails like a full disk: at its making, in the middle, or when it is closed."""
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(30, [jpeg()]))
    limit = "import resource, runpy, sys; sys.argv = ['finalise', sys.argv[1]]\n"
    limit += f"resource.setrlimit(resource.RLIMIT_FSIZE, ({room}, {room}))\n"
    limit += "runpy.run_module('station.episodes.finalise', run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", limit, str(part)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 1, done.stdout
    assert "cannot be written" in done.stderr
    assert "station episodes recover" in done.stderr
    assert sorted(entry.name for entry in tmp_path.glob("*ep*")) == [".highest_episode", "episode_0.mcap.part"]
    assert verify(run(part)) == []


def test_bytes_that_do_not_read_back_are_noticed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(2, [jpeg()]))
    real = PictureDataset.add

    class Unlike(bytes):
        """Equal to nothing that is read."""

        __hash__ = bytes.__hash__

        def __eq__(self, other: object) -> bool:
            return False

        def __ne__(self, other: object) -> bool:
            return True

    def spoilt(dataset: PictureDataset, picture: Picture) -> None:
        real(dataset, picture._replace(pieces=tuple(map(Unlike, picture.pieces))))

    monkeypatch.setattr(PictureDataset, "add", spoilt)
    with pytest.raises(EpisodeError, match="not what was written"):
        run(part)
    assert part.exists()
    assert list(tmp_path.glob("*.hdf5")) == []


@pytest.mark.slow
def test_the_process_prints_the_path_or_the_reason(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(2, [jpeg()]))
    command = [sys.executable, "-m", "station.episodes.finalise", str(part)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (done.returncode, done.stdout.strip()) == (0, str(tmp_path / "episode_0.hdf5"))
    missing = subprocess.run(
        [*command[:-1], str(tmp_path / "episode_9.mcap.part")], capture_output=True, text=True, timeout=60
    )
    assert missing.returncode == 1
    assert "no such journal" in missing.stderr


@pytest.mark.slow
def test_memory_does_not_grow_with_length(tmp_path: Path) -> None:
    """A sixfold longer recording with 60 MB more of pictures needs (almost) no more memory."""
    script = (
        "import resource, sys; from pathlib import Path; from station.episodes.finalise import finalise\n"
        "finalise(Path(sys.argv[1])); print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)"
    )
    used = []
    for number, rows in enumerate((100, 600)):
        part = naming.journal_path(tmp_path, number)
        write(part, Recording(rows, [b"\xff\xd8\xff" + bytes(50_000)]))
        done = subprocess.run([sys.executable, "-c", script, str(part)], capture_output=True, text=True, timeout=60)
        used.append(int(done.stdout))
    assert used[1] - used[0] < 8_000  # kB
