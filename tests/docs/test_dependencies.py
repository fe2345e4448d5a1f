"""The page of licences against what the installed packages state of themselves."""

import re
import sys
from importlib.metadata import PackageNotFoundError, files, metadata

import pytest

from docs.dependencies import PACKAGES, groups

WORDS = {
    "BSD": "bsd",
    "MIT": "mit",
    "Apache": "apache",
    "LGPL": "lgpl",
    "MPL": "mpl",
    "PSF": "python software|matplotlib",
}


BSD_BEGINS = "Redistribution and use in source and binary forms"


def read_licence(package: str) -> str:
    """What its licence's own text says that it is, where the metadata say nothing in short."""
    texts = [file.read_text() for file in files(package) or [] if file.name.startswith("LICEN")]
    return "bsd" if any(BSD_BEGINS in text for text in texts) else ""


def stated(package: str) -> str:
    """What a package's metadata say of its licence, in small letters."""
    found = metadata(package)
    words = read_licence(package) if not found.get_all("License-Expression") and not found.get_all("License") else ""
    classifiers = [value for value in found.get_all("Classifier") or [] if value.startswith("License")]
    return " ".join(
        [
            *(found.get_all("License-Expression") or []),
            *(text[:200] for text in found.get_all("License") or []),
            *classifiers,
            words,
        ]
    ).lower()


def test_every_package_asked_for_has_its_line_and_no_other_has() -> None:
    asked = {name for names in groups().values() for name in names}
    assert set(PACKAGES) == asked


@pytest.mark.parametrize("package", sorted(PACKAGES))
def test_the_licence_is_the_one_it_states(package: str) -> None:
    try:
        says = stated(package)
    except PackageNotFoundError:
        without_a_wheel = ("ur-rtde",) if sys.version_info >= (3, 13) else ()
        assert package in (*groups()["torch"], "evdev", *without_a_wheel), (
            "what this environment installs must be there"
        )
        return
    family = re.split(r"[- ]", PACKAGES[package].licence)[0]
    assert re.search(WORDS[family], says), says
    assert not re.search(r"\b(a?gpl)", says.replace("lgpl", "")), says
