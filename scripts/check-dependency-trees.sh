#!/usr/bin/env bash
# Checks what each set of features pulls in, and that no dependency needs a newer Rust than the crate declares.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/.."

# tree_has_none FEATURES NAMES...: no crate of these names is a normal dependency with exactly these features.
tree_has_none() {
    local features="$1" tree name found=0
    shift
    tree="$(cargo tree --locked --no-default-features --features "$features" --edges normal --target all --prefix none)"
    for name in "$@"; do
        if grep -q "^$name v" <<<"$tree"; then
            echo "check-dependency-trees: --no-default-features --features $features pulls in $name:" >&2
            cargo tree --locked --no-default-features --features "$features" --edges normal --target all --invert "$name" >&2 || true
            found=1
        fi
    done
    if [[ "$found" != 0 ]]; then exit 1; fi
    echo "check-dependency-trees: features $features: no $*"
}

tree_has_none blocking redis
tree_has_none blocking,redis tokio smol async-io async-executor async-std async-global-executor
tree_has_none tokio,tls-rustls smol async-io async-executor
tree_has_none smol,tls-rustls tokio
tree_has_none blocking,tls-rustls tokio smol async-io async-executor async-std async-global-executor

# One line per package, "name version rust_version", from the only JSON keys that stand in this form at package level.
packages="$(cargo metadata --locked --all-features --format-version 1 |
    grep -oE '"name":"[^"]+","version":"[^"]+","id":|"rust_version":(null|"[^"]+")' |
    awk -F'"' '/^"name"/ { package = $4 " " $8 } /^"rust_version"/ { print package, ($4 == "" ? "-" : $4) }')"
ours="$(awk '$1 == "mutator-governance" { print $3 }' <<<"$packages")"
if [[ -z "$ours" || "$ours" == - ]]; then
    echo "check-dependency-trees: Cargo.toml declares no rust-version" >&2
    exit 1
fi
newer="$(awk -v ours="$ours" '
    function number(version,   part) { split(version, part, "."); return part[1] * 1000000 + part[2] * 1000 + part[3] }
    $3 != "-" && number($3) > number(ours) { print "  " $1 " " $2 " needs Rust " $3 }' <<<"$packages")"
if [[ -n "$newer" ]]; then
    echo "check-dependency-trees: the crate promises Rust $ours, but Cargo.lock holds:" >&2
    echo "$newer" >&2
    exit 1
fi
echo "check-dependency-trees: $(wc -l <<<"$packages" | tr -d ' ') packages, none needs a newer Rust than $ours"
