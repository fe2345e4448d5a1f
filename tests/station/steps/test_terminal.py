"""A job shown at a terminal: a child process, its steps as lines, its questions answered by keys, its end as an exit code."""

import io
import os
import pty
import select
import signal
import subprocess
import sys
import termios
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from station.errors import StationError, UsageError
from station.steps.job import Job
from station.steps.protocol import End
from station.steps.terminal import show
from station.terminal.screen import PlainConsole
from tests.station.steps.conftest import CHOOSES

TELLS = """
    speaker.tell("listening", 0.5)
    print("not a step")
    speaker.tell("found: waist off by 0.1 rad")
"""
ASKS = """
    for number in range(2):
        speaker.tell("said: " + speaker.ask(f"lay it down ({number + 1} of 2)"))
"""
OFFERS = """
    import time
    speaker.offer("hold", "pause", "success", "failure")
    speaker.tell("trial 1")
    given = []
    while len(given) < 3:
        given += speaker.given()
        time.sleep(0.01)
    speaker.tell("given: " + ", ".join(given))
    speaker.offer("hold", "pause")
    speaker.tell("said: " + speaker.ask("Enter begins, q ends", ("go on", "quit")))
    speaker.offer()
    speaker.tell("typed: " + speaker.ask("is it so?", ("yes", "no")))
"""
PRINTS = """
    print("one line\\nand another")
    print("half", end="")
    print(" a line")
"""
DOCUMENT = """
    from station.steps.protocol import Answer
    speaker.document(Answer(1, "\u202e"))
"""
FAILS = """
    from station.errors import UsageError
    raise UsageError("there is no such arm. Next: name another")
"""
BABBLES = """
    os.write(out, b"hello\\n")
"""


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    master, slave = pty.openpty()
    with open(slave, closefd=False) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        yield master
    os.close(master)
    os.close(slave)


def test_what_it_tells_is_printed_and_progress_is_only_for_people(
    job: Callable[[str], Job], capfd: pytest.CaptureFixture[str]
) -> None:
    with job(TELLS) as running:
        assert show(running) == 0
        assert running.end == End(0)
    told = capfd.readouterr()
    assert told.out == "found: waist off by 0.1 rad\n", "nobody sees a line go away in a pipe"
    assert told.err == "not a step\n"


