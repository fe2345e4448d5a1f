"""The page in a real browser: what a headset's operator sees and sends."""

import asyncio
import json
import threading
from collections.abc import Callable, Iterator

import msgspec
import numpy as np
import pytest

from drivers.vr.webxr import WebXrHeadset
from station.bus.messages import Hand, HandPose
from station.clock import monotonic_ns
from station.devices.headset import Board, Button, Picture, Press, PressResult
from tests.drivers.vr.browser import Browser, browser, wait
from tests.drivers.vr.cable import Cable
from tests.drivers.vr.exchange import Feed


class Listener:
    """Reads the driver as the host does."""

    def __init__(self, driver: WebXrHeadset) -> None:
        self._driver = driver
        self._end = threading.Event()
        self.poses: list[tuple[int, HandPose]] = []
        self._thread = threading.Thread(target=self._read)
        self._thread.start()

    def _read(self) -> None:
        while not self._end.is_set():
            for reading in self._driver.read():
                assert isinstance(reading.body, HandPose)
                self.poses.append((reading.captured_at_ns, reading.body))

    def until(self, what: str, fits: Callable[[Hand], bool], side: str = "right") -> Hand:
        """The first pose from now on whose hand fits."""
        begin = len(self.poses)

        def found() -> Hand | None:
            for _, pose in self.poses[begin:]:
                hand = pose.left if side == "left" else pose.right
                if hand is not None and fits(hand):
                    return hand
            return None

        return wait(what, found, else_=lambda: self.poses[-1:])

    def close(self) -> None:
        self._end.set()
        self._thread.join()


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with browser() as made:
        yield made


@pytest.fixture
def listener(driver: WebXrHeadset) -> Iterator[Listener]:
    made = Listener(driver)
    yield made
    made.close()


@pytest.fixture
def page(chromium: Browser, port: int, code: str) -> Iterator[Browser]:
    chromium.open(f"http://localhost:{port + 1}/#{code}")
    chromium.linked()
    yield chromium
    assert not chromium.log()
    chromium.open("about:blank")


def test_hands_arrive_as_they_are_held(page: Browser, listener: Listener) -> None:
    page.enter()
    page.js("operator.put('right', {p: [0.2, 1.1, -0.4], trigger: 0.75, grip: 0.5})")
    hand = listener.until("hand", lambda h: h.trigger == 0.75 and h.position_m is not None)
    assert hand.position_m == pytest.approx((0.4, -0.2, 1.1), abs=1e-6)
    assert hand.grip == 0.5
    times = [captured for captured, _ in listener.poses]
    assert times == sorted(set(times))
    assert 0 <= monotonic_ns() - times[-1] < 2_000_000_000
    page.js("operator.look(0.5)")
    wait("yaw", lambda: abs((listener.poses[-1][1].head_yaw_rad or 0) - 0.5) < 1e-6)
    assert "right" in page.js("return Object.keys(operator.device.controllers)")


def test_an_occluded_hand_is_no_sample(page: Browser, listener: Listener) -> None:
    page.enter()
    listener.until("seen", lambda h: h.position_m is not None)
    page.js("operator.see('right', false)")
    hand = listener.until("occluded", lambda h: h.position_m is None)
    assert hand.quaternion_wxyz is None
    page.js("operator.see('right', true)")
    listener.until("seen again", lambda h: h.position_m is not None)
    page.js("operator.device.updateVisibilityState('visible-blurred')")
    begin = len(listener.poses)
    wait("no hand behind the system's menu", lambda: any(pose.right is None for _, pose in listener.poses[begin:]))
    page.js("operator.device.updateVisibilityState('visible')")
    listener.until("seen after the menu", lambda h: h.position_m is not None)


HEAD = (0.0, 0.0, 1.6)
"""Where the runtime's head is, in the station's axes."""


