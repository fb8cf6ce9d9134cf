"""The training house in the browser: who signs in, the guides, and the way to start over."""
