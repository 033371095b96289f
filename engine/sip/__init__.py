"""SIP, sans-IO: bytes and time in, ordered outputs out (RFC 3261 and its extensions)."""
