"""A page's TLS certificate: made on this computer, for this computer, never shipped.

Browsers ask for a secure context (WebXR does). A self-signed certificate gives one once the operator has accepted it; it
names every address the computer has, and is made anew when an address is added or it is about to expire.
"""

import datetime
import ipaddress
import os
import socket
from pathlib import Path

import psutil

VALID_DAYS = 397
"""Browsers refuse certificates that are valid for longer."""
RENEW_DAYS = 14


def folder(page: str) -> Path:
    """Where a page's certificate and key live: `$XDG_CONFIG_HOME/station/<page>`, by default below `~/.config`. Mode 0700."""
    base = os.environ.get("XDG_CONFIG_HOME")
    path = (Path(base) if base else Path.home() / ".config") / "station" / page
    path.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.chmod(0o700)
    return path


def addresses() -> tuple[str, ...]:
    """The computer's IPv4 addresses, the one that other computers most likely reach first, loopback last."""
    found = {
        entry.address
        for entries in psutil.net_if_addrs().values()
        for entry in entries
        if entry.family is socket.AF_INET and not entry.address.startswith("169.254.")
    }
    first = _outward()
    return tuple(sorted(found | {"127.0.0.1"}, key=lambda a: (a == "127.0.0.1", a != first, a)))


def names() -> tuple[str, ...]:
    """What this computer is called in an address bar, lower case; a page under any other name is somebody else's."""
    host = socket.gethostname().lower()
    return tuple(dict.fromkeys((*addresses(), "localhost", *((host, f"{host}.local") if host else ()))))


def _outward() -> str:
    """The address packets would leave from; nothing is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # documentation range: routed, never answered
        except OSError:
            return ""
        return str(probe.getsockname()[0])


def ensure(where: Path, names: tuple[str, ...], now: datetime.datetime) -> tuple[Path, Path]:
    """(certificate, key) valid for `names`, made if there is none that covers them for long enough."""
    certificate, key = where / "certificate.pem", where / "key.pem"
    if not _good(certificate, key, names, now):
        _make(certificate, key, names, now)
    return certificate, key


def _good(path: Path, key: Path, names: tuple[str, ...], now: datetime.datetime) -> bool:
    from cryptography import x509  # here and below: a page on loopback alone needs none of its 10 MB
    from cryptography.hazmat.primitives import serialization

    try:
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        secret = serialization.load_pem_private_key(key.read_bytes(), None)
        covered = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except (OSError, ValueError, TypeError, x509.ExtensionNotFound):
        return False
    known = {str(address) for address in covered.get_values_for_type(x509.IPAddress)}
    lasts = certificate.not_valid_after_utc - now > datetime.timedelta(days=RENEW_DAYS)
    return set(names) <= known and lasts and secret.public_key() == certificate.public_key()


def _make(certificate: Path, key: Path, names: tuple[str, ...], now: datetime.datetime) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    secret = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "robot station")])
    hosts = dict.fromkeys(("localhost", socket.gethostname()))
    alternatives: list[x509.GeneralName] = [x509.DNSName(host) for host in hosts if host.isascii() and host]
    alternatives += [x509.IPAddress(ipaddress.ip_address(address)) for address in names]
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(secret.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(hours=1))
        .not_valid_after(now + datetime.timedelta(days=VALID_DAYS))
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(secret, hashes.SHA256())
    )
    pem = secret.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )  # fmt: skip
    private_write(key, pem)
    private_write(certificate, built.public_bytes(serialization.Encoding.PEM))


def private_write(path: Path, data: bytes) -> None:
    """Replace the file at once, readable by its owner only."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
    fresh.replace(path)
