"""Rows that were announced as safe are in the episode, or their loss has a name; older journals say what they say."""

from pathlib import Path

import h5py
import msgspec
import numpy as np
import pytest

from station.bus.messages import Chosen, Tick
from station.episodes import layout, naming
from station.episodes.finalise import finalise
from station.episodes.journal import JournalHeader, JournalWriter, RecordedStream, recorded_streams
from station.episodes.verify import verify
from station.errors import RowsMissing
from tests.station.episodes.recording import Recording, header, jpeg, write

ONE = ("cam_high",)


def cut(part: Path, rows: int) -> None:
    """Make the file end where it ended after so many rows: nothing in it shows that there was more."""
    other = part.with_name("episode_99.mcap.part")
    whole = part.read_bytes()
    write(other, Recording(rows, [jpeg()], cameras=ONE), header(cameras=ONE), close=False)
    part.write_bytes(whole[: other.stat().st_size])
    other.unlink()


def test_fewer_rows_than_were_acknowledged_are_a_failure_and_the_journal_is_kept(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 4)
    write(part, Recording(20, [jpeg()], cameras=ONE), header(cameras=ONE))
    cut(part, 8)
    with pytest.raises(RowsMissing, match=r"20 rows were acknowledged, 8 can be read.*episode_4\.mcap\.damaged"):
        finalise(part, acknowledged=20)
    assert (tmp_path / "episode_4.mcap.damaged").exists()
    episode = naming.episode_path(tmp_path, 4)
    with h5py.File(episode) as file:
        assert len(file["/action"]) == 8
        assert file.attrs["damage"] == "20 rows were acknowledged, 8 can be read"
    assert verify(episode) == []
    with pytest.raises(RowsMissing, match="20 rows were acknowledged, 8 are in it"):
        finalise(part, acknowledged=20)  # asked again, by somebody who comes later


def test_a_journals_own_end_counts_too(tmp_path: Path) -> None:
    """Its recorder wrote 20; a reader that gets at fewer must not call that whole."""
    part = naming.journal_path(tmp_path, 4)
    writer = write(part, Recording(8, [jpeg()], cameras=ONE), header(cameras=ONE), close=False)
    writer.close(20)
    with pytest.raises(RowsMissing, match="after row 7: the recorder wrote 20 rows, the journal has 8"):
        finalise(part, acknowledged=0)
    assert (tmp_path / "episode_4.mcap.damaged").exists()


def test_more_rows_than_were_heard_of_are_welcome(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 4)
    write(part, Recording(20, [jpeg()], cameras=ONE), header(cameras=ONE))
    assert finalise(part, acknowledged=17) == naming.episode_path(tmp_path, 4)
    assert not part.exists()


def test_an_older_journal_in_which_a_stream_appears_keeps_all_its_rows(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    writer = JournalWriter(part, header(cameras=ONE))
    for number, batch in enumerate(Recording(20, [jpeg()], cameras=ONE).batches()):
        for sample in batch:
            if isinstance(sample.body, Tick) and number > 7:
                more = (*sample.body.chosen, Chosen("vr", 7, number, 5, 9, True))
                sample = sample._replace(body=msgspec.structs.replace(sample.body, chosen=more))
            writer.append(sample)
        writer.flush()
    writer.close(20)
    with h5py.File(finalise(part, acknowledged=20)) as file:
        assert len(file["/action"]) == 20
        assert "vr" not in file["/timestamps"]
        assert list(file.attrs["unrecorded_streams"]) == ["vr"]


def test_a_header_from_before_the_streams_were_kept_is_read() -> None:
    now = msgspec.json.decode(msgspec.json.encode(header(cameras=ONE)))
    del now["streams"]
    older = msgspec.json.decode(msgspec.json.encode(now), type=JournalHeader)
    assert recorded_streams(older)["cam_high"] == ("frame", "cam_high")
    frozen = msgspec.structs.replace(older, streams=(RecordedStream("cam_high", "frame", "cam_high"),))
    assert list(recorded_streams(frozen)) == ["cam_high"]


def test_a_file_of_the_layout_before_is_whole_without_the_attribute(tmp_path: Path) -> None:
    part = naming.journal_path(tmp_path, 0)
    write(part, Recording(3, [jpeg()], cameras=ONE), header(cameras=ONE))
    episode = finalise(part)
    with h5py.File(episode, "r+") as file:
        for attribute in layout.ATTRIBUTES:
            if attribute.since > 1 and attribute.name in file[attribute.on].attrs:
                del file[attribute.on].attrs[attribute.name]
        del file["/control/stalled"], file["/marks"]
        assert "unrecorded_streams" not in file.attrs
        file.attrs["layout"] = np.int64(1)
    assert verify(episode) == []
