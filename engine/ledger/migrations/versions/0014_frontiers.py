"""How far the tree over the entrants of each line is, and by which roots it is known."""

from alembic import op

revision = "0014"
down_revision = "0013"

SCHEMA = """
CREATE TABLE frontiers (
  on_sale text NOT NULL,
  line    text NOT NULL,
  leaves  bigint NOT NULL CHECK (leaves >= 0),
  roots   bytea NOT NULL,
  PRIMARY KEY (on_sale, line)
);
"""


def upgrade() -> None:
    """Adds the table; a tree that is not in it yet is made of the entrants."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
