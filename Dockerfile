# The stack's own images, of docker-compose.yaml: docker build --target runner . and docker build --target grafana .
ARG GO=golang:1.26.7
ARG NODE=node:22.21.1-slim
ARG GRAFANA=grafana/grafana:12.2.0

FROM ${GO} AS go
ENV CGO_ENABLED=0
WORKDIR /src
COPY go.mod go.sum ./
COPY pkg pkg

FROM go AS build-runner
COPY runner runner
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -ldflags '-s -w' -o /out/photofinish ./runner

FROM go AS build-backend
RUN --mount=type=cache,target=/go/pkg/mod --mount=type=cache,target=/root/.cache/go-build \
    go build -trimpath -ldflags '-s -w' -o "/out/gpx_photofinish_linux_$(go env GOARCH)" ./pkg

FROM ${NODE} AS build-frontend
WORKDIR /src
COPY package.json package-lock.json ./
RUN --mount=type=cache,target=/root/.npm npm ci
COPY rollup.config.js tsconfig.json CHANGELOG.md LICENSE ./
COPY bundle bundle
COPY src src
RUN npm run build

# Root without capabilities is what the runner is in the stack: see there.
FROM scratch AS runner
COPY --from=build-runner /etc/ssl/certs/ca-certificates.crt /etc/ssl/certs/
COPY --from=build-runner /out/photofinish /photofinish
ENTRYPOINT ["/photofinish"]

FROM ${GRAFANA} AS grafana
# Apart from Grafana's data, which is a volume and would hide a newer plugin.
COPY --from=build-frontend /src/dist /opt/photofinish/photofinish-race-app
COPY --from=build-backend /out /opt/photofinish/photofinish-race-app/datasource
ENV GF_PATHS_PLUGINS=/opt/photofinish \
    GF_PLUGINS_ALLOW_LOADING_UNSIGNED_PLUGINS=photofinish-race-app,photofinish-race-datasource,photofinish-control-panel,photofinish-track-panel,photofinish-finish-panel \
    GF_PLUGINS_PREINSTALL_DISABLED=true \
    GF_ANALYTICS_REPORTING_ENABLED=false \
    GF_ANALYTICS_CHECK_FOR_UPDATES=false \
    GF_ANALYTICS_CHECK_FOR_PLUGIN_UPDATES=false
