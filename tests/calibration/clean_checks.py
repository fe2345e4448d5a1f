"""No false alarm: `python -m tests.calibration.clean_checks --checks 20` boots the simulated rig, calibrates it, checks it so often.

Prints every check's verdict and what warned or failed; exits 1 if any check failed. Nothing is left out: what the load of
this computer decides counts too. It boots a rig: run nothing beside it.
"""

import argparse
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from tests.calibration.faulty_rig import calibrated_rig, station


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--checks", type=int, default=20)
    parser.add_argument("--seconds", type=float, default=6.0, help="how long each listens")
    parser.add_argument(
        "--light", action="store_true", help="arms at 50 Hz, cameras at 10: for a computer that is busy"
    )
    asked = parser.parse_args()
    verdicts: Counter[str] = Counter()
    with calibrated_rig(asked.light) as rig, tempfile.TemporaryDirectory() as folder:
        result = Path(folder) / "check.json"
        for number in range(asked.checks):
            begun = time.monotonic()
            station(
                "check", "--rig", str(rig.file), "--seconds", str(asked.seconds), "--json", str(result), codes=(0, 1)
            )
            told = json.loads(result.read_text())
            verdicts[told["verdict"]] += 1
            loud = [
                f"{f['verdict']} {f['device']}: {f['name']} {f['value']} (limit {f['limit']})"
                for f in told["findings"]
                if f["verdict"] in ("warn", "fail")
            ]
            print(f"{number + 1}: {told['verdict']}, {time.monotonic() - begun:.1f} s. {'; '.join(loud)}", flush=True)
    print(dict(verdicts))
    return 1 if verdicts["fail"] else 0


if __name__ == "__main__":
    sys.exit(main())
