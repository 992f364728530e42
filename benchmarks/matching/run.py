"""Ranks a collection of documents for a collection of needs: `python benchmarks/matching/run.py --help` (see ranking.py)."""

import sys
from pathlib import Path


def main() -> None:
    sys.path.insert(0, str(Path(__file__).resolve().parents[2]))  # called by its path, it finds the portal
    from benchmarks.matching.ranking import main as rank

    rank()


if __name__ == "__main__":
    main()
