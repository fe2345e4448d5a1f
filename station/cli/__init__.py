"""The `station` command. Exit codes: 0 done, 1 failed with a reason, 2 bad usage.

`station.cli.app` has everything; `main` imports no more than what is typed needs (tests/station/cli/startup.py measures it).
"""

import sys
from typing import Any

from station.errors import StationError


def __getattr__(name: str) -> Any:
    """`from station.cli import app`: the whole command, for tests and the reference."""
    if name == "app":
        from station.cli.lazily import app

        return app
    raise AttributeError(name)


def main() -> None:
    """Run it; a StationError is one clear sentence, never a trace."""
    if sys.argv[1:] == ["--version"]:
        from station.version import station_version

        print(station_version())
        return
    try:
        from station.runtime.launch import refuse_foreign

        refuse_foreign()  # before commands of other rooms are imported under those names
        _run()
    except StationError as error:
        from station.terminal.shown import shown_lines

        print(shown_lines(f"station: {error}"), file=sys.stderr)
        sys.exit(error.exit_code)
    except (
        OSError
    ) as error:  # a folder that is not there, a disk that is full: the kernel's own sentence, with the file
        from station.terminal.shown import shown

        print(shown(f"station: {error}"), file=sys.stderr)
        sys.exit(1)
    except ModuleNotFoundError as error:
        from station.extras import missing

        if not (said := missing(error.name or "")):
            raise
        print(f"station: {said}", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        print("station: interrupted; arms hold", file=sys.stderr)
        sys.exit(1)


def _run() -> None:
    import logging

    from station.cli.lazily import app
    from station.terminal.shown import OneLine

    assert logging.lastResort is not None
    logging.lastResort.setFormatter(OneLine())  # what is logged in a command goes to its terminal
    app()
