"""`python -m sonoworld` is the `sonoworld` command."""

from sonoworld.cli import main

if __name__ == "__main__":
    main()
