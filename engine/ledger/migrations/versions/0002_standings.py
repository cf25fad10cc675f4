"""Where each on-sale stands, for a Redis that lost it; and payments by their reference."""

from alembic import op

revision = "0002"
down_revision = "0001"

SCHEMA = """
CREATE TABLE standings (
  on_sale text PRIMARY KEY,
  fields  jsonb NOT NULL,
  kept_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX payments ON orders (provider, reference);
"""


def upgrade() -> None:
    """Creates the table and the index."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
