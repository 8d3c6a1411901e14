"""The command line: which command, with which options. Each command's module is imported when it is chosen."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from sealane import __version__
from sealane.cli.ccr_options import add_ccr_options
from sealane.cli.certutil_options import add_certutil_options
from sealane.cli.keystore_options import add_keystore_options, add_reset_password_options
from sealane.cli.remote_options import add_remote_options


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; returns its exit code. Wrong usage exits with 2 and a line that says what is wrong."""
    parsed = _parser().parse_args(arguments)
    if parsed.command == "demo":
        from sealane.cli.demo import demo

        return demo(once=parsed.once)
    if parsed.command == "certutil":
        from sealane.cli.certutil import certutil

        return certutil(parsed)
    if parsed.command == "keystore":
        from sealane.cli.keystore import keystore

        return keystore(parsed)
    if parsed.command == "reset-password":
        from sealane.cli.reset_password import reset_password

        return reset_password(parsed)
    if parsed.command == "remote":
        from sealane.cli.remote import remote

        return remote(parsed)
    if parsed.command == "ccr":
        from sealane.cli.ccr import ccr

        return ccr(parsed)
    from sealane.cli.start import start

    return start(config=parsed.config, overrides=parsed.setting)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="sealane",
        description="Joins separate search clusters behind Elasticsearch's REST API.",
    )
    parser.add_argument("--version", action="version", version=f"sealane {__version__}")
    commands = parser.add_subparsers(dest="command", required=True, metavar="command")
    start = commands.add_parser(
        "start",
        help="run a node in the foreground",
        description="Runs a node until SIGTERM or Ctrl-C. Its first line on stdout is a JSON object with the "
        "addresses it listens on; the log goes to stderr.",
    )
    start.add_argument("--config", type=Path, metavar="FILE", help="sealane.yml to read")
    start.add_argument(
        "-E",
        dest="setting",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="a setting, over the file's; may be repeated. Port 0 picks a free one",
    )
    demo = commands.add_parser(
        "demo",
        help="two secured clusters, real data, one search over both, one index that follows the other",
        description="Starts the clusters europe and americas with security, loads the world's cities into them, makes "
        "americas a remote of europe by an API key, and searches both at once. Then europe follows the cities of "
        "americas, whose node is killed and started again while it is written to. Exit code 0: nothing was lost.",
    )
    remote = commands.add_parser("remote", help="test a remote cluster, or show those of a node")
    add_remote_options(remote)
    replication = commands.add_parser("ccr", help="show which indices follow others, and how well")
    add_ccr_options(replication)
    certificates = commands.add_parser("certutil", help="make certificates for nodes and clients")
    add_certutil_options(certificates)
    keystore = commands.add_parser("keystore", help="keep secrets that no file should hold")
    add_keystore_options(keystore)
    reset = commands.add_parser("reset-password", help="set the password of a user of a node")
    add_reset_password_options(reset)
    demo.add_argument(
        "--once", action="store_true", help="exit at the end, with 1 where something was lost"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
