# about: random requests signed by botocore against the verifier, with the log at its most talkative and nothing secret in it
# minutes: 4
. "$ROOT/tests/shell/stage.sh"
need_program
count=2000
full && count=20000
seed=${SEED:-$RANDOM}
echo "seed $seed"

start_emulator "$WORK"
make_containers signed
port=$(free_ports 1)
write_config "$WORK/signed.toml" facade="$port" signed-bucket=signed
BLUEBUCKET_LOG_FILTER=trace start_facade "$LOGS/$STAGE-facade.log" "$WORK/signed.toml" "$port"
suite "signatures of botocore" "$python" "$ROOT/tests/python/signatures.py" --endpoint "$facade_url" --access-key "$facade_key" \
  --secret-key "$TEST_FACADE_SECRET" --bucket signed-bucket --count "$count" --seed "$seed"
curl -s "http://$(sed -n '/^\[admin\]/,/^\[/s/^listen = "\(.*\)"/\1/p' "$WORK/signed.toml")/metrics" >"$LOGS/$STAGE-facade-metrics.log"
check "no panic" grep -qx 'bluebucket_panics_total 0' "$LOGS/$STAGE-facade-metrics.log"
stop_all
check "the log was talkative" grep -qE 'TRACE|DEBUG' "$LOGS/$STAGE-facade.log"
check "nothing secret in the log" "$ROOT/tests/shell/no_secrets" "$LOGS/$STAGE-facade.log" "$LOGS/$STAGE-facade-metrics.log"
