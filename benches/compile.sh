#!/usr/bin/env bash
# What compiling costs: crates, and seconds of CPU of a clean debug build, as a Markdown table.
#
#   benches/compile.sh
set -euo pipefail

cd "$(dirname "$0")/.."
# A wrapper such as sccache would give back what it has compiled before.
export CARGO_INCREMENTAL=0 RUSTC_WRAPPER= LC_ALL=C
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT

main() {
  # So that neither downloads nor unpacking are measured.
  cargo fetch --locked --quiet
  echo '| features | crates | CPU seconds |'
  echo '|---|---:|---:|'
  row default
  row none --no-default-features
}

# row NAME CARGO-OPTION…
row() {
  local name="$1" crates seconds
  shift
  crates="$(crates "$@")"
  seconds="$(seconds "$@")"
  printf '| %s | %s | %s |\n' "$name" "$crates" "$seconds"
}

# Everything that is compiled on this platform besides this crate: what is linked, procedural macros,
# and what build scripts need. Two versions of one crate are two.
crates() {
  cargo tree --locked --edges normal,build --prefix none "$@" |
    awk 'NR > 1 && NF && !seen[$1, $2]++ { count++ } END { print count }'
}

# User and system time of Cargo and of all that it starts.
seconds() {
  local target="$scratch/target" TIMEFORMAT='%U %S'
  rm -rf "$target"
  if ! { time CARGO_TARGET_DIR="$target" cargo build --locked --lib --quiet "$@" 2> "$scratch/log"; } 2> "$scratch/time"; then
    cat "$scratch/log" >&2
    return 1
  fi
  awk '{ printf "%.0f\n", $1 + $2 }' "$scratch/time"
}

main
