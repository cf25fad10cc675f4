"""How fast an on-sale was joined, what is counted of it a minute, and whose place a secret's hash is."""

from alembic import op

revision = "0013"
down_revision = "0012"

SCHEMA = """
ALTER TABLE standings ADD COLUMN joins_a_second double precision NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN curve jsonb NOT NULL DEFAULT '{}';
CREATE INDEX entrants_by_secret ON entrants USING hash (secret_hash);
"""


def upgrade() -> None:
    """Adds the columns and the index."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
