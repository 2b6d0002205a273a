# singleview in an environment of its own, as a user of its own.
FROM python:3.11-slim-bookworm AS build
COPY requirements/run.lock /src/requirements/run.lock
RUN python -m venv /opt/singleview \
    && /opt/singleview/bin/pip install --no-cache-dir --require-hashes --requirement /src/requirements/run.lock
COPY pyproject.toml README.md LICENSE /src/
COPY streams /src/streams
COPY tables /src/tables
COPY schemas /src/schemas
COPY connectors /src/connectors
RUN /opt/singleview/bin/pip install --no-cache-dir --no-deps --no-build-isolation /src

FROM python:3.11-slim-bookworm
RUN useradd --system --uid 10001 --no-create-home singleview \
    && install --directory --mode=0700 --owner=singleview /var/lib/singleview
COPY --from=build /opt/singleview /opt/singleview
# The default configuration and the mappings it names. Mount a folder with your own singleview.yaml over /app/deploy: what the
# image itself needs is outside of it.
COPY deploy/healthcheck.py /app/healthcheck.py
COPY deploy/singleview.yaml /app/deploy/singleview.yaml
COPY connectors/mappings/examples /app/connectors/mappings/examples
ENV PATH=/opt/singleview/bin:$PATH PYTHONUNBUFFERED=1
WORKDIR /app
USER singleview
VOLUME /var/lib/singleview
HEALTHCHECK --interval=30s --timeout=20s --start-period=60s --retries=3 \
    CMD ["python", "healthcheck.py", "deploy/singleview.yaml"]
ENTRYPOINT ["singleview"]
CMD ["run", "--config", "deploy/singleview.yaml"]
