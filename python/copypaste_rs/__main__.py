"""``python -m copypaste_rs`` is ``copypaste-rs``."""

from copypaste_rs.cli import main

if __name__ == "__main__":
    main()
