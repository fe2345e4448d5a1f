import pytest


@pytest.fixture(scope="session", autouse=True)
def no_progress_watcher() -> None:
    """torch's exporter shows progress with tqdm, which would leave a thread behind that watches it."""
    import tqdm

    tqdm.tqdm.monitor_interval = 0
