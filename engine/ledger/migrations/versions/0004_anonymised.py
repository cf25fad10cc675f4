"""When an order's customer was taken out of it."""

from alembic import op

revision = "0004"
down_revision = "0003"

SCHEMA = "ALTER TABLE orders ADD COLUMN anonymised_at timestamptz"


def upgrade() -> None:
    """Adds the column."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
