# Short names for the commands below; none of them needs make (a bare Debian has none).

.PHONY: demo test lint bench data docs

demo:
	./scripts/demo

test:
	./scripts/test

lint:
	cargo fmt --check
	cargo clippy --all-targets --release --locked -- -D warnings
	@if cargo deny --version >/dev/null 2>&1; then cargo deny check licenses bans sources; \
	else echo "cargo deny is not installed: licences and bans not checked (cargo install cargo-deny --locked)"; fi

bench:
	./scripts/setup bench
	cargo bench --locked

# The embedded study, from packages with pinned versions: see geodata/chiapas.
data:
	./scripts/data

# The crate's documentation, and the checked-in files that are generated from the code.
docs:
	./scripts/setup build
	cargo doc --no-deps --release --locked
	UPDATE_DOCS=1 cargo test --release --locked --test docs
