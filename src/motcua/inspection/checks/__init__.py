"""The library of checks: each says what it looks at, where it holds, by which law, and what it cannot see. Pure."""
