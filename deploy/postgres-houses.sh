#!/bin/sh
# Runs once, when the server's data folder is made: a database and a login role for each house of PARVIS_HOUSES,
# with the password of <HOUSE>_POSTGRES_PASSWORD. Run by hand, it adds a house later and leaves the others alone.
set -eu

sql() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" "$@"; }

# Postgres lets every role into every database until told otherwise.
sql --dbname postgres --command 'REVOKE CONNECT ON DATABASE postgres FROM PUBLIC'
sql --dbname postgres --command 'REVOKE CONNECT ON DATABASE template1 FROM PUBLIC'

for slug in $PARVIS_HOUSES; do
    variable="$(printf '%s' "$slug" | tr 'a-z-' 'A-Z_')_POSTGRES_PASSWORD"
    name="house_$(printf '%s' "$slug" | tr '-' '_')"
    HOUSE_PASSWORD="$(printenv "$variable")"
    export HOUSE_PASSWORD
    sql --dbname postgres --set name="$name" <<'SQL'
\getenv password HOUSE_PASSWORD
SELECT format('CREATE ROLE %I LOGIN', :'name') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'name') \gexec
ALTER ROLE :"name" PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER %I', :'name', :'name')
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'name') \gexec
REVOKE CONNECT ON DATABASE :"name" FROM PUBLIC;
SQL
done
