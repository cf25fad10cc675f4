"""Who has a place, where each person has one: a MAC under the house's key, nothing that could be read."""

from alembic import op

revision = "0015"
down_revision = "0014"

SCHEMA = """
CREATE TABLE persons (
    on_sale text NOT NULL,
    person text NOT NULL,
    index bigint NOT NULL,
    PRIMARY KEY (on_sale, person)
);
"""


def upgrade() -> None:
    """Makes the table."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
