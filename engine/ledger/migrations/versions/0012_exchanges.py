"""Orders that somebody got for another: which, and how much of their total that has paid."""

from alembic import op

revision = "0012"
down_revision = "0011"

SCHEMA = """
ALTER TABLE orders ADD COLUMN instead_of uuid REFERENCES orders;
ALTER TABLE orders ADD COLUMN credit bigint NOT NULL DEFAULT 0 CHECK (credit BETWEEN 0 AND total);
CREATE INDEX exchanged_orders ON orders (instead_of) WHERE instead_of IS NOT NULL;
CREATE OR REPLACE VIEW returned_of_orders AS SELECT order_id, sum(price + fee)::bigint AS returned FROM order_items
  JOIN orders USING (order_id) WHERE NOT live AND state <> 'conflicted' GROUP BY order_id;
"""


def upgrade() -> None:
    """Adds the columns, and lets what was exchanged count as given back."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
