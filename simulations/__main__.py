"""`python -m simulations`."""

from simulations.cli import main

if __name__ == "__main__":  # Workers of a sweep import this module too.
    main()
