# syntax=docker/dockerfile:1

# Builds on glibc (aws-lc and the allocator are at home there); cmake and clang are for aws-lc.
FROM rust:1.95-bookworm AS builder
RUN apt-get update \
 && apt-get install --yes --no-install-recommends cmake clang \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /build
COPY Cargo.toml Cargo.lock ./
COPY src ./src
RUN --mount=type=cache,target=/usr/local/cargo/registry \
    --mount=type=cache,target=/build/target \
    cargo build --profile dist --locked --bin bluebucket \
 && install -D --strip -m 0755 target/dist/bluebucket /out/bluebucket \
 && install -d -m 0750 /out/state

# No shell, no package manager; glibc, certificates and a user that is not root.
FROM gcr.io/distroless/cc-debian12:nonroot
LABEL org.opencontainers.image.title="bluebucket" \
      org.opencontainers.image.description="S3-to-Azure Blob compatibility proxy and data mover" \
      org.opencontainers.image.licenses="Apache-2.0"
COPY --from=builder /out/bluebucket /usr/local/bin/bluebucket
COPY --from=builder --chown=65532:65532 /out/state/ /var/lib/bluebucket/
COPY LICENSE /usr/share/doc/bluebucket/LICENSE
USER 65532:65532
WORKDIR /var/lib/bluebucket
# Reports are written here; everything else may be mounted read-only.
VOLUME ["/var/lib/bluebucket"]
ENV BLUEBUCKET_CONFIG=/etc/bluebucket/bluebucket.toml
EXPOSE 9000 9090
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=4s --start-period=10s --retries=3 \
    CMD ["/usr/local/bin/bluebucket", "status", "--health"]
ENTRYPOINT ["/usr/local/bin/bluebucket"]
CMD ["serve"]
