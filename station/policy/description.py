"""A policy folder in words. Pure."""

from station.policy.folder import Image, Policy


def described(policy: Policy) -> list[tuple[str, str]]:
    """What it says, and how: for `station policy show` and the console."""
    execution, image = policy.execution, policy.image
    detail = {
        "ensemble": f", w = exp(−{execution.k}·i), i = 0 the oldest",
        "receding": f", {execution.steps} rows of each chunk",
    }
    return [
        ("folder", str(policy.folder)),
        ("kind, backend", f"{policy.kind}, {policy.backend} ({policy.weights})"),
        ("cameras", ", ".join(policy.cameras) or "none"),
        ("image", _image(image) if image else "none"),
        ("state → action", f"{policy.state_dim} → {policy.action_dim} dimensions"),
        ("observation", f"{policy.obs_steps} step{'s' if policy.obs_steps > 1 else ''}"),
        ("chunk", f"{policy.chunk} rows at {policy.rate_hz:g} Hz: {policy.chunk / policy.rate_hz:.2f} s"),
        ("first row", f"at the observation's tick {policy.action_offset_ticks:+d}"),
        ("execution", execution.mode + detail.get(execution.mode, "")),
        ("newest dims", ", ".join(map(str, policy.newest_dims)) or "none"),
        ("policy.yaml", f"sha256 {policy.sha256[:16]}…"),
    ]


def _image(image: Image) -> str:
    crops = "".join(
        f"; of {camera} {crop.width}×{crop.height} from column {crop.left}, row {crop.top}"
        for camera, crop in image.crop.items()
    )
    return f"{image.width}×{image.height} {image.color}, {image.resize}{crops}"
