# about: the tests' own S3 source against boto3
# minutes: 2
. "$ROOT/tests/shell/stage.sh"
suite "odd source" "$python" "$ROOT/tests/python/s3_source_odd_keys_test.py"
