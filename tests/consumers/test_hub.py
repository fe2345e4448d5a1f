"""A dataset to the Hub, by its own client against a stand-in on loopback."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import tqdm

from station.datasets import hub
from station.errors import UsageError
from tests.consumers.fake_hub import FakeHub
from tests.station.datasets.exported import export_to
from tests.station.datasets.recorded import SINGLE, Recorded, make

pytestmark = [pytest.mark.consumers, pytest.mark.filterwarnings("default")]  # the client's own


@pytest.fixture(scope="module")
def server() -> Iterator[FakeHub]:
    """Its client reads the address when it is imported: one server for all."""
    started = FakeHub()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", started.url)
        patch.setenv("HF_TOKEN", "hf_lab")
        patch.setenv("HF_HUB_DISABLE_XET", "1")
        patch.setattr(tqdm.tqdm, "monitor_interval", 0)  # no thread that outlives a bar
        patch.setenv("HF_HUB_DISABLE_PROGRESS_BARS", "1")
        yield started
    started.close()


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("hub")
    make(folder / "data", Recorded(20, SINGLE, ("cam_high",)))
    export_to(folder / "set", folder / "data")
    return folder / "set"


def test_it_is_private_and_all_there(server: FakeHub, dataset: Path) -> None:
    wanted = hub.intended("lab/cube", public=False)
    assert wanted.in_words() == f"it will be sent to {server.url} as the private dataset lab/cube, by lab"
    assert hub.push(dataset, wanted) == f"{server.url}/datasets/lab/cube"
    assert server.private["lab/cube"]
    names = {str(path.relative_to(dataset)) for path in dataset.rglob("*") if path.is_file()}
    assert set(server.files["lab/cube"]) == names - {"station/run.json"}, "but for what names this computer"


def test_what_was_broken_off_goes_on(server: FakeHub, dataset: Path) -> None:
    server.objects.clear()
    server.uploaded.clear()
    server.fail_after = 3
    with pytest.raises(hub.HubFailed, match="the same command goes on"):
        hub.push(dataset, hub.intended("lab/again", public=False))
    before = set(server.uploaded)
    server.fail_after = None
    hub.push(dataset, hub.intended("lab/again", public=False))
    assert len(server.uploaded) == len(set(server.uploaded)), "nothing is sent twice"
    assert before <= set(server.uploaded)


def test_a_public_one_of_that_name_is_not_filled_by_mistake(server: FakeHub, dataset: Path) -> None:
    server.private["lab/shown"], server.files["lab/shown"] = False, {}
    with pytest.raises(hub.HubFailed, match="public"):
        hub.push(dataset, hub.intended("lab/shown", public=False))
    assert server.files["lab/shown"] == {}


def test_a_name_that_is_none() -> None:
    with pytest.raises(UsageError, match="account/name"):
        hub.intended("cube", public=False)
