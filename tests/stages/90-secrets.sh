# about: nothing secret in what the program wrote in all stages before; BLUEBUCKET_LOG_FILTER=trace makes it write most
# minutes: 5
. "$ROOT/tests/shell/stage.sh"
# Only what the program writes by itself: the logs of the tests' own clients and servers may hold what they like, and
# `emulator` and `demo` print the keys that they were given for the purpose.
mapfile -t files < <(find "$LOGS" -name '*.log' | grep -E 'facade|backfill|verify|plan|killed' | grep -v -E 'compare|clients-over' || true)
if [ ${#files[@]} = 0 ]; then
  skipped "secrets" "no stage before has run the program"
else
  check "secrets" "$ROOT/tests/shell/no_secrets" "${files[@]}"
fi
