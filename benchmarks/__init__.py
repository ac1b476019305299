"""``make bench``: compare this connector with other programs that read the same archives."""
