"""From which allotment an item was sold: its share of standing places is known by that after a loss."""

from alembic import op

revision = "0010"
down_revision = "0009"

SCHEMA = """
-- allotment: its name within the performance; empty for what everybody could buy.
ALTER TABLE order_items ADD COLUMN allotment text NOT NULL DEFAULT '';
CREATE INDEX sold_of_allotments ON order_items (performance, allotment) WHERE live AND allotment <> '';
"""


def upgrade() -> None:
    """Adds the column."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
