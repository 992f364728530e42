"""The migrations, without that Django renders half of all models again after each single operation of them.

Of neighbouring operations that do not touch the same thing, all are told to the state first, then all to the database.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db.migrations import operations as op
from django.db.migrations.migration import Migration
from django.db.migrations.operations.base import Operation

MAKE = (op.CreateModel,)
CHANGE = (op.AddField, op.AlterField, op.AddIndex, op.AddConstraint, op.RemoveConstraint)


def _runs(operations: list[Operation]) -> Iterator[list[Operation]]:
    run, kind, touched = [], None, set()
    for operation in operations:
        own = next((kind for kind in (MAKE, CHANGE) if type(operation) in kind), None)
        touches = (type(operation), getattr(operation, "model_name", ""), getattr(operation, "name", None))
        if run and (own is None or own is not kind or touches in touched):
            yield run
            run, touched = [], set()
        run, kind, touched = [*run, operation], own, {*touched, touches}
    if run:
        yield run


def _apply(migration: Migration, state, editor, collect_sql=False):
    for run in _runs(migration.operations):
        before = state.clone()
        if len(run) > 1:
            state.__dict__.pop("apps", None)  # rendered once, when it is asked for
        for operation in run:
            operation.state_forwards(migration.app_label, state)
        for operation in run:
            operation.database_forwards(migration.app_label, editor, before, state)
    return state


@contextmanager
def quick_migrations() -> Iterator[None]:
    usual, Migration.apply = Migration.apply, _apply
    try:
        yield
    finally:
        Migration.apply = usual
