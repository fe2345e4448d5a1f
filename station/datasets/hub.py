"""A finished dataset on the Hugging Face Hub, by its own client: private unless somebody says otherwise, said before it is done, read back.

A file that is there already is not sent again, so that a push that was broken off goes on file by file. Whose account it is, and where
the Hub is (`HF_TOKEN`, `HF_ENDPOINT`, `hf auth login`), is the client's business.
"""

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from station.errors import EpisodeError, UsageError

_NAME = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")
_BLOCK = 1 << 20


class HubFailed(EpisodeError):
    """The Hub did not take the dataset.

    Seen when: nobody is logged in, the name is another's, the network is gone.
    Do: what the message says; the same command goes on.
    """


class Intended(NamedTuple):
    """What a push will do."""

    repo: str
    private: bool
    where: str
    who: str

    def in_words(self) -> str:
        """Said before anything is sent."""
        kind = "private" if self.private else "PUBLIC"
        return f"it will be sent to {self.where} as the {kind} dataset {self.repo}, by {self.who}"


def intended(repo: str, public: bool) -> Intended:
    """Raises UsageError for a name that is none or without the client, HubFailed where nobody is logged in."""
    if not _NAME.fullmatch(repo):
        raise UsageError(f"--push {repo[:80]}: say it as account/name")
    api = _api()
    with _asking(repo):
        who = str(api.whoami()["name"])
    return Intended(repo, not public, str(api.endpoint), who)


def push(folder: Path, wanted: Intended) -> str:
    """Send the dataset and read back what the Hub has: its address. Raises HubFailed."""
    api = _api()
    with _asking(wanted.repo):
        api.create_repo(wanted.repo, repo_type="dataset", private=wanted.private, exist_ok=True)
        if wanted.private and not api.repo_info(wanted.repo, repo_type="dataset").private:
            raise HubFailed(
                f"{wanted.repo} is there already, and public. Next: name another one, or say --public if that is meant"
            )
        api.upload_folder(
            repo_id=wanted.repo, repo_type="dataset", folder_path=folder, ignore_patterns=["station/run.json"],
            commit_message=f"{folder.name}, made by the station",
        )  # fmt: skip
        there = {
            entry.path: (entry.size, entry.lfs.sha256 if entry.lfs is not None else "")
            for entry in api.list_repo_tree(wanted.repo, repo_type="dataset", recursive=True)
            if hasattr(entry, "size")
        }
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        size, digest = there.get(name, (-1, ""))
        if size != path.stat().st_size or (digest and digest != _sha256(path)):
            raise HubFailed(f"{wanted.repo}: {name} is not there as it was sent. Next: run the same command again")
    return f"{wanted.where}/datasets/{wanted.repo}"


def size_of(folder: Path) -> tuple[int, int]:
    """Files and bytes that would be sent."""
    files = _files(folder)
    return len(files), sum(path.stat().st_size for path in files)


def _files(folder: Path) -> list[Path]:
    """All but the sidecar that names this computer and its folders."""
    return sorted(path for path in folder.rglob("*") if path.is_file() and path != folder / "station/run.json")


def _api() -> Any:
    try:
        from huggingface_hub import HfApi
    except ModuleNotFoundError as error:
        raise UsageError("--push needs the package huggingface_hub. Next: pip install 'teleop-station[hub]'") from error
    return HfApi()


@contextmanager
def _asking(repo: str) -> Iterator[None]:
    """Whatever the client raises is one sentence."""
    from huggingface_hub.errors import HfHubHTTPError, LocalTokenNotFoundError

    try:
        yield
    except LocalTokenNotFoundError as error:
        raise HubFailed("nobody is logged in at the Hub. Next: `hf auth login`, or set HF_TOKEN") from error
    except (HfHubHTTPError, OSError, ValueError, RuntimeError) as error:
        first = " ".join(str(error).split())[:300]
        raise HubFailed(f"{repo}: {first}. Next: check name, login and network; the same command goes on") from error


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while data := file.read(_BLOCK):
            digest.update(data)
    return digest.hexdigest()
