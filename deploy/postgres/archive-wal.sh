#!/usr/bin/env bash
# archive-wal.sh FROM TO: PostgreSQL's archive_command. The file is at TO whole, on the disk and never replaced, or not at all; asked
# again for the same file it succeeds, as PostgreSQL asks again after a crash.
set -euo pipefail

from=$1 to=$2 part=$2.$$.part

if [[ -e $to ]]; then
    cmp -s "$from" "$to"
else
    trap 'rm -f "$part"' EXIT
    cp "$from" "$part"
    sync "$part"
    ln "$part" "$to"
fi
sync "$(dirname "$to")" # also of one who was ended before he came to it
