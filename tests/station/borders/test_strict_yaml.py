"""The loader of every YAML file: what it refuses, it refuses with a YAMLError that says where, whatever the text."""

import contextlib
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from station.borders.strict_yaml import LONGEST_CHARACTERS, UniqueKeys


def load(text: str) -> Any:
    return yaml.load(text, Loader=UniqueKeys)


LAUGHS = "a0: &a0 [x, x]\n" + "".join(
    f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 20)
)
ABSURD = {
    "contains itself": ["a: &a [*a]", "&a {b: *a}", "a: &a {b: {c: [*a]}}", "a: &a\n  <<: *a\n"],
    "unfolds to more": [LAUGHS, "a: [" + "1, " * 120_000 + "1]"],
    "nested more than": ["[" * 3000, "a: " + "{a: " * 5000, "- " * 2000 + "x"],
    "cannot be read as": [
        "a: 2024-13-01", "a: 2024-02-30T25:61:61Z", "a: " + "1" * 5000, "!!int 'x'", "!!float 'x'", "!!bool 'x'",
        "!!timestamp 'x'", "!!int ''",
    ],
    "cannot be": ["a: " + "9" * 30, "a: 0x" + "f" * 40],
    "given twice": ["a: 1\na: 2", "{a: 1, 'a': 2}", "1: x\n1.0: y"],
    "one word": ["{[1]: 2}", "? {a: b}\n: c", "? [a, b]\n: c"],
    "characters": ["x" * (LONGEST_CHARACTERS + 1)],
}  # fmt: skip


@pytest.mark.parametrize(("said", "text"), [(said, text) for said, texts in ABSURD.items() for text in texts])
def test_what_cannot_be_is_refused_and_named(said: str, text: str) -> None:
    with pytest.raises(yaml.YAMLError, match=said):
        load(text)


@given(st.text(st.sampled_from("ab:-[]{}&*!?<>|'\"%@`, \n\t#0123456789.eE+x~_=\\\u00e9\u2028"), max_size=60))
def test_nothing_else_leaves_it_whatever_the_text(text: str) -> None:
    with contextlib.suppress(yaml.YAMLError):
        load(text)


@pytest.mark.slow
@given(st.text(max_size=40))
def test_nothing_else_leaves_it_whatever_the_characters(text: str) -> None:
    with contextlib.suppress(yaml.YAMLError):
        load("a: " + text)


def test_what_people_write_is_read() -> None:
    shared = "one: &arm {rate_hz: 200, gains: [1, 2.5]}\ntwo:\n  <<: *arm\n  port: /dev/x\nthree: *arm\n"
    arm = {"rate_hz": 200, "gains": [1, 2.5]}
    assert load(shared) == {"one": arm, "two": {**arm, "port": "/dev/x"}, "three": arm}
    assert load("") is None
    assert load("serial: '128422271347'\nno: 0b11\nt: 1_000") == {"serial": "128422271347", False: 3, "t": 1000}
