#!/usr/bin/env bash
# soak.sh MINUTES: mixed traffic under random faults for so long, by default 15 minutes; then everything that is
# stored is compared with what was acknowledged. The test script runs half a minute of it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
minutes="${1:-15}"
if ! [[ "$minutes" =~ ^[1-9][0-9]*$ ]]; then
    echo "soak.sh: MINUTES must be a whole number, at least 1" >&2
    exit 2
fi
./scripts/ensure-redis.sh
MUTATOR_SOAK_SECONDS=$((minutes * 60)) cargo test --quiet --locked --package mutator-governance-tests --test chaos \
    soak:: -- --nocapture
