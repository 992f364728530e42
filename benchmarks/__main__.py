"""Runs the measurements: `make bench`, or `make bench ARGS="--sizes 1000 10000"`. Each line is one figure."""

import argparse

from benchmarks import changes, exporting, importing, needs, reading

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument(
    "--sizes", type=int, nargs="+", default=[1_000, 10_000], help="how many needs and projects (default %(default)s)"
)
parser.add_argument(
    "--activities", type=int, default=300, help="how many IATI activities to import (default %(default)s)"
)
parser.add_argument("--runs", type=int, default=7, help="of which the median is told (default %(default)s)")
parser.add_argument("--needs-only", action="store_true", help="leave projects and imports out")
parser.add_argument("--changes-only", action="store_true", help="only what the change feed costs whoever writes")
arguments = parser.parse_args()
changes.measure(min(arguments.sizes), arguments.runs)
if arguments.changes_only:
    raise SystemExit
needs.measure(arguments.sizes, arguments.runs)
if arguments.needs_only:
    raise SystemExit
reading.measure(arguments.sizes, arguments.runs)
importing.measure(arguments.activities)
exporting.measure(max(arguments.sizes))
