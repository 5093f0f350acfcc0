# The service in two stages: what compiles stays behind in the first. Builds with plain `docker build .`, no BuildKit needed.
FROM python:3.13.9-bookworm AS builder
# durable-rules names a function that CPython 3.13 no longer has.
ENV CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
RUN python -m venv /opt/careplan
COPY requirements/service.lock requirements/build.lock requirements/
# What builds is pinned too: durable-rules comes as source, and without isolation nothing else is fetched for it.
RUN python -m pip install --require-hashes -r requirements/build.lock \
 && /opt/careplan/bin/python -m pip install --require-hashes -r requirements/build.lock \
 && /opt/careplan/bin/python -m pip install --require-hashes --no-build-isolation -r requirements/service.lock
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
COPY rules rules
COPY examples examples
RUN python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/careplan/bin/python -m pip install --no-deps dist/*.whl \
 && /opt/careplan/bin/python -m pip uninstall --yes editables hatchling pluggy setuptools tomlkit trove-classifiers pip \
 && /opt/careplan/bin/careplan rules check

FROM python:3.13.9-slim-bookworm
LABEL org.opencontainers.image.title="careplan" \
      org.opencontainers.image.description="Draft care plans for ketamine clinics" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN groupadd --system --gid 10001 careplan \
 && useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin careplan
COPY --from=builder /opt/careplan /opt/careplan
ENV PATH=/opt/careplan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CAREPLAN_HOST=0.0.0.0 \
    CAREPLAN_PORT=8000 \
    CAREPLAN_WORKERS=2 \
    CAREPLAN_DRAIN_SECONDS=5
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=5s --start-period=15s --retries=3 \
  CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["careplan", "serve"]
