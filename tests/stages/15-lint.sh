# about: formatting, clippy and the documentation, with warnings denied
# minutes: 15
. "$ROOT/tests/shell/stage.sh"
cargo=${CARGO:-cargo}
check "formatting" "$cargo" fmt --check
check "clippy" "$cargo" clippy --all-targets --locked -- -D warnings
# The map of the code leads into private modules on purpose.
export RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links"
check "documentation" "$cargo" doc --no-deps --locked --document-private-items
