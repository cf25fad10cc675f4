"""How fast an on-sale was joined, what was counted of it by the end of each minute, whose place a secret's hash is.

The index is built while entrants are recorded on: a writer that is at work waits for nothing. What was cut off half way
begins again.
"""

from alembic import op

revision = "0013"
down_revision = "0012"

SCHEMA = """
ALTER TABLE standings ADD COLUMN IF NOT EXISTS joins_a_second double precision NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN IF NOT EXISTS overshoot bigint NOT NULL DEFAULT 0;
CREATE TABLE IF NOT EXISTS curves (
  on_sale  text NOT NULL,
  minute   timestamptz NOT NULL,
  joined   bigint NOT NULL,
  called   bigint NOT NULL,
  admitted bigint NOT NULL,
  missed   bigint NOT NULL,
  orders   bigint NOT NULL,
  PRIMARY KEY (on_sale, minute)
);
"""
CUT_OFF = "SELECT true FROM pg_index WHERE indexrelid = to_regclass('entrants_by_secret') AND NOT indisvalid"
FORGET = "DROP INDEX CONCURRENTLY entrants_by_secret"
INDEX = "CREATE INDEX CONCURRENTLY IF NOT EXISTS entrants_by_secret ON entrants USING hash (secret_hash)"


def upgrade() -> None:
    """Adds the columns and the index."""
    op.execute(SCHEMA)
    with op.get_context().autocommit_block():
        if op.get_bind().exec_driver_sql(CUT_OFF).scalar():
            op.execute(FORGET)
        op.execute(INDEX)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
