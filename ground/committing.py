"""A commit that is on its way before what must follow it, and waited for afterwards.

Whoever writes down what is about to happen and then does it can die between the two. Waiting for the database in between
(its disk, its answer) is nearly all of that moment; here nothing is left of it but the step from one line to the next.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from django.db import DEFAULT_DB_ALIAS, OperationalError, connections
from psycopg.pq import ConnStatus

COMMIT = b"COMMIT"


@contextmanager
def commit_ahead(using: str = DEFAULT_DB_ALIAS) -> Iterator[None]:
    """Within a transaction: commits it. The body begins when the database has been told, before it has answered.

    Raises OperationalError after the body where the commit can't be relied upon. Nothing may be asked of this database
    in the body. Inside of another transaction it does nothing: the outer one decides.
    """
    connection = connections[using]
    if len(connection.atomic_blocks) > 1:
        yield
        return
    server = connection.connection.pgconn  # what it adds to libpq: https://www.psycopg.org/psycopg3/docs/api/pq.html
    server.send_query(COMMIT)
    try:
        yield
    finally:
        answer = server.get_result()
        while server.status == ConnStatus.OK and server.get_result():  # until it has nothing more to say
            pass
        if answer is None or answer.command_status != COMMIT:
            raise OperationalError("the answer to a commit was lost")
