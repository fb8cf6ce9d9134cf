"""Notices: digests and alerts by web, e-mail and webhook, each told once, acknowledged or muted with a reason."""
