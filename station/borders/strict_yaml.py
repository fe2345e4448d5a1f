"""YAML as people should write it. Whatever stands in a file, nothing but a `yaml.YAMLError` leaves this loader.

Refused besides what YAML itself refuses: a key given twice (plain YAML silently keeps the last), a date that is none, whole numbers longer
than `station.borders.bounds` or Python take, a file that unfolds to more than a file of settings holds (aliases of aliases), that contains
itself, or that is nested too deeply. Other numbers are whoever reads them's to bound, by the key that they stand at.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from station.borders.bounds import LARGEST_WHOLE

LONGEST_CHARACTERS = 1 << 20
"""A policy's statistics are the longest thing that people keep in YAML here: tens of kilobytes."""
DEEPEST = 40
MOST_NODES = 100_000
"""Keys, values and lists, aliases unfolded."""
_MERGE = "tag:yaml.org,2002:merge"


class UniqueKeys(yaml.SafeLoader):
    """The loader: `yaml.load(text, Loader=UniqueKeys)`."""

    def __init__(self, stream: str) -> None:
        if len(stream) > LONGEST_CHARACTERS:
            raise yaml.YAMLError(f"{len(stream)} characters; a file of settings has {LONGEST_CHARACTERS} at most")
        super().__init__(stream)
        self._depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        """One node with what is in it."""
        self._depth += 1
        if self._depth > DEEPEST:
            raise _refused(f"nested more than {DEEPEST} deep", self.peek_event().start_mark)  # type: ignore[no-untyped-call]
        node = super().compose_node(parent, index)
        self._depth -= 1
        return node

    def get_single_node(self) -> yaml.Node | None:
        """The whole document."""
        node = super().get_single_node()
        if node is not None:
            _unfolded(node, {}, ())
        return node

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:
        """A node's value."""
        try:
            value = super().construct_object(node, deep)
        except yaml.YAMLError:
            raise
        except (
            Exception
        ) as error:  # int(), float(), date() and others of PyYAML's, for what only looks like one of theirs
            shown = str(node.value)[:40] if isinstance(node, yaml.ScalarNode) else node.tag
            raise _refused(f"{shown!r} cannot be read as {node.tag.rpartition(':')[2]}", node.start_mark) from error
        if isinstance(value, int) and not -LARGEST_WHOLE <= value <= LARGEST_WHOLE:
            raise _refused(f"a whole number of {value.bit_length()} bits cannot be", node.start_mark)
        return value


def _refused(what: str, where: yaml.Mark | None) -> yaml.YAMLError:
    return yaml.constructor.ConstructorError(None, None, what, where)


def _unfolded(node: yaml.Node, sizes: dict[int, int], above: tuple[int, ...]) -> int:
    """How many nodes this one unfolds to. Raises YAMLError for one that contains itself, or unfolds to too many."""
    if isinstance(node, yaml.ScalarNode):
        return 1
    if id(node) in above:
        raise _refused("it contains itself", node.start_mark)
    if id(node) not in sizes:
        pairs = isinstance(node, yaml.MappingNode)
        inner = [part for pair in node.value for part in pair] if pairs else node.value
        sizes[id(node)] = 1 + sum(_unfolded(part, sizes, (*above, id(node))) for part in inner)
    if sizes[id(node)] > MOST_NODES:
        raise _refused(f"it unfolds to more than {MOST_NODES} keys and values", node.start_mark)
    return sizes[id(node)]


def _mapping(loader: UniqueKeys, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[Any] = set()
    for key, _ in node.value:
        if key.tag == _MERGE:  # `<<: *other`: what stands here itself goes before what is merged
            continue
        if not isinstance(key, yaml.ScalarNode):
            raise _refused("a key is one word, not a list or a mapping", key.start_mark)
        name = loader.construct_object(key)
        if name in seen:
            raise _refused(f"the key {name!r} is given twice", key.start_mark)
        seen.add(name)
    return loader.construct_mapping(node, deep=True)


UniqueKeys.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


class Twice(NamedTuple):
    """A key that is given twice in one mapping."""

    key: str
    line: int
    first_line: int


class Written(NamedTuple):
    """What a file says, and on which of its lines."""

    value: Any
    lines: dict[str, int]
    """Line (from 1) of every key, by its path: `arms.left.leader.port`, `signs[2]`."""
    twice: tuple[Twice, ...]
    """The value has the first of each."""


def load_with_lines(text: str) -> Written:
    """A file that people write and correct: what it says with its lines, and all keys given twice at once. Raises YAMLError."""
    loader = UniqueKeys(text)
    try:
        node = loader.get_single_node()
        if node is None:
            return Written(None, {}, ())
        lines: dict[str, int] = {}
        twice = tuple(_number(node, "", lines))
        return Written(loader.construct_document(node), lines, twice)
    finally:
        loader.dispose()


def below(where: str, key: str) -> str:
    """The path of a key of the mapping at `where`."""
    return f"{where}.{key}" if where else key


def _number(node: yaml.Node, where: str, lines: dict[str, int]) -> Iterator[Twice]:
    """Note the lines below a node; keys given twice are told and taken out."""
    if isinstance(node, yaml.SequenceNode):
        for place, inner in enumerate(node.value):
            lines[f"{where}[{place}]"] = inner.start_mark.line + 1
            yield from _number(inner, f"{where}[{place}]", lines)
    if not isinstance(node, yaml.MappingNode):
        return
    first: dict[tuple[str, str], int] = {}
    kept = []
    for key, value in node.value:
        if key.tag == _MERGE:
            for merged in value.value if isinstance(value, yaml.SequenceNode) else [value]:
                yield from _number(merged, where, lines)
        elif isinstance(key, yaml.ScalarNode):
            line, name = key.start_mark.line + 1, (key.tag, key.value)
            path = below(where, str(key.value))
            if name in first:
                yield Twice(path, line, first[name])
                continue
            first[name] = lines[path] = line
            yield from _number(value, path, lines)
        kept.append((key, value))
    node.value = kept
