# The service in stages: what compiles stays behind, and each layer of the last one changes by itself: the system, the packages
# that the lock files pin, and last what is ours with its rules. Builds with plain `docker build .`, no BuildKit needed, and by
# `make image` without a daemon. BUILDER and RUNTIME may be other images that have the same Python at the same place.
ARG BUILDER=python:3.13.9-bookworm
ARG RUNTIME=python:3.13.9-slim-bookworm

FROM ${BUILDER} AS dependencies
# durable-rules names a function that CPython 3.13 no longer has.
ENV CPPFLAGS=-DPyEval_CallObject=PyObject_CallObject \
    PIP_DISABLE_PIP_VERSION_CHECK=1 \
    PIP_NO_CACHE_DIR=1
WORKDIR /build
COPY requirements/service.lock requirements/build.lock requirements/
# What builds is pinned too: durable-rules comes as source, and without isolation nothing else is fetched for it.
RUN python3 -m venv /opt/builder \
 && python3 -m venv /opt/careplan \
 && /opt/builder/bin/python -m pip install --require-hashes -r requirements/build.lock \
 && /opt/careplan/bin/python -m pip install --require-hashes -r requirements/build.lock \
 && /opt/careplan/bin/python -m pip install --require-hashes --no-build-isolation -r requirements/service.lock \
 && /opt/careplan/bin/python -m pip uninstall --yes editables hatchling pluggy setuptools tomlkit trove-classifiers pip \
 && /opt/careplan/bin/python -c "import site; print('/opt/service', file=open(site.getsitepackages()[0] + '/service.pth', 'w'))"

FROM dependencies AS service
COPY pyproject.toml README.md LICENSE NOTICE ./
COPY src src
COPY rules rules
COPY examples examples
COPY openapi/openapi.json openapi/
RUN /opt/builder/bin/python -m pip wheel --no-deps --no-build-isolation --wheel-dir dist . \
 && /opt/builder/bin/python -m pip install --no-deps --no-compile --target /opt/service dist/*.whl \
 && printf '#!/bin/sh\nexec /opt/careplan/bin/python -P -m careplan.cli.start "$@"\n' > /opt/service/bin/careplan \
 && chmod 0755 /opt/service/bin/careplan \
 && /opt/service/bin/careplan rules check

FROM ${RUNTIME}
ARG VERSION=0.1.0
ARG REVISION=unknown
RUN groupadd --system --gid 10001 careplan \
 && useradd --system --uid 10001 --gid 10001 --home-dir /nonexistent --no-create-home --shell /usr/sbin/nologin careplan
COPY --from=dependencies /opt/careplan /opt/careplan
COPY --from=service /opt/service /opt/service
ENV PATH=/opt/service/bin:/opt/careplan/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    CAREPLAN_HOST=0.0.0.0 \
    CAREPLAN_PORT=8000 \
    CAREPLAN_WORKERS=2 \
    CAREPLAN_DRAIN_SECONDS=5
# Below the layers, as they change with every build.
LABEL org.opencontainers.image.title="careplan" \
      org.opencontainers.image.description="Draft care plans for ketamine clinics" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
USER 10001:10001
WORKDIR /tmp
EXPOSE 8000
STOPSIGNAL SIGTERM
# Asks the port and in the way that the container's settings say.
HEALTHCHECK --interval=15s --timeout=5s --start-period=15s --retries=3 CMD ["careplan", "healthcheck"]
CMD ["careplan", "serve"]
