"""How fast an on-sale was joined, what was counted of it by the end of each minute, whose place a secret's hash is."""

from alembic import op

revision = "0013"
down_revision = "0012"

SCHEMA = """
ALTER TABLE standings ADD COLUMN joins_a_second double precision NOT NULL DEFAULT 0;
ALTER TABLE standings ADD COLUMN overshoot bigint NOT NULL DEFAULT 0;
CREATE TABLE curves (
  on_sale  text NOT NULL,
  minute   timestamptz NOT NULL,
  joined   bigint NOT NULL,
  called   bigint NOT NULL,
  admitted bigint NOT NULL,
  missed   bigint NOT NULL,
  orders   bigint NOT NULL,
  PRIMARY KEY (on_sale, minute)
);
CREATE INDEX entrants_by_secret ON entrants USING hash (secret_hash);
"""


def upgrade() -> None:
    """Adds the columns and the index."""
    op.execute(SCHEMA)


def downgrade() -> None:
    """A ledger is never taken down."""
    raise NotImplementedError("a ledger is never taken down")
