"""Orders that are returned in part: more than one refund of an order, and its items that came back."""

from alembic import op

revision = "0011"
down_revision = "0010"

SCHEMA = """
ALTER TABLE refund_requests DROP CONSTRAINT refund_requests_pkey;
ALTER TABLE refund_requests ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY;
CREATE INDEX refunds_of_orders ON refund_requests (order_id);
CREATE INDEX returned_items ON order_items (order_id) WHERE NOT live;
-- Minor units of what was given back of an order.
CREATE VIEW returned_of_orders AS SELECT order_id, sum(price + fee)::bigint AS returned FROM order_items
  JOIN orders USING (order_id) WHERE NOT live AND state IN ('recorded', 'refunded') GROUP BY order_id;
"""


def upgrade() -> None:
    """Changes the key and creates the indices."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
