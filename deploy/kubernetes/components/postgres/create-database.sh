#!/bin/bash
# Run once, by the image's entrypoint when the volume is new: the servers' user is no superuser.
set -euo pipefail
psql --username "$POSTGRES_USER" -v ON_ERROR_STOP=1 -v password="$(cat /run/secrets/postgres/password)" <<'SQL'
CREATE ROLE latchkey LOGIN CREATEROLE PASSWORD :'password';
CREATE DATABASE latchkey OWNER latchkey;
SQL
