#!/usr/bin/env bash
# Measures the built binary: wall time (median of five, cold process each) and
# peak memory, and prints one line a figure. Needs Go and GNU time (Debian
# package "time").
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
go build -trimpath -ldflags='-s -w' -o "$tmp/myoaxis" ./cmd/myoaxis
measure() { # label, command...
  local label=$1; shift
  for _ in 1 2 3 4 5; do /usr/bin/time -a -o "$tmp/t" -f '%e %M' "$@" >/dev/null; done
  sort -n "$tmp/t" | awk -v l="$label" 'NR==3{t=$1} $2>m{m=$2} END{printf "%-62s %6.2f s  %4.0f MB\n", l, t, m/1024}'
  rm "$tmp/t"
}
printf 'machine: %s cores, %s, %s\n' "$(nproc)" "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)" "$(go version | cut -d' ' -f3)"
measure "report" "$tmp/myoaxis" report --out "$tmp/r.html"
measure "simulate, one person, 24 weeks x 3, cold, 100 draws" "$tmp/myoaxis" simulate --program '3x/week, 24 weeks'
measure "simulate, typical person, every session resolved, cold" "$tmp/myoaxis" simulate --program '3x/week, 24 weeks' --population 1
measure "simulate, 1000 virtual persons, every session resolved" "$tmp/myoaxis" simulate --program '3x/week, 24 weeks' --population 1000
measure "pool, all domains with sensitivity analyses" "$tmp/myoaxis" pool
measure "evidence check" "$tmp/myoaxis" evidence check
printf '%-62s %6.1f MB\n' "binary (stripped)" "$(stat -c %s "$tmp/myoaxis" | awk '{print $1/1048576}')"
printf '%-62s %6.2f MB\n' "report page" "$(stat -c %s "$tmp/r.html" | awk '{print $1/1048576}')"
