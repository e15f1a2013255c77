"""The operations door: health, readiness and metrics on loopback. Its parts are imported by those who open it."""
