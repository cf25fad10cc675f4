#!/bin/sh
# Makes the passwords of the houses named, where there are none yet: sh deploy/new-secrets.sh zeewind klinker
# They lie in deploy/secrets/, readable by you alone; each service gets the file with what it needs and no more.
set -eu
umask 077
folder="$(dirname "$0")/secrets"
mkdir -p "$folder"

new_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

[ -e "$folder/postgres.env" ] || printf 'POSTGRES_PASSWORD=%s\n' "$(new_password)" > "$folder/postgres.env"
touch "$folder/parvis.env"
for slug in "$@"; do
    if [ ! -e "$folder/redis-$slug.env" ]; then
        owner="$(new_password)"
        name="$(printf '%s' "$slug" | tr 'a-z-' 'A-Z_')"
        printf 'REDIS_OWNER_PASSWORD=%s\n' "$owner" > "$folder/redis-$slug.env"
        {
            printf '%s_REDIS_OWNER_PASSWORD=%s\n' "$name" "$owner"
            printf '%s_REDIS_PASSWORD=%s\n' "$name" "$(new_password)"
            printf '%s_POSTGRES_PASSWORD=%s\n' "$name" "$(new_password)"
        } >> "$folder/parvis.env"
    fi
done
