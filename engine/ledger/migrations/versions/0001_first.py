"""The ledger as it starts.

A house has a database of its own, so no table names a house: there is no WHERE to forget.
"""

from alembic import op

revision = "0001"
down_revision = None

SCHEMA = """
CREATE TABLE orders (
  order_id    uuid PRIMARY KEY,
  on_sale     text NOT NULL,
  owner       text NOT NULL,
  state       text NOT NULL CHECK (state IN ('recorded', 'refunded', 'conflicted', 'exchanged')),
  total       bigint NOT NULL CHECK (total >= 0),
  currency    text NOT NULL,
  channel     text NOT NULL,
  email       text NOT NULL DEFAULT '',
  name        text NOT NULL DEFAULT '',
  phone       text NOT NULL DEFAULT '',
  language    text NOT NULL DEFAULT '',
  provider    text NOT NULL DEFAULT '',
  reference   text NOT NULL DEFAULT '',
  payload     bytea NOT NULL,
  entry       text NOT NULL,
  recorded_at timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE order_items (
  order_id    uuid NOT NULL REFERENCES orders,
  item        integer NOT NULL,
  performance text NOT NULL,
  seat        text,
  area        text,
  category    text NOT NULL,
  price_type  text NOT NULL,
  price       bigint NOT NULL CHECK (price >= 0),
  fee         bigint NOT NULL CHECK (fee >= 0),
  live        boolean NOT NULL,
  PRIMARY KEY (order_id, item),
  CHECK ((seat IS NULL) <> (area IS NULL))
);

-- The last wall: whatever went wrong before, a seat has one live order line.
CREATE UNIQUE INDEX live_seats ON order_items (performance, seat) WHERE live AND seat IS NOT NULL;
CREATE INDEX live_places ON order_items (performance, area) WHERE live AND area IS NOT NULL;

CREATE TABLE refund_requests (
  order_id     uuid PRIMARY KEY REFERENCES orders,
  amount       bigint NOT NULL,
  currency     text NOT NULL,
  provider     text NOT NULL,
  reference    text NOT NULL,
  why          text NOT NULL,
  requested_at timestamptz NOT NULL DEFAULT now(),
  refunded_at  timestamptz
);

CREATE TABLE entrants (
  on_sale     text NOT NULL,
  line        text NOT NULL,
  index       bigint NOT NULL,
  secret_hash text NOT NULL,
  PRIMARY KEY (on_sale, line, index)
);

-- One row each: how far the outbox is recorded, and the last epoch of the cell.
CREATE TABLE cursor (is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), entry text NOT NULL);
INSERT INTO cursor (entry) VALUES ('0-0');
CREATE TABLE epoch (is_only boolean PRIMARY KEY DEFAULT true CHECK (is_only), number bigint NOT NULL);
INSERT INTO epoch (number) VALUES (0);

CREATE TABLE dead_letters (
  entry   text PRIMARY KEY,
  fields  jsonb NOT NULL,
  why     text NOT NULL,
  at      timestamptz NOT NULL DEFAULT now()
);

CREATE TABLE alarms (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  kind    text NOT NULL,
  detail  jsonb NOT NULL
);

CREATE TABLE documents (
  kind    text NOT NULL,
  id      text NOT NULL,
  body    bytea NOT NULL,
  version bigint NOT NULL DEFAULT 1,
  PRIMARY KEY (kind, id)
);

CREATE TABLE actions (
  id      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  at      timestamptz NOT NULL DEFAULT now(),
  who     text NOT NULL,
  what    text NOT NULL,
  subject text NOT NULL,
  why     text NOT NULL,
  detail  jsonb NOT NULL DEFAULT '{}',
  entry   text UNIQUE
);
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
