"""What a collection plan wants next, in words: the same at the terminal, for a voice and on a page. Pure."""

from station.bus.messages import Staging


def things(staging: Staging) -> str:
    """What is to be staged; "" where nothing is."""
    named = (f"{name} {said}" for name in ("scene", "object") if (said := getattr(staging, name)))
    return ", ".join(named)


def stage(staging: Staging | None) -> str:
    """What to do before the next episode; "" where no plan says it."""
    if staging is None or not (what := things(staging)):
        return ""
    new = f" (other {' and '.join(staging.changed)})" if staging.changed else ""
    return f"Stage {what}{new}."


def standing(staging: Staging | None) -> str:
    """How far the plan is; "" where there is none."""
    if staging is None:
        return ""
    if staging.why:
        return f"no plan is followed: {staging.why}"
    of_all = f"plan {staging.done} of {staging.wanted}"
    if not staging.left:
        mine = "" if staging.done == staging.wanted else ", nothing is left for this operator"
        return f"{of_all}: complete" if not mine else f"{of_all}{mine}"
    return f"{of_all} · {things(staging) or 'this'} {staging.saved} of {staging.each}"
