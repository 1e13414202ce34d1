# syntax=docker/dockerfile:1
# docker build -t dynamolake .
# docker buildx build --platform linux/amd64,linux/arm64 -t dynamolake .
# docker run --rm dynamolake demo

FROM --platform=$BUILDPLATFORM golang:1.26-bookworm AS build
ARG TARGETOS TARGETARCH
WORKDIR /src
# Only what the binary is built from: tests and their readers (DuckDB alone is
# half a gigabyte of modules) stay out of the image and out of its cache.
COPY go.mod go.sum ./
COPY bootstrap ./bootstrap
COPY checkpoint ./checkpoint
COPY cmd ./cmd
COPY consumer ./consumer
COPY internal/advise ./internal/advise
COPY internal/attribute ./internal/attribute
COPY internal/awssim ./internal/awssim
COPY internal/fleet ./internal/fleet
COPY internal/lakecheck ./internal/lakecheck
COPY internal/page ./internal/page
COPY internal/scene ./internal/scene
COPY internal/tables ./internal/tables
COPY internal/verify ./internal/verify
COPY transform ./transform
COPY writer ./writer
# The compiler runs on the builder's processor whatever the target is: no emulation.
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    CGO_ENABLED=0 GOOS=$TARGETOS GOARCH=$TARGETARCH \
    go build -trimpath -ldflags '-s -w' -o /dynamolake ./cmd/dynamolake
RUN mkdir /empty

FROM scratch
COPY --from=build /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
COPY --from=build /dynamolake /dynamolake
# There is no /etc/passwd to name it: a user and group that own nothing but /tmp,
# where larger files are read back from. A volume that Fargate or Docker lays
# there takes over its owner.
COPY --from=build --chown=65532:65532 /empty /tmp
VOLUME ["/tmp"]
USER 65532:65532
# An empty value turns the page, the metrics and the health check's answer off.
ENV DYNAMOLAKE_LISTEN=:9090
EXPOSE 9090
# The binary asks itself, since there is no shell and no curl. Healthy is a worker that has joined its
# fleet, and never unhealthy one that is behind. Kubernetes and ECS do not look at this; their
# manifests have their own.
HEALTHCHECK --interval=15s --timeout=5s --start-period=300s --retries=3 CMD ["/dynamolake", "health", "--started"]
# Stopping is a hand-over of every shard: SIGTERM, and some seconds to do it.
STOPSIGNAL SIGTERM
ENTRYPOINT ["/dynamolake"]
