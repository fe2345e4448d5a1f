"""The Episodes page in a real browser: listed, asked for by the address, played, labelled, thrown away and brought back."""

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from station.episodes import naming
from station.episodes.labels import Labels, read_labels
from tests.drivers.vr.browser import Browser, wait
from tests.station.console.page import pages
from tests.station.console.page.pages import go
from tests.station.console.stage import Stage, staged

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("episodes")
    pages.record(folder / "data")
    with staged(folder) as stage:
        yield stage


@pytest.fixture(scope="module")
def page(stage: Stage) -> Iterator[Browser]:
    with pages.paired(stage) as page:
        yield page


def listed(page: Browser, *names: str) -> None:
    shown = "return [...document.querySelectorAll('[data-episode]')].map((row) => row.dataset.episode).join()"
    page.until(f"{names}", f"{shown} === arguments[0]", ",".join(names))


def labels(stage: Stage, number: int) -> Labels | None:
    return read_labels(naming.episode_path(stage.data / "cube", number))


def test_the_menu_leads_there_and_the_address_says_what_is_shown(stage: Stage, page: Browser) -> None:
    page.js("document.querySelector('nav a:nth-child(2)').click()")
    listed(page, "cube/3", "cube/2", "cube/1", "cube/0")
    assert page.js(
        "return [document.querySelectorAll('.list b, .list script, .list [onerror]').length, window.run ?? 0]"
    ) == [0, 0]
    page.until(
        "what people write is text",
        "return document.querySelector('.list').textContent.includes(arguments[0])",
        pages.NOTE,
    )
    page.until(
        "thumbnails", "return [...document.querySelectorAll('.thumbs img')].every((image) => image.naturalWidth > 0)"
    )
    select = page.driver.find_element("css selector", "select[name=operator]")
    select.send_keys("ben")
    listed(page, "cube/3", "cube/1")
    assert "where=operator%3Dben" in page.js("return location.hash")
    page.driver.refresh()
    listed(page, "cube/3", "cube/1")
    go(page, "#/episodes?where=sucess=true")
    page.until("why not", "return document.querySelector('.trouble')?.textContent.includes('did you mean')")
    go(page, "#/episodes")


def test_many_are_labelled_by_clicking_and_it_is_taken_back(stage: Stage, page: Browser) -> None:
    go(page, "#/episodes")
    listed(page, "cube/3", "cube/2", "cube/1", "cube/0")
    before = [labels(stage, number) for number in range(4)]
    for name in ("cube/3", "cube/2"):
        page.js("document.querySelector(`[data-episode='${arguments[0]}'] input`).click()", name)
    page.js("document.querySelector('[data-act=yes]').click()")
    wait("labels", lambda: all((found := labels(stage, number)) and found.success for number in (2, 3)))
    page.until("it is shown", "return document.querySelector(`[data-episode='cube/3'] .verdict`).textContent === '✓'")
    page.until("and told", "return document.querySelector('.told').textContent.includes('2 changed')")
    page.js("[...document.querySelectorAll('.acts button')].find((one) => one.textContent === 'take back').click()")
    wait(
        "as before",
        lambda: (
            [found and found.success for found in (labels(stage, n) for n in range(4))]
            == [found and found.success for found in before]
        ),
    )


def test_to_the_trash_and_back(stage: Stage, page: Browser) -> None:
    go(page, "#/episodes")
    listed(page, "cube/3", "cube/2", "cube/1", "cube/0")
    page.js("for (const box of document.querySelectorAll('tbody input:checked')) box.click()")
    page.js("document.querySelector(`[data-episode='cube/2'] input`).click()")
    page.js("document.querySelector('[data-act=trash]').click()")
    listed(page, "cube/3", "cube/1", "cube/0")
    go(page, "#/trash")
    listed(page, "cube/2.deleted")
    page.js("document.querySelector('tbody input').click()")
    page.js("document.querySelector('.acts .act').click()")
    page.until("it is empty", "return document.querySelector('.none')?.textContent.includes('empty')")
    go(page, "#/episodes")
    listed(page, "cube/3", "cube/2", "cube/1", "cube/0")


def test_an_episode_is_played_on_one_clock_and_no_picture_is_missed(stage: Stage, page: Browser) -> None:
    go(page, "#/episodes/cube/0?row=30")
    page.until("the row of the address", "return app.player?.row === 30")
    drawn = "return [...app.player.cameras.values()].every(({rows, drawn}) => drawn === rows.filter((row) => row <= app.player.row).at(-1))"
    page.until("its pictures", drawn)
    page.until("joints", "return document.querySelectorAll('.trace canvas').length === 2")
    go(page, "#/episodes/cube/0?row=0")
    page.until("the beginning", f"return app.player.row === 0 && (() => {{ {drawn} }})()")
    page.js("for (const camera of app.player.cameras.values()) camera.shown = 1; document.activeElement?.blur()")
    ActionChains(page.driver).send_keys(" ").perform()
    page.until("its end", "return !app.player.playing && app.player.row === 149")
    page.until("the last pictures", drawn)
    assert page.js("return [...app.player.cameras.values()].map(({rows, shown}) => shown - rows.length)") == [0, 0]
    ActionChains(page.driver).send_keys(Keys.ARROW_LEFT).perform()
    page.until("a row back", "return app.player.row === 148")


def test_it_is_labelled_there_with_letters_that_are_no_keys(stage: Stage, page: Browser) -> None:
    go(page, "#/episodes/cube/1")
    page.until("the episode", "return document.querySelector('textarea[name=note]')")
    page.driver.find_element("css selector", "textarea[name=note]").send_keys("h: the cube fell ")
    assert not any(type(request).__name__ == "Hold" for request in stage.hub.requests())
    page.js("document.querySelector('form.note button').click()")
    wait("the note", lambda: (found := labels(stage, 1)) is not None and found.note == "h: the cube fell")
    page.until("it is shown", "return document.querySelector('.said')?.textContent === 'h: the cube fell'")


def test_what_is_not_there_is_said(stage: Stage, page: Browser) -> None:
    go(page, "#/episodes/cube/77")
    page.until("why not", "return document.querySelector('.trouble')?.textContent.includes('no such episode any more')")
    assert page.js("return Boolean(document.querySelector('.hold'))")
