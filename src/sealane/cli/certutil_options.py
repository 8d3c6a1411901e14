"""The options of `sealane certutil`, apart from what they need when they are used."""

import argparse
from pathlib import Path
from typing import Final

ASK: Final = object()
"""`--pass` without a value: it is asked for."""
_DAYS, _BITS = 1095, 2048


def add_certutil_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sealane certutil`."""
    commands = parser.add_subparsers(dest="certutil_command", required=True, metavar="command")
    ca = commands.add_parser(
        "ca",
        help="make a certificate authority",
        description="Writes an authority's certificate and key: PKCS#12, or with --pem a zip with ca/ca.crt and "
        "ca/ca.key.",
    )
    cert = commands.add_parser(
        "cert",
        help="make certificates for nodes",
        description="Writes a certificate for one node, or for all that --in lists: PKCS#12, or with --pem (and for "
        "several) a zip with a folder a node.",
    )
    http = commands.add_parser(
        "http",
        help="make a certificate for HTTPS",
        description="Writes a zip with the certificate for HTTP clients, the authority for them to trust, and the "
        "settings to add. What is not given is asked for when it runs at a terminal.",
    )
    csr = commands.add_parser(
        "csr",
        help="make signing requests for an authority elsewhere",
        description="Writes a zip with a request and its key for one node, or for all that --in lists.",
    )
    for each in (ca, cert, http, csr):
        _add_common(each)
    ca.add_argument(
        "--ca-dn",
        default="CN=Sealane Certificate Authority",
        metavar="DN",
        help="distinguished name, default %(default)s",
    )
    for each in (cert, http):
        _add_authority(each)
    for each in (cert, csr):
        each.add_argument("--name", default=None, help="of the certificate and its files")
        each.add_argument("--in", dest="instances", type=Path, metavar="FILE", help="instances.yml")
    for each in (cert, csr, http):
        each.add_argument(
            "--dns", action="append", default=[], metavar="NAME[,NAME]", help="may be repeated"
        )
        each.add_argument(
            "--ip", action="append", default=[], metavar="IP[,IP]", help="may be repeated"
        )
    cert.add_argument(
        "--multiple", action="store_true", help="a zip with a folder a node, also for one"
    )
    cert.add_argument("--self-signed", action="store_true", help="without an authority")
    http.add_argument("--name", default="http", help="common name, default %(default)s")
    for each in (ca, cert, http):
        each.add_argument("--pem", action="store_true", help="PEM files in a zip, not PKCS#12")
        each.add_argument(
            "--days",
            type=int,
            default=_DAYS,
            metavar="N",
            help="valid so long, default %(default)s",
        )


def _add_common(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--out", type=Path, metavar="FILE", help="what to write; must not exist")
    parser.add_argument(
        "--pass",
        dest="password",
        nargs="?",
        const=ASK,
        metavar="PASSWORD",
        help="encrypts the key; without a value it is asked for",
    )
    parser.add_argument(
        "--keysize", type=int, default=_BITS, metavar="BITS", help="of RSA, default %(default)s"
    )
    parser.add_argument("--silent", action="store_true", help="say nothing that is no error")


def _add_authority(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--ca", type=Path, metavar="FILE", help="the authority, PKCS#12")
    parser.add_argument("--ca-cert", type=Path, metavar="FILE", help="the authority, PEM")
    parser.add_argument("--ca-key", type=Path, metavar="FILE", help="its key, PEM")
    parser.add_argument(
        "--ca-pass",
        nargs="?",
        const=ASK,
        metavar="PASSWORD",
        help="of the authority's key; without a value it is asked for",
    )
