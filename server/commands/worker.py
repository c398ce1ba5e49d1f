"""The process of a worker. Keep this module's name: after an upgrade, a supervisor of the old version starts it."""

from mainsheet.server.process.garbage import uncollected

with uncollected():
    from mainsheet.server.commands.serving import main

if __name__ == "__main__":
    main()
