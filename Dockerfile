# One image for the API, the watcher and the sample shops; docker-compose.yml says which command runs where.
ARG BASE_IMAGE=python:3.11-slim-bookworm

FROM ${BASE_IMAGE} AS build
# uWSGI is compiled here. A Python that comes without its headers (Debian's own) gets them too.
RUN apt-get update -qq \
    && apt-get install -y -qq --no-install-recommends gcc libc6-dev \
    && { python3 -c 'import os, sys, sysconfig; sys.exit(not os.path.exists(sysconfig.get_path("include") + "/Python.h"))' \
         || apt-get install -y -qq --no-install-recommends python3-dev; }
COPY requirements.txt .
RUN python3 -m venv /opt/venv \
    && /opt/venv/bin/pip install -q --no-cache-dir --disable-pip-version-check --require-hashes -r requirements.txt
# uWSGI needs libpython, which may have come with the headers alone. pip has done its work.
RUN mkdir -p /opt/venv/libpython \
    && cp -L "$(ldd /opt/venv/bin/uwsgi | awk '$1 ~ /^libpython/ {print $3}')" /opt/venv/libpython/ \
    && /opt/venv/bin/pip uninstall -q -y pip setuptools

FROM ${BASE_IMAGE}
ENV PATH=/opt/venv/bin:$PATH LD_LIBRARY_PATH=/opt/venv/libpython \
    PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 \
    AISLE_DATA=/data AISLE_HTTP=0.0.0.0:8080
# /data: the catalogue. /run/aisle: uWSGI's socket, where Nginx finds it. The rest of the file system may be read-only, but for /tmp.
RUN groupadd --gid 10001 aisle \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin aisle \
    && install -d -o aisle -g aisle -m 0700 /data \
    && install -d -o aisle -g aisle -m 0755 /run/aisle
WORKDIR /srv/aisle
COPY --from=build /opt/venv /opt/venv
COPY config.yml uwsgi.ini ./
COPY sample sample
COPY main main
RUN python -m compileall -q main sample
USER 10001:10001
VOLUME /data
EXPOSE 8080
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=10s --timeout=3s --start-period=20s --retries=3 \
    CMD ["python", "-c", "from urllib.request import ProxyHandler, build_opener as opener; opener(ProxyHandler({})).open('http://127.0.0.1:8080/health', timeout=2)"]
CMD ["uwsgi", "--ini", "uwsgi.ini"]
