"""Dead letters that were recorded after all; and whether one could be kept just as it came."""

from alembic import op

revision = "0005"
down_revision = "0004"

SCHEMA = """
ALTER TABLE dead_letters ADD COLUMN is_whole boolean NOT NULL DEFAULT true;
ALTER TABLE dead_letters ADD COLUMN requeued_at timestamptz;
"""


def upgrade() -> None:
    """Adds the columns."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
