"""One episode's page: its card, pictures of it, and of what was found in pictures, joint plots. One file."""

from collections.abc import Mapping
from pathlib import Path

from station.episodes import picture
from station.episodes.quality import words
from station.episodes.quality.card import Card
from station.episodes.static_page import document, image, paragraph, section, table
from station.errors import EpisodeError

_MOST_PICTURES = 12


def page(episode: Path, title: str, about: Mapping[str, str], card: Card) -> str:
    """`about`: what else is to be said of it, line by line. Raises EpisodeError where the file is none."""
    numbers = range(1, 10)
    found = [(words.sentence(each, card.tick_hz),) for each in card.findings]
    return document(
        title,
        paragraph(words.headline(card)),
        section("What to look at", table(("",), found), _evidence(episode, card)),
        section("The episode", table(("", ""), [(name, what) for name, what in about.items() if what])),
        section("What the cameras saw", _sheet(episode, card)),
        section("What the arms did", image(picture.joint_png(episode), "png", "asked, sent, measured; ages; who commanded")),
        section(
            "Measured",
            table(words.STREAMS, words.streams(card), numbers), table(words.PICTURES, words.pictures(card), numbers),
            table(words.ARMS, words.arms(card), numbers), paragraph(words.stillness(card)), paragraph(words.LEGEND),
            *map(paragraph, card.not_measured),
        ),
    )  # fmt: skip


def _sheet(episode: Path, card: Card) -> str:
    if not card.pictures:
        return ""
    return image(picture.jpeg(picture.sheet(episode)), "jpeg", "cameras from top to bottom, time from left to right")


def _evidence(episode: Path, card: Card) -> str:
    """The picture of each finding that is about a camera and a row."""
    shown = []
    for finding in [each for each in card.findings if each.on in card.pictures and each.row >= 0][:_MOST_PICTURES]:
        try:
            data = picture.jpeg(picture.moment(episode, finding.on, finding.row))
        except EpisodeError:  # a picture that cannot be decoded is in the findings of `verify`
            continue
        shown.append(image(data, "jpeg", f"{finding.name.replace('_', ' ')}: {finding.on}, row {finding.row}"))
    return f'<div class="sheet">{"".join(shown)}</div>' if shown else ""
