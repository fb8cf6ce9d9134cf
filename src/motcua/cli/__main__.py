"""`python -m motcua.cli`."""

from motcua.cli.main import main

main()
