# about: S3 to Azurite end to end: backfill, verify, a second backfill that asks for no object, all read back through the facade
# minutes: 12
. "$ROOT/tests/shell/stage.sh"
need_program
amounts=(--count 1000 --total 400M --big 200M)
full && amounts=(--count 10000 --total 4G --big 2G)
buckets=(local-rocksdb-test=flink local-iceberg-test=iceberg local-warpstream-test=warpstream)
names=local-rocksdb-test,local-iceberg-test,local-warpstream-test
seed=${SEED:-$RANDOM}
echo "seed $seed"

start_seaweedfs "$WORK"
start_azurite "$WORK"
make_buckets "$seaweedfs_url" "" ${names//,/ }
make_containers flink iceberg warpstream
check "fill" "$python" "$ROOT/tests/python/fill_source.py" --endpoint "$seaweedfs_url" --access-key "$access_key" --secret-key "$secret_key" \
  --buckets "$names" --manifest "$WORK/manifest.ndjson" --seed "$seed" --seaweedfs "${amounts[@]}"
objects=$(wc -l <"$WORK/manifest.ndjson")
bytes=$(jq -s 'map(.size) | add' "$WORK/manifest.ndjson")

write_config "$WORK/mover.toml" source="$seaweedfs_url" "${buckets[@]}"
check "plan" bluebucket "$WORK/mover.toml" plan --json
check "plan saw all" is_so "$(log_of plan)" ".total.objects == $objects and .total.bytes == $bytes"
check "backfill" bluebucket "$WORK/mover.toml" backfill --json
check "backfill copied all" is_so "$(log_of backfill)" ".total.copied == $objects and .total.bytes_copied == $bytes"
check "verify" bluebucket "$WORK/mover.toml" verify --mode hash --json
check "verify found no difference" is_so "$(log_of verify)" ".total.equal == $objects and .total.extra == 0 and .total.bytes_read == $bytes"

# The second time both sides are reached through relays that note every request.
connection=$AZURE_STORAGE_CONNECTION_STRING
start_relay "$azurite_url" "$LOGS/$STAGE-store-requests.ndjson"
AZURE_STORAGE_CONNECTION_STRING=${connection//"$azurite_url"/"$relay_url"}
start_relay "$seaweedfs_url" "$LOGS/$STAGE-source-requests.ndjson"
write_config "$WORK/second.toml" source="$relay_url" "${buckets[@]}"
check "second backfill" bluebucket "$WORK/second.toml" backfill --json
AZURE_STORAGE_CONNECTION_STRING=$connection
check "second backfill copied nothing" is_so "$(log_of "second backfill")" ".total.copied == 0 and .total.unchanged == $objects"
suite "second backfill asked for no object" "$python" "$ROOT/tests/python/judge_requests.py" listings \
  "$LOGS/$STAGE-source-requests.ndjson" "$LOGS/$STAGE-store-requests.ndjson"
reads_back "read back" "$WORK/manifest.ndjson" "${buckets[@]}"

# Keys and misbehaviour that other S3 servers do not have.
start "$WORK/odd.log" "$python" "$ROOT/tests/python/s3_source_odd_keys.py" "$ROOT/tests/python/odd_objects.json" --log "$LOGS/$STAGE-odd-requests.ndjson"
await 20 test -s "$WORK/odd.log"
make_containers odd-keys odd-objects misbehaving
for bucket in odd-keys odd-objects misbehaving; do
  write_config "$WORK/$bucket.toml" source="http://127.0.0.1:$(head -1 "$WORK/odd.log")" "$bucket=$bucket"
  # Not all of it can be copied: 3 says that some objects need attention.
  run_logged "$(log_of "backfill of $bucket")" bluebucket "$WORK/$bucket.toml" backfill --json || true
  check "backfill of $bucket ended well" test "$code" = 0 -o "$code" = 3
  suite "$bucket" "$python" "$ROOT/tests/python/compare_container.py" --objects "$ROOT/tests/python/odd_objects.json" \
    --bucket "$bucket" --container "$bucket" --report "$WORK/$bucket.toml.report.ndjson" --summary "$(log_of "backfill of $bucket")"
done
