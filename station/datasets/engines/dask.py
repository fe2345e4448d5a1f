"""A Dask cluster that is there already as the engine: `--scheduler tcp://127.0.0.1:8786`. Workers see the same folders as this process.

Dask runs whatever it is sent. A scheduler that is reached without TLS anywhere but on this computer is refused: whoever reaches its port
runs programs as its user.
"""

import socket
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future
from importlib.metadata import version
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from station.datasets.engines.work import EngineGone, WorkerDied
from station.errors import StationError, UsageError
from station.version import station_version

_PACKAGES = ("av", "pyarrow", "h5py", "numpy", "distributed")
"""The same part must come out as the same bytes wherever it is made."""
_CONNECT_S = 10
_PORT = 8786


class ClusterGone(EngineGone):
    """The cluster does not answer any more.

    Seen when: its scheduler was ended, or the network between.
    Do: start it again; the same command goes on with what was finished.
    """


class Cluster:
    """An existing cluster; a context manager that leaves it as it was."""

    def __init__(self, address: str) -> None:
        """Raises UsageError for an address that is none or not safe, ClusterGone where nobody answers, StationError for other versions."""
        try:
            import distributed
        except ModuleNotFoundError as error:
            raise UsageError(
                "--scheduler needs the package distributed. Next: pip install 'teleop-station[dask]'"
            ) from error
        _refuse_unsafe(address)
        self._address = address
        self._knock()  # a client that finds nobody leaves threads behind
        try:
            connect: Any = distributed.Client
            self._client: Any = connect(address, timeout=_CONNECT_S, set_as_default=False)
        except (OSError, ValueError, TypeError) as error:
            raise ClusterGone(
                f"--scheduler {address}: {' '.join(str(error).split()) or type(error).__name__}. Next: `dask scheduler --host 127.0.0.1` "
                "and `dask worker` start one"
            ) from error
        try:
            self._compare()
        except BaseException:
            self.close()
            raise

    @property
    def workers(self) -> int:
        """How many it has now."""
        return len(self._client.scheduler_info(n_workers=-1)["workers"])

    def executor(self) -> Executor:
        """For one round of work."""
        return _Executor(self._client, self._address)

    def close(self) -> None:
        """Let go of it."""
        self._client.close(timeout=2)

    def __enter__(self) -> "Cluster":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _knock(self) -> None:
        where = urlsplit(self._address)
        try:
            socket.create_connection((where.hostname or "", where.port or _PORT), _CONNECT_S).close()
        except OSError as error:
            raise ClusterGone(
                f"--scheduler {self._address}: {error.strerror or error}. Next: `dask scheduler` and `dask worker` start one"
            ) from error

    def _compare(self) -> None:
        if not self.workers:
            raise ClusterGone(
                f"--scheduler {self._address} has no worker. Next: `dask worker {self._address} --nthreads 1`"
            )
        ours = versions()
        for worker, theirs in self._client.run(versions).items():
            differing = [
                f"{name} {theirs.get(name)} (here {found})" for name, found in ours.items() if theirs.get(name) != found
            ]
            if differing:
                raise StationError(
                    f"the worker {worker} has another {', another '.join(differing)}: its files would differ. Next: install the same there"
                )


def versions() -> dict[str, str]:
    """Of what decides over bytes."""
    return {"station": station_version(), **{name: version(name) for name in _PACKAGES}}


def _refuse_unsafe(address: str) -> None:
    where = urlsplit(address)
    if where.scheme not in ("tcp", "tls") or not where.hostname:
        raise UsageError(
            f"--scheduler {address[:80]}: no address of a scheduler. Next: tcp://127.0.0.1:8786, or tls://host:8786"
        )
    try:
        loopback = where.hostname == "localhost" or ip_address(where.hostname).is_loopback
    except ValueError:
        loopback = False
    if where.scheme == "tcp" and not loopback:
        raise UsageError(
            f"--scheduler {address}: without TLS, whoever reaches that port runs programs as its user. Next: tls:// with certificates "
            "(DASK_DISTRIBUTED__COMM__TLS__CA_FILE, …__CLIENT__CERT, …__CLIENT__KEY), or an SSH tunnel to 127.0.0.1"
        )


class _Executor(Executor):
    """Futures of the cluster as everybody's; its own errors as the station's."""

    def __init__(self, client: Any, address: str) -> None:
        self._address = address
        self._theirs = client.get_executor(pure=False, retries=1)

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> "Future[Any]":
        """Have it done by some worker."""
        ours: Future[Any] = Future()
        self._theirs.submit(fn, *args, **kwargs).add_done_callback(lambda theirs: self._pass_on(theirs, ours))
        return ours

    def _pass_on(self, theirs: "Future[Any]", ours: "Future[Any]") -> None:
        from distributed.scheduler import KilledWorker

        try:
            ours.set_result(theirs.result())
        except KilledWorker as error:
            ours.set_exception(WorkerDied(f"{error}. Next: look at the workers' logs"))
        except CancelledError:
            ours.set_exception(
                ClusterGone(
                    f"the scheduler {self._address} is gone. Next: start it again; the same command goes on where it was"
                )
            )
        except Exception as error:
            ours.set_exception(error)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: ARG002 (the interface)
        """Of this round only."""
        self._theirs.shutdown(wait=wait)
