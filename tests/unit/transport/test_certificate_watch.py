"""Certificates that end: warned of in time, once a stage."""

import datetime as dt
import logging
from pathlib import Path

import pytest

from sealane.settings import Settings
from sealane.settings.tls_settings import TRANSPORT_TLS
from sealane.transport.certificate_watch import CertificateWatch, stage_of
from sealane.transport.tls_files import TlsFiles
from tests.integration.transport.certificates import Authority

DAY_MS = 86_400_000
NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
NOW_MS = int(NOW.timestamp() * 1000)
PREFIX = "xpack.security.transport.ssl"


class Moving:
    def __init__(self, now_ms: int = NOW_MS) -> None:
        self.ms = now_ms

    def now_ms(self) -> int:
        return self.ms


@pytest.mark.parametrize(
    ("left_ms", "stage"),
    [
        (31 * DAY_MS, None),
        (30 * DAY_MS + 1, None),
        (30 * DAY_MS, 30),
        (7 * DAY_MS + 1, 30),
        (7 * DAY_MS, 7),
        (DAY_MS + 1, 7),
        (DAY_MS, 1),
        (1, 1),
        (0, 0),
        (-DAY_MS, 0),
    ],
)
def test_stages(left_ms: int, stage: int | None) -> None:
    assert stage_of(NOW_MS + left_ms, NOW_MS) == stage


def watched(folder: Path, clock: Moving, *, days: int) -> CertificateWatch:
    authority = Authority(folder)
    until = (NOW + dt.timedelta(days=days)).replace(tzinfo=None)
    issued = authority.issue("node-1", end=until)
    settings = Settings(
        {
            f"{PREFIX}.enabled": "true",
            f"{PREFIX}.key": issued.key.name,
            f"{PREFIX}.certificate": issued.certificate.name,
            f"{PREFIX}.certificate_authorities": authority.path.name,
        }
    )
    watch = CertificateWatch(clock)
    watch.groups.append(TlsFiles(TRANSPORT_TLS.read(settings), folder, clock))
    return watch


def warnings(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [each.getMessage() for each in caplog.records if each.levelno == logging.WARNING]
    caplog.clear()
    return found


def test_each_stage_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    clock = Moving()
    watch = watched(tmp_path, clock, days=40)
    watch.look()
    assert warnings(caplog) == []
    clock.ms += 11 * DAY_MS
    watch.look()
    (told,) = warnings(caplog)
    assert told.startswith(f"the certificate [CN=node-1] of [{PREFIX}] in [")
    assert "expires in [29d], at [2030-02-10T00:00:00Z]" in told
    watch.look()
    assert warnings(caplog) == []
    for days, words in ((23, "expires in [6d]"), (6, "expires in [0h]"), (1, "has expired at")):
        clock.ms += days * DAY_MS
        if words == "expires in [0h]":
            clock.ms -= 1
        watch.look()
        found = warnings(caplog)
        assert len(found) == 1
        assert words in found[0], found


def test_what_is_known_of_them(tmp_path: Path) -> None:
    clock = Moving()
    watch = watched(tmp_path, clock, days=10)
    assert watch.known() == []
    watch.look()
    (_, own), (prefix, authority) = watch.known()
    assert prefix == PREFIX
    assert (own.subject, own.issuer, own.has_private_key) == (
        "CN=node-1",
        "CN=test authority",
        True,
    )
    assert (authority.subject, authority.has_private_key) == ("CN=test authority", False)
    section = watch.section()
    assert section["last_error"] is None
    assert section["files"][0] == {
        "context": PREFIX,
        "path": own.path,
        "subject_dn": "CN=node-1",
        "expiry": "2030-01-11T00:00:00Z",
        "days_left": 10,
    }


def test_files_that_break_are_told_and_what_was_known_stays(tmp_path: Path) -> None:
    watch = watched(tmp_path, Moving(), days=10)
    watch.look()
    known = watch.known()
    (tmp_path / known[0][1].path).unlink()
    watch.look()
    assert watch.known() == known
    assert watch.last_error is not None
    assert "because the file does not exist" in watch.last_error
