"""Where a house wants to be told of its sales, what there is to tell, and what became of that."""

from alembic import op

revision = "0007"
down_revision = "0006"

SCHEMA = """
-- No secret stands here: it is derived from the house's own key, the endpoint's id and the number.
CREATE TABLE webhooks (
  webhook         text PRIMARY KEY,
  url             text NOT NULL,
  types           text[] NOT NULL,
  description     text NOT NULL,
  secret_number   integer NOT NULL DEFAULT 1,
  previous_number integer,
  previous_until  timestamptz,
  created_at      timestamptz NOT NULL DEFAULT now(),
  disabled_at     timestamptz,
  disabled_why    text NOT NULL DEFAULT '',
  failures        integer NOT NULL DEFAULT 0,
  failing_since   timestamptz,
  rest_until      timestamptz
);

-- An event for an endpoint. It names no foreign key: whoever records orders waits for nobody who removes an endpoint.
CREATE TABLE webhook_deliveries (
  webhook  text NOT NULL,
  event    text NOT NULL,
  number   bigint GENERATED ALWAYS AS IDENTITY,
  type     text NOT NULL,
  subject  text NOT NULL,
  body     text NOT NULL,
  state    text NOT NULL DEFAULT 'waiting' CHECK (state IN ('waiting', 'delivered', 'given_up')),
  made_at  timestamptz NOT NULL,
  due_at   timestamptz NOT NULL,
  attempts integer NOT NULL DEFAULT 0,
  tried_at timestamptz,
  status   integer,
  error    text NOT NULL DEFAULT '',
  PRIMARY KEY (webhook, event)
);
CREATE INDEX due_deliveries ON webhook_deliveries (webhook, due_at, number) WHERE state = 'waiting';
CREATE INDEX latest_deliveries ON webhook_deliveries (webhook, number);

-- How many attempts ended how, since ever.
CREATE TABLE webhook_outcomes (outcome text PRIMARY KEY, count bigint NOT NULL);

-- When an on-sale was seen to have opened, by its time or by a person: told once.
ALTER TABLE standings ADD COLUMN opened_at timestamptz;
"""


def upgrade() -> None:
    """Creates the tables."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
