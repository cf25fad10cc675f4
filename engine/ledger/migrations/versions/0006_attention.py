"""Who has seen an alarm, and when money went back."""

from alembic import op

revision = "0006"
down_revision = "0005"

SCHEMA = """
ALTER TABLE alarms ADD COLUMN seen_at timestamptz, ADD COLUMN seen_by text;
CREATE INDEX unseen_alarms ON alarms (id) WHERE seen_at IS NULL;
ALTER TABLE unclaimed_payments ADD COLUMN refunded_at timestamptz;
"""


def upgrade() -> None:
    """Adds the columns."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
