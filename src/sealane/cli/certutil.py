"""`sealane certutil`: authorities, certificates and signing requests, as files that others cannot read.

What a certificate is made of is `security.stores.certificates`', reading and writing `certutil_files`'.
"""

import argparse
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from sealane.cli.certutil_files import (
    Instance,
    as_zip,
    authority_of,
    instances_of,
    password_of,
    write_new,
)
from sealane.cli.certutil_http import http
from sealane.cli.terminal import NoAnswerError
from sealane.clock import SystemClock
from sealane.errors import ApiError
from sealane.model.security import Secret
from sealane.security.stores.certificates import (
    Signed,
    Subject,
    issue,
    key_pem,
    make_authority,
    make_request,
)


def certutil(options: argparse.Namespace) -> int:
    """Runs one command. Returns 0, or 1 after a line that says what is wrong."""
    try:
        said = _COMMANDS[options.certutil_command](options)
    except (ApiError, OSError, NoAnswerError) as error:
        print(f"sealane certutil: {_told(error)}", file=sys.stderr)
        return 1
    if not options.silent:
        print(said)
    return 0


def _told(error: Exception) -> str:
    if isinstance(error, ApiError):
        return error.reason
    if isinstance(error, OSError):
        where = f" [{error.filename}]" if error.filename else ""
        return f"{error.strerror or error}{where}"
    return str(error)


def _ca(options: argparse.Namespace) -> str:
    out = options.out or ("sealane-ca.zip" if options.pem else "sealane-ca.p12")
    password = password_of(options.password, "for the authority's key", stores=not options.pem)
    made = make_authority(
        options.ca_dn, now_ms=_now_ms(), days=options.days, key_bits=options.keysize
    )
    if options.pem:
        data = as_zip({"ca/ca.crt": made.certificate_pem(), "ca/ca.key": made.key_pem(password)})
    else:
        data = made.pkcs12("ca", password)
    written = write_new(out, data)
    return (
        f"Wrote the authority [{options.ca_dn}] to [{written}], SHA-256 {made.fingerprint}.\n"
        "Keep it: whoever has its key can make certificates that your nodes trust."
    )


def _cert(options: argparse.Namespace) -> str:
    authority = authority_of(options)
    instances = instances_of(options)
    bundled = options.pem or options.multiple or options.instances is not None
    out = options.out or ("certificate-bundle.zip" if bundled else "sealane-certificates.p12")
    password = password_of(options.password, "for the keys", stores=not options.pem)
    files: dict[str, bytes] = {}
    for each in instances:
        made = issue(
            authority,
            Subject(name=each.subject, dns=each.dns, ips=each.ips),
            now_ms=_now_ms(),
            days=options.days,
            key_bits=options.keysize,
        )
        files |= _files(each, made, password, pem=options.pem)
    if options.pem and authority is not None:
        files["ca/ca.crt"] = authority.certificate_pem()
    data = as_zip(files) if bundled else next(iter(files.values()))
    written = write_new(out, data)
    names = ", ".join(each.name for each in instances)
    return f"Wrote certificates for [{names}] to [{written}]."


def _files(
    each: Instance, made: Signed, password: Secret | None, *, pem: bool
) -> Mapping[str, bytes]:
    stem = f"{each.file_name}/{each.file_name}"
    if not pem:
        return {f"{stem}.p12": made.pkcs12(each.name, password)}
    return {f"{stem}.crt": made.certificate_pem(), f"{stem}.key": made.key_pem(password)}


def _csr(options: argparse.Namespace) -> str:
    password = password_of(options.password, "for the keys", stores=False)
    files: dict[str, bytes] = {}
    instances = instances_of(options)
    for each in instances:
        subject = Subject(name=each.subject, dns=each.dns, ips=each.ips)
        request, key = make_request(subject, key_bits=options.keysize)
        stem = f"{each.file_name}/{each.file_name}"
        files |= {f"{stem}.csr": request, f"{stem}.key": key_pem(key, password)}
    written = write_new(options.out or "csr-bundle.zip", as_zip(files))
    names = ", ".join(each.name for each in instances)
    return f"Wrote signing requests and keys for [{names}] to [{written}]."


def _now_ms() -> int:
    return SystemClock().now_ms()


_COMMANDS: Final[Mapping[str, Callable[[Any], str]]] = {
    "ca": _ca,
    "cert": _cert,
    "csr": _csr,
    "http": http,
}
