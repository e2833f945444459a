#!/usr/bin/env bash
# Builds a package of a module and shows how far the compiler is: a cold build of Kubernetes takes minutes.
#   build-with-progress.sh MODULE PACKAGE OUTPUT LDFLAGS
set -euo pipefail
module=$1 package=$2 output=$3 ldflags=$4

log=$(mktemp)
go build -C "$module" -v -ldflags "$ldflags" -o "$output" "$package" 2>"$log" &
build=$!
# A shell script's background process does not hear Ctrl-C: it is ended here.
trap '[[ -z $build ]] || kill "$build" 2>/dev/null || true; rm -f "$log"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# A terminal gets one line that changes, a log gets a line now and then.
every=15 start='  ' end='\n'
if [[ -t 1 ]]; then
  every=1 start='\r\033[K  ' end=''
fi

total=0
progress() {
  local compiled downloaded
  compiled=$(grep -vc '^go: ' "$log" || true)
  downloaded=$(grep -c '^go: downloading ' "$log" || true)
  if ((compiled == 0)); then
    printf "$start%d s: %d modules downloaded$end" "$SECONDS" "$downloaded"
    return
  fi
  if ((total == 0)); then
    total=$(go list -C "$module" -deps "$package" 2>/dev/null | wc -l)
  fi
  printf "$start%d s: %d of at most %d packages compiled$end" "$SECONDS" "$compiled" "$total"
}

# A warm build is done in seconds and needs no words.
said=0
while kill -0 "$build" 2>/dev/null; do
  sleep 1
  if ((SECONDS < 8 || said > 0 && SECONDS - said < every)); then
    continue
  fi
  if ((said == 0)); then
    echo "Compiling $package and what it needs: 8 to 15 minutes on two cores when nothing is in the build cache."
  fi
  said=$SECONDS
  progress
done
if ((said > 0)) && [[ -t 1 ]]; then
  echo
fi
status=0
wait "$build" || status=$?
build=
if ((status != 0)); then
  cat "$log" >&2
fi
exit "$status"
