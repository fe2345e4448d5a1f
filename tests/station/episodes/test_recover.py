"""Recovery loses nothing: whatever a journal is, its bytes are in an episode or in a file that is told."""

import os
import random
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import h5py
import msgspec
import pytest

from station.bus.messages import Row
from station.episodes import finalise, naming
from station.episodes.journal import CHUNK, CHUNK_OPCODE, JournalWriter
from station.episodes.journal_reader import JournalReader
from station.episodes.journal_records import RECORD
from station.episodes.recover import Recovered, recover
from station.episodes.verify import verify
from tests.station.episodes.recording import Recording, header, jpeg, write

ROWS = 24


@pytest.fixture(scope="module")
def journal(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A closed one."""
    part = naming.journal_path(tmp_path_factory.mktemp("whole"), 3)
    write(part, Recording(ROWS, [jpeg()], cameras=("cam_high",)), header(cameras=("cam_high",), episode=3))
    return part.read_bytes()


def chunks(journal: bytes) -> list[tuple[int, int]]:
    """Where each chunk begins and ends."""
    found, at = [], 8
    while at + RECORD.size <= len(journal) - 8:
        opcode, length = RECORD.unpack_from(journal, at)
        if opcode == CHUNK_OPCODE:
            found.append((at, at + RECORD.size + length))
        at += RECORD.size + length
    return found


def recovered(folder: Path, content: bytes, number: int = 3) -> Recovered:
    naming.journal_path(folder, number).write_bytes(content)
    (found,) = [one for one in recover(folder) if naming.number_of(one.part) == number]
    return found


def rows_in(episode: Path) -> int:
    with h5py.File(episode) as file:
        return len(file["/action"])


def keeps(folder: Path, content: bytes, number: int = 3) -> bool:
    return any(file.read_bytes() == content for file in folder.glob(f"episode_{number}.mcap*"))


def flip(content: bytes, at: int, bit: int = 7) -> bytes:
    return content[:at] + bytes([content[at] ^ 1 << bit]) + content[at + 1 :]


@pytest.mark.parametrize("bit", [0, 7])
@pytest.mark.parametrize("at", [0, 3, 9, 60, 70, 90, 200, 400, 1500])
def test_a_bit_flipped_before_the_first_chunk_deletes_nothing(
    tmp_path: Path, journal: bytes, at: int, bit: int
) -> None:
    hurt = flip(journal, at, bit)
    found = recovered(tmp_path, hurt)
    if found.outcome == "saved":  # the library's name in MCAP's own header says nothing
        assert rows_in(tmp_path / "episode_3.hdf5") == ROWS
        return
    assert found.outcome == "failed"
    assert "episode_3.mcap.damaged" in found.detail
    assert (tmp_path / "episode_3.mcap.damaged").read_bytes() == hurt
    assert not (tmp_path / "episode_3.hdf5").exists()


FOREIGN: dict[str, Callable[[bytes], bytes]] = {
    "text": lambda _: b"a shopping list\n" * 40,
    "another's mcap": lambda whole: whole[:8] + whole[-37:],
    "zeros": lambda _: bytes(5000),
    "one byte": lambda _: b"\x89",
    "only the magic": lambda whole: whole[:8],
    "half a header": lambda whole: whole[:300],
}


@pytest.mark.parametrize("what", FOREIGN)
def test_what_is_no_journal_is_kept_and_told(tmp_path: Path, journal: bytes, what: str) -> None:
    content = FOREIGN[what](journal)
    found = recovered(tmp_path, content)
    assert found.outcome == "failed"
    assert (tmp_path / "episode_3.mcap.damaged").read_bytes() == content


WOUNDS: dict[str, Callable[[bytes, int, int], bytes]] = {
    "bytes cut out": lambda whole, at, _: whole[: at + 700] + whole[at + 1900 :],
    "a chunk cut out": lambda whole, at, end: whole[:at] + whole[end:],
    "a length that is too large": lambda whole, at, _: flip(whole, at + 3, 7),
    "a length that is absurd": lambda whole, at, _: flip(whole, at + 8, 7),
    "a length that is too small": lambda whole, at, _: flip(whole, at + 2, 1),
    "an unknown kind of record": lambda whole, at, _: flip(whole, at, 6),
    "no kind of record": lambda whole, at, _: whole[:at] + b"\0" + whole[at + 1 :],
    "zeros": lambda whole, at, _: whole[:at] + bytes(4096) + whole[at + 4096 :],
    "a page of something else": lambda whole, at, _: whole[: at + 1000] + b"\xa5" * 4096 + whole[at + 5096 :],
    "a wrong checksum": lambda whole, at, _: flip(whole, at + CHUNK.size + 40),
    "a picture's byte": lambda whole, _, end: flip(whole, end - 3000),
}


@pytest.mark.parametrize("closed", [True, False])
@pytest.mark.parametrize("wound", WOUNDS)
def test_a_wound_in_the_middle_is_damage_and_what_is_beyond_is_told(
    tmp_path: Path, journal: bytes, wound: str, closed: bool
) -> None:
    whole = journal if closed else journal[: chunks(journal)[-1][1]]
    at, end = chunks(whole)[12]
    hurt = WOUNDS[wound](whole, at, end)
    found = recovered(tmp_path, hurt)
    assert found.outcome == "damaged", found
    assert "cut off" not in found.detail
    assert (tmp_path / "episode_3.mcap.damaged").read_bytes() == hurt
    with h5py.File(tmp_path / "episode_3.hdf5") as file:
        assert len(file["/action"]) == found.rows == 11  # the tick's chunk closes the row before
        assert "rows beyond it" in file.attrs["damage"]
        assert f"to {ROWS - 1})" in file.attrs["damage"]
        assert "cut off" not in file.attrs["ended"]
    assert verify(tmp_path / "episode_3.hdf5") == []
    assert list(recover(tmp_path)) == []


def test_rows_that_the_end_knows_of_and_the_journal_lacks_are_damage(tmp_path: Path, journal: bytes) -> None:
    places = chunks(journal)
    hurt = journal[: places[-4][0]] + journal[places[-1][1] :]
    found = recovered(tmp_path, hurt)
    assert (found.outcome, found.rows) == ("damaged", ROWS - 4)
    assert f"the recorder wrote {ROWS} rows" in found.detail
    assert keeps(tmp_path, hurt)


def test_something_behind_the_end_is_kept(tmp_path: Path, journal: bytes) -> None:
    found = recovered(tmp_path, journal + b"notes of somebody")
    assert (found.outcome, found.rows) == ("damaged", ROWS)
    assert keeps(tmp_path, journal + b"notes of somebody")


def test_a_journal_that_was_cut_off_is_saved_and_half_a_record_kept(tmp_path: Path, journal: bytes) -> None:
    end = chunks(journal)[12][1]
    found = recovered(tmp_path, journal[: end - 100])
    assert (found.outcome, found.rows) == ("saved", 11)
    assert "cut off" in found.detail
    assert "episode_3.mcap.cut" in found.detail
    assert (tmp_path / "episode_3.mcap.cut").read_bytes() == journal[: end - 100]
    between = recovered(tmp_path, journal[:end], 4)
    assert (between.outcome, between.rows) == ("saved", 12)
    assert not list(tmp_path.glob("episode_4.mcap*"))  # read to its last byte


def test_nothing_is_replaced(tmp_path: Path, journal: bytes) -> None:
    earlier = tmp_path / "episode_3.mcap.damaged"
    earlier.write_bytes(b"of last year")
    hurt = flip(journal, 400)
    recovered(tmp_path, hurt)
    assert earlier.read_bytes() == b"of last year"
    assert (tmp_path / "episode_3.mcap.damaged.1").read_bytes() == hurt
    (tmp_path / "episode_5.mcap").write_bytes(b"kept before")
    part = naming.journal_path(tmp_path, 5)
    part.write_bytes(journal)
    finalise.finalise(part, keep_journal=True)
    assert (tmp_path / "episode_5.mcap").read_bytes() == b"kept before"
    assert (tmp_path / "episode_5.mcap.1").read_bytes() == journal
    marked = tmp_path / "episode_6.discarded.mcap.part"
    marked.write_bytes(b"an earlier one")
    naming.journal_path(tmp_path, 6).write_bytes(journal)
    with pytest.raises(OSError, match="exists"):
        naming.discard(naming.journal_path(tmp_path, 6))
    assert marked.read_bytes() == b"an earlier one"


def test_an_episode_that_is_there_but_not_whole_keeps_its_journal(tmp_path: Path, journal: bytes) -> None:
    episode = tmp_path / "episode_3.hdf5"
    assert recovered(tmp_path, journal).outcome == "saved"
    with h5py.File(episode, "r+") as file:
        del file["/action_sent"]
    found = recovered(tmp_path, journal)
    assert found.outcome == "failed"
    assert "not whole" in found.detail
    assert naming.journal_path(tmp_path, 3).read_bytes() == journal


def unreadable(folder: Path) -> dict[str, Path]:
    """Everything of a journal's name that cannot be read as one."""
    made = {}
    (folder / "episode_10.mcap.part").mkdir()
    os.mkfifo(folder / "episode_11.mcap.part")
    (folder / "episode_12.mcap.part").symlink_to(folder / "nowhere")
    (folder / "episode_13.mcap.part").symlink_to("/dev/zero")
    (folder / "episode_14 (copy).mcap.part").write_bytes(b"x")
    (folder / "episode_15.mcap.part").symlink_to(folder / "episode_15.mcap.part")
    for entry in folder.iterdir():
        made[entry.name] = entry
    return made


def test_one_that_cannot_be_opened_does_not_keep_the_next_from_being_saved(tmp_path: Path, journal: bytes) -> None:
    strange = unreadable(tmp_path)
    naming.journal_path(tmp_path, 9).write_bytes(journal)
    naming.journal_path(tmp_path, 20).write_bytes(journal)
    got = {found.part.name: found for found in recover(tmp_path)}
    assert got.keys() == {*strange, "episode_9.mcap.part", "episode_20.mcap.part"}
    for name, path in strange.items():
        assert got[name].outcome == "failed"
        assert name in got[name].detail
        assert "Next: " in got[name].detail
        assert os.path.lexists(path)
    assert [got[f"episode_{n}.mcap.part"].outcome for n in (9, 20)] == ["saved", "saved"]


def test_a_disk_that_fails_midway_saves_what_it_gave(
    tmp_path: Path, journal: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """EIO from the middle of the first of two."""
    at, _ = chunks(journal)[12]
    real, hurt = os.pread, (naming.journal_path(tmp_path, 3))
    hurt.write_bytes(journal)
    sick = hurt.stat().st_ino

    def failing(fd: int, length: int, offset: int) -> bytes:
        if offset + length > at + 500 and os.fstat(fd).st_ino == sick:
            raise OSError(5, "Input/output error")
        return real(fd, length, offset)

    naming.journal_path(tmp_path, 4).write_bytes(journal)
    monkeypatch.setattr(os, "pread", failing)
    first, second = recover(tmp_path)
    assert (first.outcome, first.rows) == ("damaged", 11)
    assert "Input/output error" in first.detail
    assert (tmp_path / "episode_3.mcap.damaged").stat().st_ino == sick
    assert second.outcome == "saved"


def test_a_locked_file_of_another_users_is_one_line(
    tmp_path: Path, journal: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.open
    naming.journal_path(tmp_path, 3).write_bytes(journal)
    naming.journal_path(tmp_path, 4).write_bytes(journal)

    def forbidden(path: object, *more: object, **keys: object) -> int:
        if str(path).endswith("episode_3.mcap.part"):
            raise PermissionError(13, "Permission denied", str(path))
        return real(path, *more, **keys)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "open", forbidden)
    first, second = recover(tmp_path)
    assert first.outcome == "failed"
    assert "Permission denied" in first.detail
    assert "Next: " in first.detail
    assert naming.journal_path(tmp_path, 3).exists()
    assert second.outcome == "saved"


def test_a_leftover_with_anything_in_it_is_kept(tmp_path: Path, journal: bytes) -> None:
    (tmp_path / ".episode_7.mcap.part.77").write_bytes(b"a stranger's")
    head = journal[: chunks(journal)[0][0]]
    (tmp_path / ".episode_8.mcap.part.78").write_bytes(head)
    (tmp_path / ".episode_9.mcap.part.79").touch()
    got = {found.part.name: found.outcome for found in recover(tmp_path)}
    assert got == {".episode_7.mcap.part.77": "failed", ".episode_8.mcap.part.78": "empty"}
    assert (tmp_path / "episode_7.mcap.damaged").read_bytes() == b"a stranger's"
    assert (tmp_path / "episode_8.mcap.empty").read_bytes() == head
    assert not (tmp_path / ".episode_9.mcap.part.79").exists()


def test_a_journal_of_a_later_version_is_left_for_it(tmp_path: Path, journal: bytes) -> None:
    class Later(msgspec.Struct):
        layout: int = 99
        something_new: str = "x"

    part = naming.journal_path(tmp_path, 3)
    JournalWriter(part, Later()).close(0)  # type: ignore[arg-type]
    content = part.read_bytes()
    (found,) = recover(tmp_path)
    assert found.outcome == "failed"
    assert "another version" in found.detail
    assert "update the station" in found.detail
    assert part.read_bytes() == content


def test_two_at_once_save_each_journal_once(tmp_path: Path, journal: bytes) -> None:
    for number in range(3):
        naming.journal_path(tmp_path, number).write_bytes(journal)
    done: list[Recovered] = []
    both = [threading.Thread(target=lambda: done.extend(recover(tmp_path))) for _ in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert {found.outcome for found in done} <= {"saved", "live"}
    assert sorted(path.name for path in tmp_path.iterdir()) == [f"episode_{n}.hdf5" for n in range(3)]


def mutated(whole: bytes, chance: random.Random) -> bytes:
    """One of the ways in which disks, cables and people spoil a file."""
    at, size = chance.randrange(len(whole)), chance.choice([1, 4, 100, 4096, 20_000])
    kind = chance.randrange(6)
    if kind == 0:
        return flip(whole, at, chance.randrange(8))
    if kind == 1:
        return whole[:at] + whole[at + size :]
    if kind == 2:
        return whole[:at] + bytes(size) + whole[at + size :]
    if kind == 3:
        return whole[:at]
    if kind == 4:
        return whole[:at] + chance.randbytes(size) + whole[at:]
    return whole[:at] + chance.randbytes(size) + whole[at + size :]


def acknowledged(content: bytes, folder: Path) -> list[int]:
    """Rows before the wound, as a reader that knows nothing of episodes sees them."""
    copy = folder / "copy"
    copy.write_bytes(content)
    with JournalReader(copy) as reader:
        found = [body.row for body in (stored.open()[0] for stored in reader.stored({"row"})) if isinstance(body, Row)]
    copy.unlink()
    return found


@pytest.mark.slow
def test_whatever_is_done_to_a_journal_no_byte_and_no_row_is_lost(tmp_path: Path, journal: bytes) -> None:
    chance = random.Random(5)
    open_end = journal[: chunks(journal)[-1][1]]
    for number in range(30):
        folder = tmp_path / str(number)
        folder.mkdir()
        whole = journal if number % 2 else open_end
        hurt = mutated(whole, chance)
        before = acknowledged(hurt, folder)
        found = recovered(folder, hurt)
        episode = folder / "episode_3.hdf5"
        rows = rows_in(episode) if episode.exists() else 0
        assert rows == found.rows
        assert rows >= len(before) or keeps(folder, hurt), (number, found)
        assert keeps(folder, hurt) or rows == ROWS or hurt == whole[: len(hurt)], (number, found)
        assert found.whole == (found.outcome in ("saved", "empty")), (number, found)
        if episode.exists():
            assert verify(episode) == []
        assert all(stat.S_ISREG(entry.stat().st_mode) for entry in folder.iterdir())
        shutil.rmtree(folder)
