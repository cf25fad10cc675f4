"""What became of every seat, in the order of the stream: written once, and never changed."""

from alembic import op

revision = "0008"
down_revision = "0007"

SCHEMA = """
-- An entry of the outbox each. `changes`: msgpack of [[block, offset, count, letter, ...], [area, open, sold, ...]].
CREATE TABLE seat_history (
  performance  text NOT NULL,
  entry_ms     bigint NOT NULL,
  entry_number bigint NOT NULL,
  plan_change  integer NOT NULL,
  sequence     bigint NOT NULL,
  epoch        bigint NOT NULL,
  at_ms        bigint NOT NULL,
  verb         text NOT NULL,
  who          text NOT NULL,
  hold         text NOT NULL,
  changes      bytea NOT NULL,
  PRIMARY KEY (performance, entry_ms, entry_number)
);

-- Only who forgets what is old enough may delete, and says so for its own transaction.
CREATE FUNCTION keep_seat_history() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF TG_OP = 'DELETE' AND current_setting('parvis.forgets_history', true) = 'on' THEN
    RETURN NULL;
  END IF;
  RAISE EXCEPTION 'the history of seats is only ever added to' USING ERRCODE = 'restrict_violation';
END
$$;
CREATE TRIGGER keep_seat_history BEFORE UPDATE OR DELETE OR TRUNCATE ON seat_history
  FOR EACH STATEMENT EXECUTE FUNCTION keep_seat_history();
"""


def upgrade() -> None:
    """Creates the table and what keeps it."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