def lost(page: Browser, listener: Listener, lose: str, find: str) -> None:
    """What `lose` takes away is null from then on until `find`, and never another device's."""
    page.enter()
    page.js("for (const side of ['left', 'right']) operator.put(side, {grip: 1})")
    listener.until("a held hand", lambda h: h.grip == 1 and h.position_m is not None)
    page.js(lose)
    wait("no hands", lambda: listener.poses[-1][1].left is None and listener.poses[-1][1].right is None)
    begin = len(listener.poses)
    page.until("half a second", "return (window.since ??= performance.now()) < performance.now() - 500")
    gone = listener.poses[begin:]
    assert len(gone) > 3
    assert all(pose.left is None and pose.right is None and pose.head_yaw_rad is not None for _, pose in gone)
    page.js(find)
    hand = listener.until("the hand again", lambda h: h.position_m is not None)
    assert hand.position_m == pytest.approx((0.4, -0.25, 1.5), abs=1e-6)
    assert hand.grip == 1
    for _, pose in listener.poses:
        for one in (pose.left, pose.right):
            assert one is None or one.position_m is None or one.position_m != pytest.approx(HEAD, abs=0.05)
    page.js("for (const side of ['left', 'right']) operator.put(side, {grip: 0}); window.since = undefined;")


CONTROLLERS = "for (const each of Object.values(operator.device.controllers)) each.connected = "


@pytest.mark.parametrize(
    ("lose", "find"),
    [
        (f"{CONTROLLERS} false", f"{CONTROLLERS} true"),
        ("operator.device.primaryInputMode = 'hand'", "operator.device.primaryInputMode = 'controller'"),
        ("operator.device.updateVisibilityState('visible-blurred')", "operator.device.updateVisibilityState('visible')"),
        ("operator.device.updateVisibilityState('hidden')", "operator.device.updateVisibilityState('visible')"),
    ],
    ids=["asleep", "bare hands", "menu", "hidden"],
)  # fmt: skip
def test_a_head_without_controllers_is_no_hand(page: Browser, listener: Listener, lose: str, find: str) -> None:
    lost(page, listener, lose, find)


def test_a_head_in_augmented_reality_is_no_phone(
    port: int, code: str, driver: WebXrHeadset, listener: Listener
) -> None:
    with browser() as headset:
        headset.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ONLY_AR})
        headset.open(f"http://localhost:{port + 1}/#{code}")
        headset.linked()
        lost(headset, listener, f"{CONTROLLERS} false", f"{CONTROLLERS} true")


def test_a_controller_woken_by_a_key_presses_nothing(page: Browser, port: int, listener: Listener) -> None:
    page.enter()

    async def operate() -> None:
        async with Feed(port) as feed:
            await feed.hear()
            await feed.show(Board("idle", "", "ready", "cube", (Button("start", "start", "a"),)))
            run = asyncio.get_running_loop().run_in_executor
            await run(None, page.until, "a button", "return operator.offers('start')")
            await run(None, page.js, f"{CONTROLLERS} false")
            await run(None, wait, "no hands", lambda: listener.poses[-1][1].right is None)
            await run(None, page.js, "operator.device.controllers.right.updateButtonValue('a-button', 1)")
            await run(None, page.js, f"{CONTROLLERS} true")
            await run(None, listener.until, "the key", lambda h: h.primary)
            await run(None, page.js, "operator.device.controllers.right.updateButtonValue('a-button', 0)")
            await run(None, listener.until, "the key up", lambda h: not h.primary)
            await run(None, page.press, "right", "a-button")
            assert await feed.hear() == Press("start")
            await feed.show(PressResult(True, ""))
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(feed.hear(), 0.5)

    asyncio.run(operate())


def test_a_duplicated_tab_and_its_original_do_not_quarrel(page: Browser, listener: Listener) -> None:
    """The copy has the original's token. Whichever was opened last has the lease; the other waits to be asked."""
    original = page.driver.current_window_handle
    page.js("window.open(location.href)")
    (copy,) = (handle for handle in page.driver.window_handles if handle != original)

    def state(handle: str) -> str:
        page.driver.switch_to.window(handle)
        return str(page.js("return document.documentElement.dataset.link"))

    try:
        wait("the copy's turn", lambda: state(copy) == "paired" and state(original) == "away")
        seen = {(state(original), state(copy)) for _ in range(150)}  # both, for seconds
        assert seen == {("away", "paired")}
        here, there = original, copy
        for turn in range(9):
            page.driver.switch_to.window(here)
            assert "another tab or window" in page.driver.find_element("id", "status").text
            take = page.driver.find_element("id", "take")
            assert take.text == "Take it here"
            take.click()
            wait(f"turn {turn}", lambda: state(here) == "paired" and state(there) == "away")  # noqa: B023
            here, there = there, here
        assert {(state(original), state(copy)) for _ in range(50)} == {("paired", "away")}
        page.driver.switch_to.window(original)
        page.enter()
        listener.until("hand", lambda h: h.position_m is not None)
    finally:
        page.driver.switch_to.window(copy)
        page.driver.close()
        page.driver.switch_to.window(original)


