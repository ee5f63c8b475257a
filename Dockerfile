# Builds with everything, runs with what running needs. The example's data comes along: 14 MB.
FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY . .
RUN npm run build

FROM node:22-bookworm-slim
ENV NODE_ENV=production HOST=0.0.0.0 PORT=3000
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
RUN npm ci --omit=dev --no-audit --no-fund && npm cache clean --force
COPY --from=build /app/node_modules/hyparquet node_modules/hyparquet
COPY --from=build /app/node_modules/hyparquet-compressors node_modules/hyparquet-compressors
COPY --from=build /app/node_modules/fzstd node_modules/fzstd
COPY --from=build /app/node_modules/hysnappy node_modules/hysnappy
COPY --from=build /app/node_modules/vega-datasets/package.json node_modules/vega-datasets/
COPY --from=build /app/node_modules/vega-datasets/build/index.js node_modules/vega-datasets/build/
COPY --from=build /app/node_modules/vega-datasets/data/flights-3m.parquet /app/node_modules/vega-datasets/data/airports.csv node_modules/vega-datasets/data/
COPY --from=build /app/dist dist
COPY --from=build /app/views views
USER node
EXPOSE 3000
HEALTHCHECK --interval=10s --timeout=3s --start-period=30s \
  CMD node -e 'fetch("http://127.0.0.1:" + process.env.PORT + "/health/ready").then(({ ok }) => process.exit(ok ? 0 : 1), () => process.exit(1))'
# The worker is process 1: a stop signal reaches it, and it hands its tasks over before it ends. What starts it again is the
# restart policy.
ENV STILLWATER_SUPERVISED=1
ENTRYPOINT ["node", "--min-semi-space-size=32", "--max-semi-space-size=128", "--enable-source-maps", "dist/src/main.js", "start"]
