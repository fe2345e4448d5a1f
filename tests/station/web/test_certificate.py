import datetime
import socket
import ssl
from pathlib import Path

import pytest
from cryptography import x509

from station.web import certificate

NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
NAMES = ("192.168.1.7", "127.0.0.1")


def test_the_certificate_names_every_address_and_is_kept(tmp_path: Path) -> None:
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    made = x509.load_pem_x509_certificate(path.read_bytes())
    names = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert {str(a) for a in names.get_values_for_type(x509.IPAddress)} == set(NAMES)
    assert "localhost" in names.get_values_for_type(x509.DNSName)
    assert key.stat().st_mode & 0o777 == 0o600
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)
    before = path.read_bytes()
    certificate.ensure(tmp_path, NAMES[1:], NOW)
    assert path.read_bytes() == before


@pytest.mark.parametrize(("names", "days"), [((*NAMES, "10.0.0.3"), 0), (NAMES, 390)])
def test_a_new_address_or_its_end_makes_a_new_certificate(tmp_path: Path, names: tuple[str, ...], days: int) -> None:
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    before = path.read_bytes(), key.read_bytes()
    certificate.ensure(tmp_path, names, NOW + datetime.timedelta(days=days))
    assert path.read_bytes() != before[0]
    assert key.read_bytes() != before[1]


@pytest.mark.parametrize("torn", ["certificate.pem", "key.pem"])
@pytest.mark.parametrize("by", ["torn", ""])
def test_a_damaged_certificate_or_key_is_made_again(tmp_path: Path, torn: str, by: str) -> None:
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    (tmp_path / torn).write_text(by)
    certificate.ensure(tmp_path, NAMES, NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)


def test_a_key_of_another_certificate_is_no_pair(tmp_path: Path) -> None:
    """The computer stopped between the two writes."""
    path, key = certificate.ensure(tmp_path, NAMES, NOW)
    (tmp_path / "other").mkdir()
    _, other = certificate.ensure(tmp_path / "other", NAMES, NOW)
    other.replace(key)
    certificate.ensure(tmp_path, NAMES, NOW)
    ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(path, key)


def test_the_computer_has_the_names_a_person_may_type() -> None:
    names = certificate.names()
    assert {"127.0.0.1", "localhost", socket.gethostname().lower()} <= set(names)
