# about: the test programs in tests/, with Azurite as the second Blob service
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
start_azurite "$WORK"
export BLUEBUCKET_TEST_AZURITE=$azurite_url
if compgen -G "$ROOT/tests/*.rs" >/dev/null; then
  for program in "$ROOT"/tests/*.rs; do
    program=$(basename "$program" .rs)
    cargo_suite "$program" --test "$program"
  done
else
  skipped "contract" "there are no test programs in tests/"
fi
