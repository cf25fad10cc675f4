"""Which list of another house's draw this house has signed: the first that it was asked about, and no other."""

from alembic import op

revision = "0016"
down_revision = "0015"

SCHEMA = """
CREATE TABLE draw_statements (
  house     text NOT NULL,
  on_sale   text NOT NULL,
  line      text NOT NULL,
  planned_at timestamptz NOT NULL,
  list      text NOT NULL,
  signature text NOT NULL,
  at        timestamptz NOT NULL DEFAULT now(),
  PRIMARY KEY (house, on_sale, line, planned_at)
);
"""


def upgrade() -> None:
    """Adds the table."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
