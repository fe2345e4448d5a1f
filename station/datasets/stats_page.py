"""The page of a task's episodes: one file with tables, plots and a contact sheet."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from station.datasets.stats import Path, Share, Stats, hour_of
from station.datasets.stats_words import by, headline, lengths, rule, sentence, vector_row
from station.episodes import picture
from station.episodes.catalogue import Episode, label
from station.episodes.static_page import image, paragraph, section, table
from station.errors import EpisodeError

MOST_PICTURES = 120
_MOST_PATHS = 2000
_MOST_LINES = 60
_MARKERS = {True: "o", False: "x", None: "."}
_COLOURS = {True: "tab:green", False: "tab:red", None: "tab:gray"}


def parts(
    stats: Stats, episodes: Sequence[Episode], paths: Mapping[str, Sequence[Path]], looked_at: Callable[[], None] = lambda: None
) -> list[str]:  # fmt: skip
    """What the page has of one task. `looked_at` is called for every picture that was opened."""
    return [
        section(stats.name, paragraph(headline(stats)), paragraph(lengths(stats))),
        section("Success", *(table((what, "episodes", "success", "failure", "not judged"), map(_share, found), range(1, 5))
                             for what, found in by(stats).items())),
        section("Unlike the others", paragraph(rule()), *(() if stats.outliers else (paragraph("None is."),)),
                table(("",), [(sentence(each),) for each in stats.outliers[:_MOST_LINES]]),
                _more(len(stats.outliers))),
        section("Findings of the episodes' cards", table(("finding", "episodes"), stats.findings.items(), (1,))),
        section("Length and time", image(_lengths_png(episodes), "png", "length of each episode, in the order of recording; by success")),
        section("Where the fingertips were", *_workspaces(stats, paths)),
        section("Numbers of the vector", *_vector(stats)),
        section("Contact sheet", _sheet(episodes, {each.episode for each in stats.outliers}, looked_at)),
    ]  # fmt: skip


def _share(share: Share) -> tuple[object, ...]:
    rest = share.episodes - share.successes - share.failures
    return share.name, share.episodes, share.successes, share.failures, rest


def _more(count: int) -> str:
    return paragraph(f"and {count - _MOST_LINES} more") if count > _MOST_LINES else ""


def _vector(stats: Stats) -> list[str]:
    head = ("number", "min", "q01", "q99", "max", "(max − min) / (q99 − q01)", "")
    found = []
    for name, numbers in (("measured", stats.state), ("asked", stats.action)):
        if numbers:
            found += [paragraph(f"{name}:"), table(head, map(vector_row, numbers), range(1, 6))]
    return found


def _figure(width: float, height: float, columns: int) -> tuple[Any, Any]:
    from matplotlib.figure import Figure  # here, for it takes a second that every other command would wait

    figure = Figure(figsize=(width, height), layout="constrained")
    return figure, figure.subplots(1, columns, squeeze=False)[0]


def _lengths_png(episodes: Sequence[Episode]) -> bytes:
    figure, (left, right) = _figure(13, 3.2, 2)
    order = sorted(episodes, key=lambda episode: episode.recorded_ns)
    for success, colour in _COLOURS.items():
        places = [place for place, episode in enumerate(order) if episode.success is success]
        word = {True: "success", False: "failure", None: "not judged"}[success]
        if places:
            seconds = [order[place].seconds for place in places]
            left.scatter(places, seconds, s=18, color=colour, marker=_MARKERS[success], label=word)
    left.set_xlabel("episodes in the order of recording")
    left.set_ylabel("s")
    left.xaxis.get_major_locator().set_params(integer=True)
    left.legend(loc="best", fontsize=8)
    hours: dict[str, int] = {}
    for episode in order:
        hours[hour_of(episode)] = hours.get(hour_of(episode), 0) + 1
    names = sorted(hours)
    right.bar(names, [hours[name] for name in names], color="tab:blue")
    right.set_ylabel("episodes by hour of the day")
    right.yaxis.get_major_locator().set_params(integer=True)
    right.tick_params(axis="x", labelsize=7, rotation=60)
    return picture.png(figure)


def _workspaces(stats: Stats, paths: Mapping[str, Sequence[Path]]) -> list[str]:
    found = [
        image(_paths_png(each), "png", f"{arm}: its fingertips from above and from the side, base frame; green success, red failure")
        for arm, each in paths.items()
    ]  # fmt: skip
    rows = [
        (each.arm, *(f"{low:.2f} … {high:.2f}" for low, high in zip(each.lower_m, each.upper_m, strict=True)))
        for each in stats.workspaces
    ]
    return [
        *found, table(("arm", "x, m", "y, m", "z, m"), rows),
        *(paragraph(f"{arm}: no paths, {why}") for arm, why in stats.without_workspace.items()),
    ]  # fmt: skip


def _paths_png(paths: Sequence[Path]) -> bytes:
    figure, (above, side) = _figure(13, 4.5, 2)
    for path in paths[:: max(1, len(paths) // _MOST_PATHS)]:
        x, y, z = path.positions_m.T
        colour = _COLOURS[path.episode.success]
        above.plot(x, y, color=colour, linewidth=0.6, alpha=0.5)
        side.plot(x, z, color=colour, linewidth=0.6, alpha=0.5)
    for axis, name in ((above, "y"), (side, "z")):
        axis.set_xlabel("x, m (forward)")
        axis.set_ylabel(f"{name}, m")
        axis.set_aspect("equal", adjustable="datalim")
        axis.grid(alpha=0.3)
    return picture.png(figure)


def _sheet(episodes: Sequence[Episode], unlike: set[str], looked_at: Callable[[], None]) -> str:
    """The last row of each, by its first camera: where a task's success is seen. Evenly spread, where there are too many."""
    shown = []
    step = max(1, -(-len(episodes) // MOST_PICTURES))
    for episode in episodes[::step]:
        if episode.form is None or not episode.form.cameras:
            continue
        try:
            data = picture.jpeg(picture.moment(episode.path, episode.form.cameras[0], episode.rows - 1))
        except EpisodeError:  # `verify` tells of it
            continue
        verdict = {True: "success", False: "failure", None: "not judged"}[episode.success]
        mark = ", unlike the others" if label(episode) in unlike else ""
        shown.append(image(data, "jpeg", f"{label(episode)}: {episode.seconds:.1f} s, {verdict}{mark}"))
        looked_at()
    said = paragraph(f"every {step}th of {len(episodes)} episodes") if step > 1 and shown else ""
    return f'{said}<div class="sheet">{"".join(shown)}</div>' if shown else ""
