"""Where each demo shop listens, unless `SAMPLE_LUMEN`, `SAMPLE_DEPOT` or `SAMPLE_PARTS` names another address."""

LOOPBACK = "127.0.0.1"
SHOP_PORTS = {"lumen": 9101, "depot": 9102, "parts": 9103}


def variable(shop: str) -> str:
    """Return the environment variable that holds the shop's base URL; config.yml reads it."""
    return f"SAMPLE_{shop.upper()}"


def base_url(port: int) -> str:
    """Return the base URL of a port of this machine."""
    return f"http://{LOOPBACK}:{port}"
