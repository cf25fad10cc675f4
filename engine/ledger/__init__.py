"""The Postgres side of a house: its catalogue, its recorded orders, the cursor of its outbox. The only asyncpg."""