def test_keys_pressed_before_a_prompt_do_not_answer_it(
    job: Callable[[str], Job],
    keyboard: int,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    flush, flushed = termios.tcflush, threading.Semaphore(0)

    def noted(*which: int) -> None:
        os.write(keyboard, b"early\n")
        assert select.select([which[0]], [], [], 10)[0], "through the pseudo-terminal"
        flush(*which)
        flushed.release()

    def press() -> None:
        for _ in range(2):
            flushed.acquire()
            os.write(keyboard, b"ready\n")

    monkeypatch.setattr(termios, "tcflush", noted)
    presser = threading.Thread(target=press)
    presser.start()
    with job(ASKS) as running:
        assert show(running) == 0
    presser.join()
    out = capfd.readouterr().out
    assert out.count("(1 of 2). Then press Enter: ") == out.count("(2 of 2). Then press Enter: ") == 1
    assert out.count("said: go on") == 2


def test_while_something_is_offered_a_key_is_an_answer_and_the_terminal_is_put_back(
    job: Callable[[str], Job], keyboard: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, screen = termios.tcgetattr(sys.stdin.fileno()), io.StringIO()
    flush, flushed = termios.tcflush, threading.Event()

    def noted(*which: int) -> None:
        flush(*which)
        flushed.set()

    def until(words: str) -> None:
        while words not in screen.getvalue():
            time.sleep(0.01)

    def press() -> None:
        until("trial 1")
        os.write(keyboard, b"xh s")  # what is no answer is passed over; Space pauses
        until("q ends")
        os.write(keyboard, b"s\n")  # nobody offers a success any more
        flushed.wait()
        os.write(keyboard, b"y\n")

    monkeypatch.setattr(termios, "tcflush", noted)
    presser = threading.Thread(target=press)
    presser.start()
    with job(OFFERS) as running:
        assert show(running, PlainConsole(file=screen)) == 0
    presser.join()
    told = ["trial 1", "given: hold, pause, success", "Enter begins, q ends", "said: go on", "typed: yes"]
    assert screen.getvalue().splitlines() == told
    assert termios.tcgetattr(sys.stdin.fileno()) == before


def test_without_a_terminal_what_is_offered_is_refused(
    job: Callable[[str], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    with open(os.devnull) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with pytest.raises(UsageError, match="there is no terminal"), job(OFFERS) as running:
            show(running)


def test_what_a_job_prints_is_told_where_it_says_so(
    job: Callable[[str, bool], Job], capfd: pytest.CaptureFixture[str]
) -> None:
    with job(PRINTS, True) as running:
        assert show(running) == 0
    assert tuple(capfd.readouterr()) == ("one line\nand another\nhalf a line\n", "")


def test_a_document_is_written_as_it_is(job: Callable[[str], Job], capfd: pytest.CaptureFixture[str]) -> None:
    with job(DOCUMENT) as running:
        assert show(running) == 0
    assert msgspec.json.decode(capfd.readouterr().out) == {"step": 1, "answer": "\u202e"}


def test_the_end_of_the_input_ends_the_job(
    job: Callable[[str], Job],
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    reading, writing = os.pipe()
    os.write(writing, b"\n")
    os.close(writing)
    with open(reading) as stdin:
        monkeypatch.setattr("sys.stdin", stdin)
        with job(ASKS) as running:
            assert show(running) == 1
            assert running.end == End(1, "interrupted; the arms hold")
    assert capfd.readouterr().out.count("said: go on") == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_what_ends_the_terminal_ends_the_job_also_while_a_question_stands(
    job: Callable[[str], Job], keyboard: int, monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    flush, before = termios.tcflush, signal.getsignal(number)

    def asked(*which: int) -> None:
        flush(*which)
        os.write(keyboard, b"half a li")
        enders.append(threading.Thread(target=os.kill, args=(os.getpid(), number)))
        enders[-1].start()

    enders: list[threading.Thread] = []
    monkeypatch.setattr(termios, "tcflush", asked)
    with job(CHOOSES) as running:
        assert show(running) != 0
        assert running.end == End(1, "interrupted; the arms hold")
    assert len(enders) == 1
    enders[0].join()
    assert signal.getsignal(number) is before


COUNTS = """
import signal, time
from station.steps.speaker import speaking
heard = []
signal.signal(signal.SIGINT, lambda *_: heard.append(1))
with speaking() as speaker:
    speaker.tell("begun")
    while not heard:
        time.sleep(0.01)
    time.sleep(0.3)
    speaker.tell(f"heard {len(heard)}")
"""


def test_ctrl_c_reaches_the_job_once(tmp_path: Path) -> None:
    """As a terminal sends it, to every process of the command: a second one would end at once what the first lets end in its own way."""
    (tmp_path / "counts.py").write_text(COUNTS)
    client = (
        "import sys; from station.steps import job; from station.steps.terminal import show\n"
        f"job.python = lambda *_: [sys.executable, {str(tmp_path / 'counts.py')!r}]\n"
        "with job.Job([]) as running: sys.exit(show(running))"
    )
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        [sys.executable, "-c", client], stdout=subprocess.PIPE, env=environment, start_new_session=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"begun\n"
        os.killpg(process.pid, signal.SIGINT)
        assert process.stdout.readline() == b"heard 1\n"
    assert process.returncode == 0


def test_its_exit_code_and_its_reason_are_those_of_the_command(
    job: Callable[[str], Job],
) -> None:
    with job(FAILS) as running:
        assert show(running) == 2
        assert running.end == End(2, "there is no such arm. Next: name another")


def test_what_is_no_step_is_an_error_and_the_job_is_ended(job: Callable[[str], Job]) -> None:
    with pytest.raises(StationError, match="said what is no step"), job(BABBLES) as running:
        show(running)


def test_one_that_takes_too_long_is_ended(job: Callable[[str], Job]) -> None:
    with pytest.raises(StationError, match=r"did not end within 0\.5 s"), job("import time; time.sleep(60)") as running:
        show(running, seconds=0.5)
    assert running.wait() != 0
