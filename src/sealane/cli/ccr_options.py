"""The options of `sealane ccr`, apart from what they need when they are used."""

import argparse
from typing import Final

from sealane.cli.remote_options import DEFAULT_URL, add_login_options

INTERVAL_S: Final = 1.0


def add_ccr_options(parser: argparse.ArgumentParser) -> None:
    """The options of `sealane ccr`."""
    commands = parser.add_subparsers(dest="ccr_command", required=True, metavar="command")
    listed = commands.add_parser(
        "list",
        help="show the followers of a node's cluster: status, lag, copy, errors",
        description="One line a follower. Exit code 0: all is well, 1: one has failed or the node cannot be asked, "
        "2: wrong usage.",
    )
    watched = commands.add_parser("watch", help="the same, live, until Ctrl-C")
    for each in (listed, watched):
        each.add_argument(
            "index",
            nargs="?",
            default="_all",
            metavar="EXPRESSION",
            help="names and patterns with commas between them; all when left out",
        )
    watched.add_argument(
        "--interval",
        type=_seconds,
        default=INTERVAL_S,
        metavar="SECONDS",
        help=f"between two looks, default {INTERVAL_S:g}",
    )
    verified = commands.add_parser(
        "verify",
        help="compare a follower with its leader, document by document",
        description="Exit code 0: both hold the same, 1: they do not, or it could not be told, 2: wrong usage.",
    )
    verified.add_argument("index", metavar="FOLLOWER")
    for each in (listed, verified):
        each.add_argument("--json", action="store_true", help="print the answer as JSON")
    for each in (listed, watched, verified):
        each.add_argument(
            "--url", default=DEFAULT_URL, help=f"the node to ask, default {DEFAULT_URL}"
        )
        add_login_options(each)


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0.0
    if not 0.1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError(f"must be between 0.1 and 3600, found {text}")
    return seconds
