"""`sealane certutil http`: a certificate for HTTPS, what clients trust, and the settings to add.

At a terminal it asks for what was not given; elsewhere the options say all there is to say.
"""

import argparse
import ipaddress
import socket
import sys
from typing import Final

from sealane.cli.certutil_files import as_zip, authority_of, password_of, split, write_new
from sealane.clock import SystemClock
from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.security.stores.certificates import Signed, Subject, common_name, issue, make_authority

_AUTHORITY: Final = "CN=Sealane HTTP Certificate Authority"
_README: Final = """\
The files of the folder [sealane] belong into the config folder of the node, those of [client] to whoever
calls it: they trust the authority in [client/ca.pem].
{extra}
Add what is in [sealane/sample-sealane.yml] to sealane.yml and start the node again.{password}
"""
_KEEP: Final = """
[ca] is the authority that was made for this certificate. Keep it away from the nodes: it makes the next
certificates, with --ca-cert ca/ca.crt --ca-key ca/ca.key, which clients then trust already.
"""


def http(options: argparse.Namespace) -> str:
    """Returns what to tell the user. Raises IllegalArgument, OSError."""
    hosts, ips = split(options.dns), split(options.ip)
    if not hosts and not ips:
        hosts, ips = _asked_names() if sys.stdin.isatty() else ((), ())
    if not hosts and not ips:
        raise IllegalArgument("name the hosts that clients dial with --dns or --ip")
    password = password_of(options.password, "for the keys", stores=not options.pem)
    now_ms = SystemClock().now_ms()
    given = authority_of(options)
    authority = given or make_authority(
        _AUTHORITY, now_ms=now_ms, days=options.days, key_bits=options.keysize
    )
    made = issue(
        authority,
        Subject(name=common_name(options.name), dns=hosts, ips=ips),
        now_ms=now_ms,
        days=options.days,
        key_bits=options.keysize,
    )
    files = _node_files(made, password, pem=options.pem)
    files["client/ca.pem"] = authority.certificate_pem()
    if given is None:
        files["ca/ca.crt"] = authority.certificate_pem()
        files["ca/ca.key"] = authority.key_pem(password)
    secure = "secure_key_passphrase" if options.pem else "keystore.secure_password"
    add = f"\nBefore: sealane keystore --conf <config folder> add xpack.security.http.ssl.{secure}"
    files["README.txt"] = _README.format(
        extra=_KEEP if given is None else "", password=add if password is not None else ""
    ).encode()
    written = write_new(options.out or "sealane-http.zip", as_zip(files))
    shown = ", ".join((*hosts, *ips))
    return (
        f"Wrote a certificate for [{shown}] to [{written}]; its README.txt says what to do with it."
    )


def _node_files(made: Signed, password: Secret | None, *, pem: bool) -> dict[str, bytes]:
    lines = ["xpack.security.http.ssl.enabled: true"]
    if pem:
        files = {"http.crt": made.chain_pem(), "http.key": made.key_pem(password)}
        lines += [
            "xpack.security.http.ssl.certificate: http.crt",
            "xpack.security.http.ssl.key: http.key",
        ]
    else:
        files = {"http.p12": made.pkcs12("http", password)}
        lines.append("xpack.security.http.ssl.keystore.path: http.p12")
    files["sample-sealane.yml"] = "".join(f"{line}\n" for line in lines).encode()
    return {f"sealane/{name}": data for name, data in files.items()}


def _asked_names() -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Host names and addresses, typed at the terminal."""
    usual = f"localhost,{socket.gethostname()}"
    print("Which host names and IP addresses do clients dial? Separate them with commas.")
    try:
        typed = input(f"[{usual},127.0.0.1,::1]: ").strip() or f"{usual},127.0.0.1,::1"
    except EOFError:
        return (), ()
    hosts, ips = [], []
    for each in split([typed]):
        try:
            ips.append(str(ipaddress.ip_address(each)))
        except ValueError:
            hosts.append(each)
    return tuple(hosts), tuple(ips)
