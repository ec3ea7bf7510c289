# The image of `waq`: dependencies at the versions the tests ran with, no root, no build tools.
# docker build -t waqcore .

FROM python:3.11.13-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/waqcore
# The pins without their hashes: pip takes hashes only where everything has one, our own code too.
COPY requirements.txt ./
RUN sed -e '/--hash=/d' -e 's/ *\\$//' requirements.txt > constraints.txt
COPY pyproject.toml README.md LICENSE ./
COPY waqcore waqcore
RUN /opt/waqcore/bin/pip install --constraint constraints.txt '.[serve,postgres]'

FROM python:3.11.13-slim-bookworm
LABEL org.opencontainers.image.title="waqcore" \
      org.opencontainers.image.description="A paced, durable dispatcher for WhatsApp messages" \
      org.opencontainers.image.licenses="MIT"
# Numbers, so that a volume's owner means the same on every host.
RUN groupadd --gid 10001 waqcore \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/waqcore \
       --shell /usr/sbin/nologin waqcore \
    && install -d -o waqcore -g waqcore -m 0700 /var/lib/waqcore
COPY --from=build /opt/waqcore /opt/waqcore
COPY --chmod=0755 waqcore/deploy/docker/entrypoint.sh /usr/local/bin/waq-with-secrets
ENV PATH=/opt/waqcore/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    WAQ_DATABASE_URL=sqlite:////var/lib/waqcore/waqcore.db
USER 10001:10001
WORKDIR /var/lib/waqcore
VOLUME /var/lib/waqcore
EXPOSE 8080
# A call in flight may take a minute, and is settled before the process ends: stop with -t 75.
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=15s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8080/healthz', timeout=4).read()"]
ENTRYPOINT ["waq-with-secrets"]
CMD ["serve", "--host", "0.0.0.0", "--log", "json"]
