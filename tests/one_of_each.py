"""Of a complete table of cases, a few in which each kind of case is met. `make thorough` takes the whole table."""

import random
from collections.abc import Callable, Hashable, Iterable

from tests import THOROUGH


def one_of_each(cases: Iterable[tuple], *kinds: Callable[[tuple], Hashable]) -> list[tuple]:
    """`kinds` say what tells cases apart, such as door and move together: each value that one of them has is met at least once.

    The same few in every run. They are spread over the table, so that what is in no kind, such as who acts, differs from case to case.
    """
    cases = list(cases)
    if THOROUGH:
        return cases
    random.Random(len(cases)).shuffle(cases)
    chosen, met = [], set()
    for least in range(len(kinds), 0, -1):  # those that are new in several ways first: fewer are needed then
        for case in cases:
            new = {(n, kind(case)) for n, kind in enumerate(kinds)} - met
            if len(new) >= least:
                chosen.append(case)
                met |= new
    return chosen
