"""``python -m cli``: the `routecast` command."""

from cli.main import main

if __name__ == "__main__":
    main(prog_name="routecast")