def test_another_session_is_another_room(page: Browser, listener: Listener) -> None:
    page.enter()
    wait("poses", lambda: listener.poses)
    before = listener.poses[-1][1].space
    page.js("operator.device.activeSession.end()")
    page.until("the end", "return !document.documentElement.dataset.immersed")
    page.enter()
    wait("another room", lambda: listener.poses[-1][1].space > before)


def test_a_reloaded_page_pairs_by_itself(page: Browser, listener: Listener) -> None:
    page.enter()
    listener.until("hand", lambda h: h.position_m is not None)
    before = listener.poses[-1][1].space
    page.driver.refresh()
    page.linked()
    page.enter()
    wait("another room", lambda: listener.poses[-1][1].space != before)
    assert page.js("return location.hash") == ""


def test_a_wrong_code_is_refused_and_can_be_typed_again(chromium: Browser, port: int, code: str) -> None:
    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    chromium.open(f"http://localhost:{port + 1}/#{wrong}")
    chromium.linked("refused")
    assert "wrong code" in chromium.driver.find_element("id", "status").text
    chromium.driver.find_element("id", "code").send_keys(code)
    chromium.driver.find_element("css selector", "#pair button").click()
    chromium.linked()
    chromium.open("about:blank")


def test_a_second_operator_is_refused(page: Browser, port: int, code: str) -> None:
    first = page.driver.current_window_handle
    page.driver.switch_to.new_window("window")
    page.js("sessionStorage.clear()") if page.js("return location.origin !== 'null'") else None
    page.open(f"http://localhost:{port + 1}/#{code}")
    page.linked("refused")
    assert "another operator is connected" in page.driver.find_element("id", "status").text
    page.driver.close()
    page.driver.switch_to.window(first)
    page.linked()


def test_over_https_it_is_the_same(chromium: Browser, port: int, code: str, listener: Listener) -> None:
    chromium.open(f"https://127.0.0.1:{port}/#{code}")
    chromium.linked()
    chromium.enter()
    listener.until("hand", lambda h: h.position_m is not None)
    chromium.open("about:blank")


def test_a_link_that_says_nothing_is_told_and_comes_back_by_itself(
    chromium: Browser, port: int, code: str, listener: Listener
) -> None:
    with Cable(port + 1) as cable:
        chromium.open(f"http://localhost:{cable.port}/#{code}")
        chromium.linked()
        chromium.enter()
        listener.until("hand", lambda h: h.position_m is not None)
        before = listener.poses[-1][1].space
        cable.cut()
        chromium.linked("lost")
        assert chromium.js("return document.documentElement.dataset.state") == "hold"
        assert "lost" in chromium.js("return document.getElementById('why').textContent")
        cable.mend()
        chromium.linked()
        listener.until("hand again", lambda h: h.position_m is not None)
        assert listener.poses[-1][1].space == before
        chromium.log()  # of connections that failed
        chromium.open("about:blank")


def test_a_browser_without_webxr_is_told_what_to_do(port: int, code: str, driver: WebXrHeadset) -> None:
    with browser("") as plain:
        plain.open(f"http://localhost:{port + 1}/#{code}")
        plain.linked()
        text = plain.until("a refusal", "return document.getElementById('refusal').textContent")
        assert "no WebXR" in text
        assert "headset’s own browser" in text
        assert not plain.driver.find_element("id", "enter").is_displayed()


def jpeg(red: int) -> bytes:
    import cv2

    done, data = cv2.imencode(".jpg", np.full((480, 640, 3), (0, 0, red), np.uint8))
    assert done
    return bytes(data)


