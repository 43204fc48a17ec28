"""The rows that a validator holds a token by, as PostgreSQL sends them in its fastest form."""

COPY = """COPY (
SELECT s.digest, t.token_id, t.company_id, t.member_id, t.kind, t.channels, t.deactivated_at, t.suspended,
       t.suspended_until, t.not_before, t.expires_at, s.expires_at, t.external_id, t.permissions, t.allowed_domains,
       t.allowed_ips
  FROM latchkey.token_secret s JOIN latchkey.token t USING (token_id)) TO STDOUT (FORMAT binary)"""
