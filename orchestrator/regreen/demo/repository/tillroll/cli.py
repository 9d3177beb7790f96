"""The command ``tillroll``."""

import argparse
import sys
from typing import Optional, Sequence

from tillroll import currency, shipping


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="tillroll", description="A small till.")
    parser.add_argument("--currency", default=None, help="currency code")
    commands = parser.add_subparsers(dest="command", required=True)
    total = commands.add_parser("total", help="add up prices")
    total.add_argument("prices", nargs="+")
    postage = commands.add_parser("postage", help="price of a parcel")
    postage.add_argument("weight_kg", type=float)
    return parser


def main(arguments: Optional[Sequence[str]] = None) -> int:
    """Run the command and return its exit code."""
    options = _parser().parse_args(arguments)
    code = options.currency or currency.default()
    try:
        if options.command == "total":
            amount = sum(currency.parse(price, code) for price in options.prices)
        else:
            amount = shipping.postage(options.weight_kg)
    except ValueError as error:
        print(f"tillroll: {error}", file=sys.stderr)
        return 1
    print(currency.format_amount(amount, code))
    return 0


if __name__ == "__main__":
    sys.exit(main())
