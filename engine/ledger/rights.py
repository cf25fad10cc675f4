"""Whether a house's Postgres role may do more than it needs: be mighty, become somebody else, or go elsewhere."""

from typing import Final

from engine.ledger.ledger import Ledger

MIGHTY: Final = {
    "rolsuper": ("is a superuser", "NOSUPERUSER"),
    "rolcreatedb": ("may create databases", "NOCREATEDB"),
    "rolcreaterole": ("may create roles", "NOCREATEROLE"),
    "rolreplication": ("may replicate the whole server", "NOREPLICATION"),
    "rolbypassrls": ("may look past row security", "NOBYPASSRLS"),
}
ROLE: Final = f"SELECT rolname, {', '.join(MIGHTY)} FROM pg_roles WHERE rolname = current_user"  # noqa: S608 - our own
# The owner of a database is `pg_database_owner` in it, and that is as it should be.
OTHERS: Final = (
    "SELECT rolname FROM pg_roles WHERE rolname NOT IN (current_user, 'pg_database_owner') "
    "AND pg_has_role(current_user, oid, 'MEMBER') ORDER BY rolname"
)
ELSEWHERE: Final = (
    "SELECT datname FROM pg_database WHERE datname <> current_database() AND datallowconn AND NOT datistemplate "
    "AND has_database_privilege(oid, 'CONNECT') ORDER BY datname"
)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


async def too_much_in_postgres(ledger: Ledger) -> list[str]:
    """What the house's role may do and does not need, each with what would mend it. Raises `LedgerUnavailable`."""
    async with ledger.connection() as connection:
        role = await connection.fetchrow(ROLE)
        # A superuser is everybody and may go everywhere: the rest would say nothing more.
        others = [] if role["rolsuper"] else [row["rolname"] for row in await connection.fetch(OTHERS)]
        databases = [] if role["rolsuper"] else [row["datname"] for row in await connection.fetch(ELSEWHERE)]
    name = role["rolname"]
    faults = [
        f"its Postgres role {name} {what}: ALTER ROLE {_quoted(name)} {mend}"
        for column, (what, mend) in MIGHTY.items()
        if role[column]
    ]
    faults += [
        f"its Postgres role {name} is a member of {other}: REVOKE {_quoted(other)} FROM {_quoted(name)}"
        for other in others
    ]
    return faults + [
        f"its Postgres role {name} may connect to the database {database}, which is not its own: "
        f"REVOKE CONNECT ON DATABASE {_quoted(database)} FROM PUBLIC, {_quoted(name)}"
        for database in databases
    ]
