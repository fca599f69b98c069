# The sandbox: docker compose up, then http://127.0.0.1:8080/
FROM node:22-slim AS build
WORKDIR /source
COPY . .
RUN npm ci --no-audit --no-fund && npm pack --pack-destination /tmp

FROM node:22-slim
COPY --from=build /tmp/wechatpay-undici-*.tgz /tmp/
RUN npm install -g --no-audit --no-fund /tmp/wechatpay-undici-*.tgz && mkdir /sandbox && chown node /sandbox
USER node
VOLUME /sandbox
EXPOSE 8080
HEALTHCHECK --interval=2s --timeout=2s --retries=15 \
  CMD node -e "fetch('http://127.0.0.1:8080/sandbox/health').then((r) => process.exit(r.ok ? 0 : 1), () => process.exit(1))"
# Other containers reach it by the name of its service.
CMD ["wxpay", "sandbox", "--host", "0.0.0.0", "--allow-host", "sandbox", "--port", "8080", "--output", "/sandbox"]
