#!/usr/bin/env bash
# Times the meta-analysis routines against metafor (Debian package
# r-cran-metafor) on the same numbers in one run, and prints the ratio.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v Rscript >/dev/null || { echo "Rscript is needed: apt-get install r-cran-metafor"; exit 1; }
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
MYOAXIS_BENCH_DATA=$tmp go test ./synthesis -run '^TestWriteBenchData$' -count=1 >/dev/null
go test ./synthesis -run '^$' -bench . -benchmem | tee "$tmp/go.txt" | grep '^Benchmark'
Rscript bench/meta.R "$tmp" > "$tmp/r.csv"
printf '\n%-22s %12s %12s %10s\n' case myoaxis metafor ratio
while IFS=, read -r name seconds; do
  awk -v n="$name" -v r="$seconds" '$1 ~ "^Benchmark" n "(-[0-9]+)?$" { g = $3 / 1e9; printf "%-22s %10.4f s %10.3f s %9.0f\n", n, g, r, r / g }' "$tmp/go.txt"
done < "$tmp/r.csv"
