"""What things cost, made of what was measured (`measured.json`)."""

import json
from pathlib import Path

# Signs of life that one replica tells of in a minute at most (`session.idle` of 15 minutes).
SIGNS_A_MINUTE = 2

# What a replica does for an end that it hears of: more than can be told from the noise of measuring.
END_HEARD_US = 100.0

HERE = Path(__file__).resolve().parent


def read(file=HERE / "measured.json"):
    """Returns the costs that a file of measurements gives."""
    return derive(json.loads(Path(file).read_text()))


def derive(measured):
    """Returns the costs by the names that the model knows: microseconds of one core, bytes, commands."""
    requests, one, three = measured["requests"], measured["shared"]["1"], measured["shared"]["3"]
    replica = {
        "request_plain_us": requests["h1-keepalive-1k_us"],
        "request_tls_us": requests["h1-tls-1k_us"],
        # For each further KiB of an answer.
        "kib_plain_us": _each_kib(requests, "h1-keepalive"),
        "kib_tls_us": _each_kib(requests, "h1-tls"),
        # A new connection with TLS, but for the request on it.
        "handshake_us": requests["h1-new-tls-1k_us"] - requests["h1-tls-1k_us"],
        "login_us": three["login"]["replicas_us"],
        "end_heard_us": END_HEARD_US,
        "idle_us_per_second": one["second"]["replicas_us"],
        "idle_bytes": requests["idle_bytes"],
        "session_bytes": measured["session_bytes"],
        "connection_bytes": requests["connection_bytes"],
    }
    redis = {
        "signs_a_minute": SIGNS_A_MINUTE,
        "login": _event(one["login"]),
        "first_seen": _event(three["first_seen"]),
        # While each of three replicas tells of one as often as it may.
        "sign_of_life": _event(three["active_minute"], share=1 / 3 / SIGNS_A_MINUTE),
        "sign_out": _event(one["sign_out"]),
        "end_told": {
            "cpu_us": _each_further(one, three, "sign_out", "redis_us"),
            "bytes": _each_further(one, three, "sign_out", "sent"),
            "commands": 0.0,
        },
        "replica_second": _event(one["second"]),
        "session_bytes": one["sign_out"]["freed_bytes"],
        # What must not be used twice, and what became of the login, for an hour.
        "used_bytes": max(0, one["login"]["stored_bytes"] - one["sign_out"]["freed_bytes"]),
        "idle_bytes": measured["redis_idle_bytes"],
    }
    return {"replica": replica, "redis": redis}


def _event(figures, share=1.0):
    """Returns what one event costs Redis; what is below the noise costs nothing."""
    return {
        "cpu_us": max(0.0, figures["redis_us"]) * share,
        "bytes": max(0.0, figures["received"] + figures["sent"]) * share,
        "commands": max(0.0, figures["commands"]) * share,
    }


def _each_kib(requests, kind):
    return max(0.0, (requests[f"{kind}-64k_us"] - requests[f"{kind}-1k_us"]) / 63)


def _each_further(one, three, event, key):
    return max(0.0, (three[event][key] - one[event][key]) / 2)
