"""``python -m main``."""

from main.cli import main

if __name__ == "__main__":
    main()
