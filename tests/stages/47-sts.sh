# about: temporary credentials: boto3 and the AWS SDK for Java assume roles with Polaris' policy and are held to it
# minutes: 2
. "$ROOT/tests/shell/stage.sh"
need_program

bucket=local-iceberg-test
start_emulator "$WORK"
make_containers iceberg
mkdir -p "$WORK/sealing"
openssl rand -hex 32 >"$WORK/sealing/current"
port=$(free_ports 1)
write_config "$WORK/sts.toml" facade="$port" $bucket=iceberg
printf '\n[facade.sts]\nkeys_dir = "%s/sealing"\n' "$WORK" >>"$WORK/sts.toml"
export BLUEBUCKET_LOG_FILTER=trace
start_facade "$LOGS/$STAGE-facade.log" "$WORK/sts.toml" "$port"

suite "AWS SDK for Java" java -cp "$ROOT/target/java-sts/target/java-sts.jar:$ROOT/target/java-sts/target/dependency/*" \
  AssumeRole "$facade_url" "$facade_key" "$TEST_FACADE_SECRET" $bucket
suite "boto3" "$python" "$ROOT/tests/clients/boto3_sts.py" "$facade_url" "$facade_key" "$TEST_FACADE_SECRET" $bucket "$WORK/sealing"

# What was given out is in no log.
# A token begins with its version, a byte 1, in base64url.
if ! grep -q 'TRACE\|DEBUG' "$LOGS/$STAGE-facade.log"; then
  failed "the log tells everything"
elif grep -qE 'A[Q-Za-f][A-Za-z0-9_-]{200,}|SessionToken' "$LOGS/$STAGE-facade.log"; then
  failed "no token in the log"
else
  passed "no token in the log"
fi
