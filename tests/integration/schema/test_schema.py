#!/usr/bin/env python3
"""Tests of the schema on a real PostgreSQL: applies common/db/schema to the empty database that
LATCHKEY_TEST_DATABASE_URL names (each *_cases.py through database.prepare), then runs every case against it."""

import sys
import unittest

import database

from change_commit_cases import ChangeCommit, ManyCompanies
from change_log_cases import Bulk, ChangeLog, ManyWriters
from loss_cases import LostMarks
from look_up_cases import Caller, CompanyList, SharedPrefixes, WhitelistHolders, WhitelistMatch
from migration_cases import Migrations
from row_level_security_cases import Bootstrap, RowLevelSecurity, Uniqueness
from validator_cases import Lease, Losses, Pruning

__all__ = ["Bootstrap", "Bulk", "Caller", "ChangeCommit", "ChangeLog", "CompanyList", "Lease", "Losses", "LostMarks", "ManyCompanies",
           "ManyWriters", "Migrations", "Pruning", "RowLevelSecurity", "SharedPrefixes", "Uniqueness", "WhitelistHolders", "WhitelistMatch"]


if __name__ == "__main__":
    if not database.URL:
        sys.exit("LATCHKEY_TEST_DATABASE_URL is not set: name an empty database whose owner may create roles")
    unittest.main()
