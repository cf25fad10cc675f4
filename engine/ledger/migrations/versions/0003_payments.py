"""Orders that wait for their payment and payments that wait for their order; how far a cell was, and its recoveries."""

from alembic import op

revision = "0003"
down_revision = "0002"

SCHEMA = """
-- Orders whose payment is under way: Redis forgets them after a day, or all at once.
CREATE TABLE awaited_orders (
  order_id  uuid PRIMARY KEY,
  provider  text NOT NULL,
  reference text NOT NULL,
  data      bytea NOT NULL,
  entry     text NOT NULL,
  at        timestamptz NOT NULL DEFAULT now()
);
CREATE INDEX awaited_payments ON awaited_orders (provider, reference);

-- Payments that a provider told of and no order has named: the order may be on its way, or never come.
CREATE TABLE unclaimed_payments (
  provider            text NOT NULL,
  reference           text NOT NULL,
  told_at             timestamptz NOT NULL DEFAULT now(),
  refund_requested_at timestamptz,
  PRIMARY KEY (provider, reference)
);

-- One row: how far the cell's Redis was when it was last looked at, to tell what a loss has cost.
CREATE TABLE cell_standing (
  is_only  boolean PRIMARY KEY DEFAULT true CHECK (is_only),
  sequence bigint NOT NULL,
  orders   bigint NOT NULL,
  holds    bigint NOT NULL,
  at       timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE recoveries (
  epoch  bigint PRIMARY KEY,
  at     timestamptz NOT NULL DEFAULT now(),
  detail jsonb NOT NULL
);
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
