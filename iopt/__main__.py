"""`python -m iopt` is `iopt`."""

from iopt.cli import main

if __name__ == "__main__":
    main()
