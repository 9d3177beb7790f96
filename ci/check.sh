#!/usr/bin/env bash
# All checks, the same for people and for .ci/run: ci/check.sh [--no-tests].
# Uses .venv; another environment is named with: VENV=path ci/check.sh
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

tests=yes
case "${1-}" in
    "") ;;
    --no-tests) tests=no ;;
    *)
        echo "error: unknown argument $1; usage: ci/check.sh [--no-tests]" >&2
        exit 2
        ;;
esac

bin=${VENV:-.venv}/bin
[ -x "$bin/ruff" ] || {
    echo "error: no ruff in $bin; set up first: python3 -m venv .venv && .venv/bin/pip install -q -e '.[dev]'" >&2
    exit 2
}

step() {
    printf '== %s\n' "$*"
    "$bin/$@"
}

step ruff check .
step ruff format --check .
step mypy
step mypy ci/bench
step lint-imports
if [ "$tests" = yes ]; then
    step pytest -n 2 --dist worksteal --cov --cov-report=term:skip-covered
fi
