"""Whether the service that these settings run is ready: for the health check of a container."""

from __future__ import annotations

import http.client
import ssl
from ipaddress import ip_address

import rich_click as click

from careplan.cli.common import fail, read_settings

SECONDS = 4.0


@click.command()
def healthcheck() -> None:
    """Ask the service that runs on this machine with the same settings whether it is ready; exit with 0 if it is, else 1.

    Host, port and TLS are those of the settings. Whether the certificate names this machine does not matter: who answers on
    its own port is asked.

    Example: careplan healthcheck
    """
    settings = read_settings()
    host = settings.host
    try:
        if ip_address(host).is_unspecified:
            host = "::1" if ":" in host else "127.0.0.1"
    except ValueError:
        pass
    connection = (
        http.client.HTTPSConnection(host, settings.port, timeout=SECONDS, context=_unverified())
        if settings.tls_key
        else http.client.HTTPConnection(host, settings.port, timeout=SECONDS)
    )
    try:
        connection.request("GET", "/readyz")
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        fail(f"the service does not answer: {getattr(error, 'strerror', None) or type(error).__name__}", 1)
    finally:
        connection.close()
    if status != http.client.OK:
        fail(f"the service is not ready: {status}", 1)
    click.echo("ready")


def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
