#!/usr/bin/env bash
# soak.sh [MINUTES] [server|cluster]: mixed traffic under random faults for so long, by default 15 minutes; then everything that
# is stored is compared with what was acknowledged. On a server and on a cluster at once, or on one of them; on a cluster 1,000
# histories of concurrent clients are checked as well. The test script runs half a minute of it.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
minutes="${1:-15}"
if ! [[ "$minutes" =~ ^[1-9][0-9]*$ ]]; then
    echo "soak.sh: MINUTES must be a whole number, at least 1" >&2
    exit 2
fi
case "${2:-}" in
"") tests=(soak:: histories_on_a_cluster) ;;
server) tests=(soak::mixed_traffic_under_faults) ;;
cluster) tests=(soak::mixed_traffic_on_a_cluster histories_on_a_cluster) ;;
*)
    echo "soak.sh: $2 is neither server nor cluster" >&2
    exit 2
    ;;
esac
./scripts/ensure-redis.sh
export MUTATOR_SOAK_SECONDS=$((minutes * 60)) MUTATOR_CLUSTER_HISTORIES="${MUTATOR_CLUSTER_HISTORIES:-1000}"
cargo test --quiet --locked --package mutator-governance-tests --test chaos -- "${tests[@]}" --nocapture
