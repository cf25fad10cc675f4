"""What of an item's price and fee is VAT, and the code that it used up."""

from alembic import op

revision = "0009"
down_revision = "0008"

SCHEMA = """
-- vat_rate: basis points; 0 for what was sold before. code: its id, what was typed stands nowhere.
ALTER TABLE order_items
  ADD COLUMN vat_rate integer NOT NULL DEFAULT 0 CHECK (vat_rate >= 0),
  ADD COLUMN vat      bigint  NOT NULL DEFAULT 0 CHECK (vat BETWEEN 0 AND price + fee),
  ADD COLUMN code     text    NOT NULL DEFAULT '';
CREATE INDEX live_codes ON order_items (code) WHERE live AND code <> '';
"""


def upgrade() -> None:
    """Adds the columns."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
