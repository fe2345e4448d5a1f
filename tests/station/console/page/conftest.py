"""A browser keeps connections to its page's server for a while: what is left is looked at once a module's browser is gone."""

from collections.abc import Iterator

import pytest

from tests.giving_back import giving_back


@pytest.fixture(autouse=True, scope="module")
def no_leaks() -> Iterator[None]:
    """Every module gives back what it takes."""
    with giving_back():
        yield
