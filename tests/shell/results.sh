# Sourced. How a stage says what passed: one line per check in $RESULTS, `pass|fail|skip COUNT NAME WHY`, tab separated.

record() { printf '%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "${4:-}" >>"$RESULTS"; }
passed() { record pass 1 "$1"; echo "ok    $1"; }
failed() { record fail 1 "$1" "${2:-}"; echo "FAIL  $1: ${2:-}"; }
skipped() { record skip 1 "$1" "$2"; echo "skip  $1: $2"; }

# check NAME COMMAND...: passed if the command succeeds. Its output goes to a log of its own.
check() {
  local name=$1 log
  log=$(log_of "$1")
  shift
  if run_logged "$log" "$@"; then passed "$name"; else failed "$name" "exit $code, see $(basename "$log")"; tail -25 "$log"; fi
}

# suite NAME COMMAND...: as check, for a command that ends with `N passed, N failed, N skipped`.
suite() {
  local name=$1 log line
  log=$(log_of "$1")
  shift
  run_logged "$log" "$@" || true
  line=$(grep -E '^[0-9]+ passed, [0-9]+ failed, [0-9]+ skipped$' "$log" | tail -1 || true)
  # shellcheck disable=SC2086
  count_suite "$name" ${line//[!0-9 ]/}
  [ "$code" = 0 ] || grep -E '^(FAIL|DIFFERS|MISSING|MORE) ' "$log" | head -30 || tail -25 "$log"
}

count_suite() {
  local name=$1 ok=${2:-0} bad=${3:-0} left=${4:-0}
  [ "$ok" = 0 ] || record pass "$ok" "$name"
  [ "$left" = 0 ] || record skip "$left" "$name" "named in the log"
  [ "$bad" != 0 ] || [ "$code" = 0 ] || bad=1
  [ "$bad" != 0 ] || [ "$ok" != 0 ] || bad=1
  [ "$bad" = 0 ] || record fail "$bad" "$name" "exit $code"
  echo "$([ "$bad" = 0 ] && echo "ok   " || echo "FAIL ") $name: $ok passed, $bad failed, $left skipped"
}

# cargo_suite NAME ARGUMENTS...: `cargo test` with the tests of all its programs added up.
cargo_suite() {
  local name=$1 log
  log=$(log_of "$1")
  shift
  run_logged "$log" "${CARGO:-cargo}" test --no-fail-fast "$@" || true
  # shellcheck disable=SC2046
  count_suite "$name" $(awk '/^test result:/ { p += $4; f += $6; i += $8 } END { print p + 0, f + 0, i + 0 }' "$log")
  [ "$code" = 0 ] || grep -E '^(test .*FAILED|error|---- .* stdout)|panicked at' "$log" | head -40
}

log_of() { echo "$LOGS/$STAGE-$(tr -c 'a-zA-Z0-9.\n' '-' <<<"$1").log"; }

run_logged() {
  local log=$1
  shift
  code=0
  "$@" >"$log" 2>&1 || code=$?
  return "$code"
}
