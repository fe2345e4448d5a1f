"""`python -m tests.installing.bare_roots WORK [--root debian-12 …]`: `make setup` where there is nothing but Python, make and git.

As root, with debootstrap: a bare root (minbase) of each system, a clone of this checkout in it, then `make setup`, the same again, and
commands that need no rig. Prints a Markdown table, dated. A root that is in WORK already is used again, its clone is not.
`--certificates FILE`: of whoever stands between this computer and the network. `--wheels DIR`: kept between roots, each fetched once.
"""

import argparse
import os
import shutil
import subprocess
import sys
import time
from datetime import date
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[2]
MINIMAL = "python3,make,git,ca-certificates"
CLONE, CACHE, CERTIFICATES = "/opt/station", "/root/wheels", "/etc/ssl/certs/ca-certificates.crt"
COMMANDS = ("--version", "rig check bench", "policy show handover")


class System(NamedTuple):
    """One row."""

    name: str
    suite: str
    components: str
    ways: tuple[tuple[str, str], ...] = (("", ""),)
    """Packages that are installed first, and what `make setup` is given: each is tried in turn."""


SYSTEMS = {
    "debian-12": System("Debian 12", "bookworm", "main"),
    "debian-13": System("Debian 13", "trixie", "main"),
    "ubuntu-24.04": System("Ubuntu 24.04", "noble", "main,universe"),
    "ubuntu-22.04": System(
        "Ubuntu 22.04", "jammy", "main,universe", (("", ""), ("python3.11-venv", "PYTHON=python3.11"))
    ),
}


class Ran(NamedTuple):
    """A command in a root."""

    code: int
    seconds: float
    said: str


class BareRoot:
    """One system in a folder."""

    def __init__(
        self, system: System, work: Path, certificates: Path | None, wheels: Path | None, mirror: str | None
    ) -> None:
        self._system, self._at, self._mirror = system, work / system.suite, mirror
        self._certificates, self._wheels = certificates, wheels

    def make(self) -> None:
        """As debootstrap leaves it, with a clone of what is committed here."""
        at = self._at
        if not (at / "etc/debian_version").exists():
            shutil.rmtree(at, ignore_errors=True)
            words = [
                "debootstrap",
                "--variant=minbase",
                f"--include={MINIMAL}",
                f"--components={self._system.components}",
            ]
            mirror = [self._mirror] if self._mirror else []
            subprocess.run([*words, self._system.suite, str(at), *mirror], check=True, stdout=sys.stderr)
        suite = self._system.suite
        first = (
            at / "etc/apt/sources.list"
        ).read_text()  # as every installation has them, and debootstrap alone does not
        (at / "etc/apt/sources.list.d/updates.list").write_text(first.replace(f" {suite} ", f" {suite}-updates "))
        shutil.copy("/etc/resolv.conf", at / "etc/resolv.conf")
        if self._certificates is not None:
            shutil.copy(self._certificates, at / CERTIFICATES[1:])
        clone = at / CLONE[1:]
        shutil.rmtree(clone, ignore_errors=True)
        subprocess.run(["git", "clone", "--quiet", "--no-hardlinks", str(ROOT), str(clone)], check=True)
        (at / CACHE[1:]).mkdir(exist_ok=True)

    def run(self, command: str) -> Ran:
        """In the clone, as root. Its mounts are its own and go with it."""
        mounts = [f"mount -t proc proc {self._at}/proc"]
        if self._wheels is not None:
            mounts.append(f"mount --bind {self._wheels} {self._at}{CACHE}")
        inside = " && ".join([*mounts, f"exec chroot {self._at} /bin/sh -c 'cd {CLONE} && {command}'"])
        environment = {
            "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": "/root",
            "LANG": "C.UTF-8",
            "PIP_CACHE_DIR": CACHE,
        }
        if self._certificates is not None:
            environment |= dict.fromkeys(
                ("PIP_CERT", "SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS", "REQUESTS_CA_BUNDLE"), CERTIFICATES
            )
        began_s = time.monotonic()
        done = subprocess.run(
            ["unshare", "--mount", "--pid", "--fork", "sh", "-c", inside], env=environment, stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False,
        )  # fmt: skip
        print(f"{self._system.name}: {command}: {done.returncode}\n{done.stdout[-3000:]}", file=sys.stderr, flush=True)
        return Ran(done.returncode, time.monotonic() - began_s, done.stdout)

    def row(self, packages: str, given: str) -> str:
        """Of the table: Python, the first `make setup`, the second, what the commands say."""
        if packages:
            self.run(f"apt-get update -q && apt-get install -yq --no-install-recommends {packages}")
        python = given.partition("=")[2] or "python3"
        version = self.run(f"{python} --version").said.strip().removeprefix("Python ")
        name = f"{self._system.name}{f', `{given}`' if given else ''}"
        first = self.run(f"make setup {given}")
        if first.code:
            said = next((line for line in first.said.splitlines() if "Next: " in line), first.said.strip()[-200:])
            return f"| {name} | {version} | refused: {said} | | |"
        second = self.run(f"make setup {given}")
        wrong = [command for command in COMMANDS if self.run(f".venv/bin/station {command}").code]
        left = next((line for line in first.said.splitlines() if line.startswith("Installed without")), "")
        works = f"`{'`, `'.join(wrong)}` failed" if wrong else "yes"
        return f"| {name} | {version} | {first.seconds:.0f} s{f' ({left})' if left else ''} | {second.seconds:.1f} s | {works} |"


def main() -> None:
    """The table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("work", type=Path)
    parser.add_argument("--root", action="append", choices=list(SYSTEMS), help="only these")
    parser.add_argument("--certificates", type=Path)
    parser.add_argument("--wheels", type=Path)
    parser.add_argument(
        "--mirror", help="of these systems' archive, where debootstrap has no key of theirs and so takes another's"
    )
    arguments = parser.parse_args()
    if os.geteuid() != 0 or shutil.which("debootstrap") is None:
        sys.exit(
            "a bare root is made by root, with debootstrap. Next: sudo apt-get install debootstrap, then again with sudo"
        )
    print(
        f"{date.today()}\n\n| | Python | `make setup` | again | `station {'`, `'.join(COMMANDS)}` |\n|---|---|---|---|---|",
        flush=True,
    )
    for name in arguments.root or SYSTEMS:
        for packages, given in SYSTEMS[name].ways:
            root = BareRoot(
                SYSTEMS[name], arguments.work.absolute(), arguments.certificates, arguments.wheels, arguments.mirror
            )
            root.make()
            print(root.row(packages, given), flush=True)


if __name__ == "__main__":
    main()
