#!/usr/bin/env bash
# Refuses what CONTRIBUTING.md bans from src/ and examples/. Prints every offending line; exits 1 if there is one.
# `.unwrap()` and `.expect()` outside tests are refused by clippy (unwrap_used, expect_used), not here.
# Usage: check-source-bans.sh [directory with src/ in it]
set -euo pipefail

cd "${1:-$(dirname "${BASH_SOURCE[0]}")/..}"
offences=0

# code PATH...: every line of Rust below the paths as file:line:text, without lines that are only comment.
code() {
    local path existing=()
    for path in "$@"; do
        if [[ -e "$path" ]]; then existing+=("$path"); fi
    done
    if [[ ${#existing[@]} -gt 0 ]]; then
        { find "${existing[@]}" -name '*.rs' -type f -print0 | xargs -0 grep -n '' /dev/null || true; } |
            { grep -vE '^[^:]+:[0-9]+:[[:space:]]*//' || true; }
    fi
}

# refuse WHY: whatever comes in is an offence. Used with `< <(…)`: at the end of a pipe it would count in a subshell.
refuse() {
    local lines
    lines="$(cat)"
    if [[ -n "$lines" ]]; then
        printf 'banned: %s\n%s\n\n' "$1" "$lines" >&2
        offences=$((offences + 1))
    fi
}

# The prefix of every pattern: the file name and line number, then code in which no word has begun.
at='^[^:]+:[0-9]+:(.*[^[:alnum:]_])?'

if [[ ! -f src/lib.rs ]]; then
    echo "check-source-bans: there is no src/lib.rs in $PWD" >&2
    exit 1
fi

refuse 'of maybe-async only `use maybe_async::must_be_sync` and `must_be_async` (the rest obeys a switch that another crate may throw)' \
    < <(code src | grep -E "${at}maybe_async([^[:alnum:]_]|\$)" |
    grep -vE '^[^:]+:[0-9]+:[[:space:]]*(pub(\([a-z]+\))? )?use maybe_async::must_be_(sync|async)( as [a-z_]+)?;$')
refuse 'sync_impl, async_impl, is_sync: a feature may not change what another gives' \
    < <(code src | grep -E "${at}(sync_impl|async_impl|is_sync)([^[:alnum:]_]|\$)")
refuse 'maybe-async/is_sync switched on in Cargo.toml' \
    < <(grep -nE '^[^#]*is_sync' Cargo.toml /dev/null | grep -v downstream_with_is_sync)
refuse 'an async block in code compiled twice: made synchronous, its `?` leaves the outer function' \
    < <(code src/engine src/conformance | grep -E "${at}async( move)?[[:space:]]*\{")
refuse 'unsafe' \
    < <(code src | grep -E "${at}unsafe([^[:alnum:]_]|\$)")
refuse 'todo!, unimplemented!, dbg!' \
    < <(code src | grep -E "${at}(todo|unimplemented|dbg)!")

# `crate::redis::`, `self::redis::` and `super::redis::` are our module; without a prefix, or with `::`, it is the crate.
refuse 'the redis crate named outside src/redis, src/engine, src/blocking and src/nonblocking' \
    < <(code src | grep -vE '^src/(redis|engine|blocking|nonblocking)(/|\.rs:)' |
    grep -E '^[^:]+:[0-9]+:((.*[^[:alnum:]_:])?(::)?redis::|.*(use|extern crate) (::)?redis( as|;))')
refuse 'bincode named outside src/stored_format' \
    < <(code src | grep -vE '^src/stored_format(/|\.rs:)' | grep -E "${at}bincode([^[:alnum:]_]|\$)")

refuse 'a macro that panics where nobody reads any more: examples say!, which ends quietly and cleans up' \
    < <(code examples | grep -E "${at}e?print(ln)?!")

# The Redis calls of the scripts, each on one line whatever its layout, without comments: file: call(...). The scripts call
# redis.pcall `ask` and redis.call `call`, and `ask_of_any_type` takes a command too.
script_calls() {
    find src -path '*/scripts/*.lua' -type f -exec awk '
        FNR == 1 { print_calls(); text = " "; name = FILENAME }
        { sub(/--.*/, ""); text = text $0 " " }
        END { print_calls() }
        function print_calls(   end, depth, character, call) {
            while (match(text, /(redis\.p?call|[^A-Za-z0-9_.](ask|ask_of_any_type|call))[ \t]*\(/)) {
                end = RSTART + RLENGTH
                for (depth = 1; depth > 0 && end <= length(text); end++) {
                    character = substr(text, end, 1)
                    if (character == "(") depth++
                    if (character == ")") depth--
                }
                call = substr(text, RSTART, end - RSTART)
                sub(/^[^(]*/, "call", call)
                gsub(/[ \t]+/, " ", call)
                print name ": " call
                # On from inside this call, which may hold another as an argument.
                text = substr(text, RSTART + RLENGTH)
            }
        }' {} +
}

calls="$(script_calls)"
quote="[\"']"
# calls_with PATTERN: the calls that match it, case aside.
calls_with() { grep -iE "$1" <<<"$calls"; }

refuse 'a command whose work has no bound' \
    < <(calls_with "call ?\( ?${quote}(keys|smembers|sort|sunion|sinter|sdiff|zunion|zinter|zdiff|flushdb|flushall)${quote}")
refuse 'a time to live: an expired document leaves its index entries' \
    < <(calls_with "call ?\( ?${quote}(expire|pexpire|expireat|pexpireat|setex|psetex|getex)${quote}|call ?\( ?${quote}set${quote}.*${quote}(ex|px|exat|pxat)${quote}")
refuse 'a range from first to last' \
    < <(calls_with "call ?\( ?${quote}(z|l)(rev)?range[a-z]*${quote},.*, ?${quote}?0${quote}?, ?${quote}?-1${quote}? ?[,)]")
refuse 'a range by score or member without LIMIT' \
    < <(calls_with "call ?\( ?${quote}(zrangebyscore|zrevrangebyscore|zrangebylex|zrevrangebylex)${quote}|call ?\( ?${quote}zrange${quote}.*${quote}by(score|lex)${quote}" |
    grep -viE "${quote}limit${quote}")
refuse 'a stream range without COUNT' \
    < <(calls_with "call ?\( ?${quote}(xrange|xrevrange)${quote}" | grep -viE "${quote}count${quote}")

refuse 'a metadata key that is not in the table of src/request/metadata_keys.rs' \
    < <(code src/workflow | grep -vE '^src/workflow/write_intent\.rs:' | grep -E 'note(_left_out)?\((&mut about, )?"')

if [[ "$offences" != 0 ]]; then
    echo "check-source-bans: see \"What is banned\" in CONTRIBUTING.md" >&2
    exit 1
fi
echo "check-source-bans: nothing banned in src/ and examples/"
