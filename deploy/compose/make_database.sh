#!/usr/bin/env bash
# Run once by the image of PostgreSQL, when it has made its cluster: Latchkey's database, and its owner, who is no superuser, so
# that row-level security binds it.
set -euo pipefail

psql -X -q -v ON_ERROR_STOP=1 --username "${POSTGRES_USER:-postgres}" --dbname postgres \
    -v password="$(</run/secrets/database-password)" <<'END'
CREATE ROLE latchkey LOGIN NOSUPERUSER CREATEROLE PASSWORD :'password';
CREATE DATABASE latchkey OWNER latchkey;
END
