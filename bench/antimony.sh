#!/usr/bin/env bash
# Takes every Level 3 Version 2 case of the SBML Test Suite through Antimony as
# written here and read by libAntimony (PyPI package antimony), and runs what
# comes back. Usage: bench/antimony.sh SUITE-DIR
set -euo pipefail
cd "$(dirname "$0")/.."
suite=${1:?the folder of the SBML Test Suite cases}
tmp=$(mktemp -d)
trap 'rm -r "$tmp"' EXIT
go build -o "$tmp/myoaxis" ./cmd/myoaxis
python3 -m venv "$tmp/venv"
"$tmp/venv/bin/pip" -q install antimony
for f in "$suite"/*/*-sbml-l3v2.xml; do
  c=$(basename "$(dirname "$f")")
  mkdir -p "$tmp/cases/$c"
  # names that are words of the language are renamed: their results have other columns
  if "$tmp/myoaxis" sbml convert "$f" --out "$tmp/cases/$c/m.ant" 2> "$tmp/lost" && ! grep -q 'is a word' "$tmp/lost"; then
    cp "$suite/$c/$c-settings.txt" "$suite/$c/$c-results.csv" "$suite/$c/$c-model.m" "$tmp/cases/$c/"
  else
    rm -r "$tmp/cases/$c"
  fi
done
"$tmp/venv/bin/python" - "$tmp/cases" <<'PY'
import antimony, glob, os, sys
done = refused = 0
for f in sorted(glob.glob(sys.argv[1] + "/*/m.ant")):
    antimony.clearPreviousLoads()
    case = os.path.basename(os.path.dirname(f))
    if antimony.loadAntimonyFile(f) < 0:
        refused += 1
        print(case, antimony.getLastError().split("\n")[0])
        continue
    open(os.path.join(os.path.dirname(f), case + "-sbml-l3v2.xml"), "w").write(antimony.getSBMLString(antimony.getMainModuleName()))
    done += 1
print("libAntimony %s read %d files, refused %d" % (antimony.__version__, done, refused))
PY
"$tmp/myoaxis" sbml suite "$tmp/cases" > "$tmp/out.txt" || true
grep -E '^all|: (fail|unsupported):' "$tmp/out.txt"