def test_pictures_state_and_buttons_are_shown_and_pressed(page: Browser, port: int) -> None:
    page.enter()
    start, discard = Button("start", "start", "a"), Button("discard", "discard", "b", confirm=True)

    async def operate() -> None:
        async with Feed(port) as feed:
            await feed.hear()
            await feed.show(Picture("cam_high", monotonic_ns(), jpeg(200)))
            await feed.show(Board("idle", "", "ready", "cube, ready: 0 saved", (start,)))
            look = asyncio.get_running_loop()
            age = await look.run_in_executor(
                None, page.until, "a picture", "return document.querySelector('[data-panel=cam_high]')?.dataset.ageMs"
            )
            assert 0 <= int(age) < 5000
            await feed.show(Picture("cam_front", monotonic_ns(), jpeg(0)))
            names = "return [...document.querySelectorAll('[data-panel]')].map((each) => each.dataset.panel).join()"
            both = f"{names} === 'cam_front,cam_high'"
            await look.run_in_executor(None, page.until, "panels by name, whichever came first", both)
            await look.run_in_executor(None, page.press, "right", "a-button")
            assert await feed.hear() == Press("start")
            await feed.show(Board("engaged", "", "recording", "cube: episode 0", (discard,), ("follower_right",)))
            await look.run_in_executor(
                None, page.until, "recording", "return document.documentElement.dataset.phase === 'recording'"
            )
            await look.run_in_executor(None, page.press, "right", "b-button")
            armed = await look.run_in_executor(
                None, page.until, "armed", "return document.querySelector('#buttons button.armed')?.textContent"
            )
            assert "press again" in armed
            await look.run_in_executor(None, page.press, "right", "b-button")
            assert await feed.hear() == Press("discard")
            await feed.show(PressResult(False, "nothing is being recorded"))
            await feed.show(Board("hold", "the link was lost", "hold", "cube"))
            await look.run_in_executor(
                None, page.until, "hold", "return document.documentElement.dataset.state === 'hold'"
            )
            assert await look.run_in_executor(None, page.js, "return document.documentElement.dataset.cue") == "hold"
            text = await look.run_in_executor(None, page.js, "return document.getElementById('board').textContent")
            assert "the link was lost" in text

    asyncio.run(operate())


ONLY_AR = """
const xr = XRSystem.prototype, is = xr.isSessionSupported;
xr.isSessionSupported = function (mode) { return mode === 'immersive-vr' ? Promise.resolve(false) : is.call(this, mode); };
"""


@pytest.mark.parametrize("says", ["screen-space", None])
def test_a_phone_is_the_hand(port: int, code: str, driver: WebXrHeadset, listener: Listener, says: str | None) -> None:
    """No VR, but AR, and no controllers: what Chrome on Android offers. It may say that its screen is touched, or not."""
    with browser() as phone:
        mode = f"Object.defineProperty(XRSession.prototype, 'interactionMode', {{value: {json.dumps(says)}}});"
        phone.driver.execute_cdp_cmd(
            "Page.addScriptToEvaluateOnNewDocument", {"source": f"{ONLY_AR}{mode}{CONTROLLERS} false;"}
        )
        phone.open(f"http://localhost:{port + 1}/#{code}")
        phone.linked()
        phone.until("AR", "return document.getElementById('enter').textContent.includes('phone is the hand')")
        phone.driver.find_element("id", "enter").click()
        phone.until("immersion", "return document.documentElement.dataset.immersed === 'immersive-ar'")
        phone.js("""
            const space = operator.device.viewerSpace ?? null;
            const real = XRFrame.prototype.getViewerPose;
            XRFrame.prototype.getViewerPose = function (space) {
              const pose = real.call(this, space);
              return pose && {transform: pose.transform, views: pose.views, emulatedPosition: false};
            };
            operator.device.position.set(0.1, 1.3, -0.2);
            document.getElementById('trigger').value = '0.5';
            document.getElementById('move').dispatchEvent(new PointerEvent('pointerdown'));
        """)
        hand = listener.until("the phone", lambda h: h.grip == 1 and h.position_m is not None)
        assert hand.position_m == pytest.approx((0.2, -0.1, 1.3), abs=1e-6)
        assert hand.trigger == 0.5
        phone.js("document.getElementById('move').dispatchEvent(new PointerEvent('pointerup'))")
        listener.until("let go", lambda h: h.grip == 0)


def test_the_pairing_file_is_what_the_command_prints(port: int, code: str) -> None:
    from station.devices.headset import Pairing, pairing_path

    pairing = msgspec.json.decode(pairing_path(port).read_bytes(), type=Pairing)
    assert pairing.code == code
    assert pairing.urls[-1] == f"http://localhost:{port + 1}"
