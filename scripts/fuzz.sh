#!/bin/sh
# Fuzzes for some seconds each: scripts/fuzz.sh [seconds] [target]. Needs a nightly toolchain and cargo-fuzz.
set -eu
cd "$(dirname "$0")/.."
seconds="${1:-60}"
targets="${2:-$(cd fuzz/fuzz_targets && ls *.rs | sed 's/\.rs$//')}"
cargo +nightly fuzz --version >/dev/null 2>&1 || {
    echo "scripts/fuzz.sh needs: rustup toolchain install nightly && cargo install cargo-fuzz --locked" >&2
    exit 1
}
vectors="tests/fixtures/stored_format/v1 tests/fixtures/stored_format/v2"
for target in $targets; do
    mkdir -p "fuzz/corpus/$target"
    # The golden vectors are seeds; what is found goes into the first folder only.
    cargo +nightly fuzz run "$target" "fuzz/corpus/$target" $vectors -- \
        -max_total_time="$seconds" -max_len=16384 -rss_limit_mb=1024 -print_final_stats=1
done
