"""What `sealane certutil` reads and writes: authorities, lists of nodes, passwords, new files."""

import argparse
import datetime as dt
import io
import os
import re
import sys
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml

from sealane.cli.certutil_options import ASK
from sealane.cli.terminal import ask_secret
from sealane.clock import SystemClock
from sealane.errors import IllegalArgument
from sealane.model.security import Secret
from sealane.security.stores.certificates import (
    Signed,
    common_name,
    read_authority,
    read_authority_store,
)

_FILE_MAX_BYTES: Final = 8 * 1024 * 1024
_FILE_NAME: Final = re.compile(r"[A-Za-z0-9_@.-]{1,200}")
_INSTANCES_MAX: Final = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Instance:
    """One node that gets a certificate."""

    name: str
    file_name: str
    subject: str
    """Its distinguished name."""
    dns: tuple[str, ...]
    ips: tuple[str, ...]


def write_new(path: Path | str, data: bytes) -> Path:
    """Writes a file that only its owner may read. Raises IllegalArgument where there is one."""
    path = Path(path).expanduser()
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise IllegalArgument(
            f"[{path}] exists already: name another file with --out, or move it away"
        ) from None
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
    except OSError:
        path.unlink()
        raise
    return path


def as_zip(files: Mapping[str, bytes]) -> bytes:
    """An archive whose files only their owner may read."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for folder in dict.fromkeys(name.partition("/")[0] for name in files if "/" in name):
            archive.writestr(_entry(f"{folder}/", 0o40700), b"")
        for name, data in files.items():
            archive.writestr(_entry(name, 0o100600), data)
    return packed.getvalue()


def _entry(name: str, mode: int) -> zipfile.ZipInfo:
    made = dt.datetime.fromtimestamp(SystemClock().now_ms() // 1000)
    entry = zipfile.ZipInfo(name, made.timetuple()[:6])
    entry.external_attr = mode << 16
    entry.compress_type = zipfile.ZIP_DEFLATED
    return entry


def password_of(given: Any, what: str, *, stores: bool) -> Secret | None:
    """The one of the command line, or asked for; None for none. A PKCS#12 file asks for one at a
    terminal by itself. Raises IllegalArgument, NoAnswerError.
    """
    if isinstance(given, str):
        return Secret(given) if given else None
    terminal = sys.stdin.isatty()
    if given is not ASK and not (stores and terminal):
        return None
    password = ask_secret(f"Password {what}, empty for none: ")
    if terminal and password.reveal() and ask_secret("Enter same password again: ") != password:
        raise IllegalArgument("the passwords differ")
    return password if password.reveal() else None


def authority_of(options: argparse.Namespace) -> Signed | None:
    """The authority that the options name; None for a certificate that signs itself.

    Raises IllegalArgument, NoAnswerError, OSError.
    """
    given = options.ca_pass
    if given is ASK:
        password: Secret | None = ask_secret("Password of the authority's key: ")
    else:
        password = Secret(given) if given else None
    if (options.ca_cert is None) != (options.ca_key is None):
        raise IllegalArgument("--ca-cert and --ca-key belong together")
    if options.ca is not None and options.ca_cert is not None:
        raise IllegalArgument("give either --ca or --ca-cert with --ca-key")
    self_signed = getattr(options, "self_signed", False)
    if self_signed and (options.ca is not None or options.ca_cert is not None):
        raise IllegalArgument("--self-signed is without an authority: leave --ca and --ca-cert out")
    if options.ca is not None:
        return read_authority_store(read_limited(options.ca), password)
    if options.ca_cert is not None:
        return read_authority(read_limited(options.ca_cert), read_limited(options.ca_key), password)
    if self_signed or not hasattr(options, "self_signed"):
        return None
    raise IllegalArgument("must specify either --ca, or --ca-cert with --ca-key, or --self-signed")


def read_limited(path: Path) -> bytes:
    """Raises OSError; IllegalArgument for a file that is too large to be meant."""
    with path.expanduser().open("rb") as file:
        data = file.read(_FILE_MAX_BYTES + 1)
    if len(data) > _FILE_MAX_BYTES:
        raise IllegalArgument(f"[{path}] is larger than 8mb")
    return data


def split(values: Iterable[str]) -> tuple[str, ...]:
    """`--dns a,b --dns c`: all of them."""
    return tuple(name.strip() for each in values for name in each.split(",") if name.strip())


def instances_of(options: argparse.Namespace) -> Sequence[Instance]:
    """Those of `--in`, else the one of `--name`. Raises IllegalArgument, OSError."""
    if options.instances is None:
        name = options.name or "instance"
        given = {"dns": list(split(options.dns)), "ip": list(split(options.ip))}
        return [_instance({"name": name, **given})]
    if options.name or options.dns or options.ip:
        raise IllegalArgument("--in says name, dns and ip of each node: leave those options out")
    try:
        data = yaml.safe_load(read_limited(options.instances))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        problem = getattr(error, "problem", None) or "it cannot be read"
        raise IllegalArgument(f"[{options.instances}] is not valid YAML: {problem}") from error
    listed = data.get("instances") if isinstance(data, dict) else None
    if not isinstance(listed, list) or not listed or len(listed) > _INSTANCES_MAX:
        raise IllegalArgument(
            f"[{options.instances}] must hold a list [instances] of [name], [dns] and [ip]"
        )
    found = [_instance(each) for each in listed]
    names = [each.file_name for each in found]
    twice = sorted({each for each in names if names.count(each) > 1})
    if twice:
        raise IllegalArgument(f"[{options.instances}] names [{', '.join(twice)}] twice")
    return found


def _instance(data: Any) -> Instance:
    if not isinstance(data, dict) or not isinstance(data.get("name"), str) or not data["name"]:
        raise IllegalArgument("each of [instances] must have a [name]")
    name = data["name"]
    unknown = sorted(map(str, set(data) - {"name", "cn", "filename", "dns", "ip"}))
    if unknown:
        raise IllegalArgument(f"instance [{name}] has unknown members [{', '.join(unknown)}]")
    file_name = data.get("filename", name)
    if not isinstance(file_name, str) or not _FILE_NAME.fullmatch(file_name) or file_name[0] == ".":
        raise IllegalArgument(
            f"[{file_name}] cannot be the name of a file: give instance [{name}] a [filename] of "
            "letters, digits and [_@.-]"
        )
    given = data.get("cn", name)
    subject = given if isinstance(given, str) and "=" in given else common_name(str(given))
    return Instance(
        name=name,
        file_name=file_name,
        subject=subject,
        dns=_texts(data.get("dns"), name, "dns"),
        ips=_texts(data.get("ip"), name, "ip"),
    )


def _texts(value: Any, name: str, member: str) -> tuple[str, ...]:
    if value is None:
        return ()
    found = value if isinstance(value, list) else [value]
    if not all(isinstance(each, str) for each in found):
        raise IllegalArgument(f"[{member}] of instance [{name}] must be a list of texts")
    return tuple(found)
