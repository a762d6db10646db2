#!/usr/bin/env bash
# Measures the simulation engine and its peers in one run: the SBML Test Suite
# model by model, the axis model, oral doses, two stiff problems, cold starts
# and memory. Needs Go, Python 3 with venv, a C compiler, and GNU time; installs
# libroadrunner and python-copasi from PyPI into a scratch folder, and uses
# CVODE where Debian's libsundials-dev is installed.
# Usage: bench/engine.sh SUITE-DIR [PEOPLE]
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:?the folder of the SBML Test Suite cases}
people=${2:-100000}
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
go build -trimpath -ldflags='-s -w' -o "$tmp/myoaxis" ./cmd/myoaxis
go build -o "$tmp/engine" ./bench/engine
printf 'machine: %s cores, %s, %s\n' "$(nproc)" "$(grep -m1 'model name' /proc/cpuinfo | cut -d: -f2 | xargs)" "$(go version | cut -d' ' -f3)"

echo "== people: oral doses, and memory"
/usr/bin/time -f 'peak memory %M KB' "$tmp/engine" oral "$people"
echo "== people: the axis, 72 bouts in 24 weeks"
go test ./population -run '^$' -bench Bouts | grep people

echo "== stiff problems"
"$tmp/engine" problems
if cc -O2 -o "$tmp/cvode" bench/cvode.c -lsundials_cvode -lsundials_nvecserial -lsundials_sunlinsoldense -lsundials_sunmatrixdense -lm 2>/dev/null; then
  "$tmp/cvode"
else
  echo "CVODE is not installed (Debian: libsundials-dev)"
fi

echo "== cold processes (median of nine)"
python3 - > "$tmp/chain.ant" <<'PY'
print("model chain\n  S0 -> S1; k*S0; S0 = 10; k = 0.3")
for i in range(1, 49):
    print("  S%d -> S%d; k*S%d; S%d = 0" % (i, i + 1, i, i))
print("  S49 = 0\nend")
PY
"$tmp/myoaxis" sbml convert "$tmp/chain.ant" --out "$tmp/chain.xml"
cold() { for _ in 1 2 3 4 5 6 7 8 9; do local a b; a=$(date +%s%N); "${@:2}" > /dev/null; b=$(date +%s%N); echo $(((b - a) / 10000)); done | sort -n | awk -v l="$1" 'NR==5{printf "%s: %.1f ms\n", l, $1/100}'; }
cold "50-state model, SBML, first trajectory" "$tmp/myoaxis" sbml simulate "$tmp/chain.xml" --duration 10 --steps 10
ls -S "$suite"/*/*-l3v2.xml > "$tmp/models.txt"
largest=$(head -1 "$tmp/models.txt")
cold "largest suite model, load and run" "$tmp/myoaxis" sbml simulate "$largest" --settings "$(dirname "$largest")/$(basename "$(dirname "$largest")")-settings.txt"
a=$(date +%s%N); "$tmp/myoaxis" sbml suite "$suite" --level l3v2 > "$tmp/suite.txt" || true; b=$(date +%s%N)
grep '^all' "$tmp/suite.txt"; echo "whole suite, one level: $(((b - a) / 1000000)) ms"

echo "== peers"
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q install libroadrunner python-copasi
"$tmp/engine" suite "$suite" > "$tmp/ours.csv"
"$tmp/venv/bin/python" bench/engine_peer.py "$suite" "$tmp/ours.csv" > "$tmp/both.csv" 2> /dev/null
python3 - "$tmp/both.csv" <<'PY'
import csv, sys
rows = [r for r in csv.DictReader(open(sys.argv[1])) if r["peer_run_ms"]]
f = lambda r, k: float(r[k])
run = sorted((f(r, "run_ms") / f(r, "peer_run_ms"), r["case"]) for r in rows)
both = sorted(((f(r, "run_ms") + f(r, "load_ms")) / (f(r, "peer_run_ms") + f(r, "peer_load_ms")), r["case"]) for r in rows)
for name, x in (("run", run), ("load and run", both)):
    print("%s against libRoadRunner on %d models: median ratio %.3f, worst %.2f (%s), slower on %d" % (name, len(x), x[len(x) // 2][0], x[-1][0], x[-1][1], sum(v > 1 for v, _ in x)))
PY
"$tmp/myoaxis" model export --format sbml --program '3x/week, 24 weeks: 6 exercises, 3x10 @ 70% 1RM' --out "$tmp/axis.xml"
"$tmp/myoaxis" sbml simulate "$tmp/axis.xml" --duration 4032 --steps 24 --variables il6,irisin,bdnf,igf1_F,S,M,global_gain,memory_gain --rtol 1e-11 --atol 1e-14 > "$tmp/ref.csv"
"$tmp/venv/bin/python" bench/axis_peer.py "$tmp/axis.xml" "$tmp/ref.csv" 2> /dev/null | grep -v WARNING
