#!/usr/bin/env bash
# scripts/fuzz.sh [SECONDS [TARGET...]]: fuzzes each target so long, by default 60 seconds; MUTATOR_FUZZ_AT_ONCE=2 runs two
# targets at a time. What is found stays beside the build.
# scripts/fuzz.sh minimise [TARGET...]: takes over into fuzz/corpus what was found, as few inputs as cover all of it.
# Needs nightly Rust and cargo-fuzz.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."
work="${CARGO_TARGET_DIR:-$PWD/fuzz/target}/fuzzing"
found="$work/found"

# There is no unsafe code for a sanitizer to watch; without one the build is smaller and each run several times faster.
fuzz() {
    local subcommand="$1"
    shift
    cargo +nightly fuzz "$subcommand" --sanitizer none --target-dir "$work" "$@"
}

# set_up TARGET: the seeds and the greatest length of its inputs.
set_up() {
    seeds=()
    longest=1024
    case "$1" in
    decode_any | excerpt | round_trip)
        seeds=(tests/fixtures/stored_format/v*)
        longest=16384
        ;;
    esac
    mkdir -p "$found/$1"
}

# run SECONDS TARGET
run() {
    local log="$found/$2.log"
    set_up "$2"
    # New inputs go into the first folder.
    if ! fuzz run "$2" "$found/$2" "fuzz/corpus/$2" ${seeds[@]+"${seeds[@]}"} -- \
        -max_total_time="$1" -max_len="$longest" -rss_limit_mb=1024 -timeout=20 >"$log" 2>&1; then
        { grep -m 1 -A 3 ' panicked at ' "$log" || grep -v '^#' "$log" | tail -n 40; } >&2
        grep -E '^[[:space:]]*(cargo fuzz run|artifact_prefix=|Test unit written)' "$log" >&2 || true
        echo "fuzz.sh: $2 FAILED; keep the input in fuzz/regressions/$2" >&2
        return 1
    fi
    echo "$2: $(grep -E '^#[0-9]+[[:space:]]+DONE' "$log" | tr -s ' \t' ' ')"
}

# minimise TARGET
minimise() {
    local corpus="fuzz/corpus/$1" smaller="$found/$1.smaller" input size kept=0 total=0
    set_up "$1"
    rm -rf "$smaller" && mkdir -p "$smaller" "$corpus"
    fuzz run "$1" "$smaller" "$corpus" "$found/$1" -- \
        -set_cover_merge=1 -use_counters=0 -max_len="$longest" >"$found/$1.log" 2>&1
    rm -rf "$corpus" && mkdir "$corpus"
    # Written in the order in which each adds the most; at some time more are not worth their place in the repository.
    for input in $(ls -rt "$smaller"); do
        size="$(stat -c %s "$smaller/$input")"
        if [[ "$kept" -ge 200 || $((total + size)) -gt 300000 ]]; then break; fi
        cp "$smaller/$input" "$corpus/"
        kept=$((kept + 1)) total=$((total + size))
    done
    echo "$1: $kept of $(find "$smaller" -type f | wc -l) inputs, $total bytes"
}

if ! cargo +nightly fuzz --version >/dev/null 2>&1; then
    echo "fuzz.sh needs: rustup toolchain install nightly && cargo install cargo-fuzz --locked" >&2
    exit 1
fi
todo="${1:-60}"
shift || true
if [[ "$todo" == run ]]; then
    run "$@"
    exit
fi
if [[ $# == 0 ]]; then
    for file in fuzz/fuzz_targets/*.rs; do set -- "$@" "$(basename "$file" .rs)"; done
fi
fuzz build
if [[ "$todo" == minimise ]]; then
    for target in "$@"; do minimise "$target"; done
else
    printf '%s\n' "$@" | xargs -n 1 -P "${MUTATOR_FUZZ_AT_ONCE:-1}" "./scripts/$(basename "$0")" run "$todo"
fi
