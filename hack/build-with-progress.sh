#!/usr/bin/env bash
# Builds a package of a module and shows how far the compiler is: a cold build of Kubernetes takes minutes.
#   build-with-progress.sh MODULE PACKAGE OUTPUT LDFLAGS
set -euo pipefail
module=$1 package=$2 output=$3 ldflags=$4

log=$(mktemp)
trap 'rm -f "$log"' EXIT
go build -C "$module" -v -ldflags "$ldflags" -o "$output" "$package" 2>"$log" &
build=$!
# A warm build is done in seconds and needs no words.
said=false
while kill -0 "$build" 2>/dev/null; do
  sleep 1
  if ((SECONDS >= 15 && SECONDS % 15 == 0)); then
    if [[ $said == false ]]; then
      said=true
      echo "Compiling $package and what it needs: 8 to 15 minutes on two cores when nothing is in the build cache."
    fi
    printf '  %d s: %d packages compiled, the latest %s\n' "$SECONDS" "$(wc -l <"$log")" "$(tail -n 1 "$log")"
  fi
done
wait "$build" || { cat "$log" >&2; exit 1; }
