#!/usr/bin/env bash
# Writes the calibration problem as PEtab v2, has the PEtab library check it, and
# simulates every measurement with libRoadRunner (PyPI packages petab, scipy,
# pydantic, python-libsbml, antlr4-python3-runtime, libroadrunner). Tolerance:
# 1e-6 of the value. Usage: bench/petab.sh
set -euo pipefail
cd "$(dirname "$0")/.."
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
go run ./cmd/myoaxis model export --format petab --out "$tmp/problem"
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q install petab scipy pydantic python-libsbml antlr4-python3-runtime==4.13.1 libroadrunner
"$tmp/venv/bin/python" - "$tmp/problem" <<'PY'
import sys, petab.v2
issues = petab.v2.Problem.from_yaml(sys.argv[1] + "/problem.yaml").validate()
print("PEtab library: %d issues" % len(issues), *issues, sep="\n")
sys.exit(len(issues) > 0)
PY
"$tmp/venv/bin/python" bench/petab_peer.py "$tmp/problem"
