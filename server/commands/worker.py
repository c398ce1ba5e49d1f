"""The process that the supervisor, perhaps of an older version, starts for each worker."""

from mainsheet.server.process.garbage import uncollected

with uncollected():
    from mainsheet.server.commands.serving import main

if __name__ == "__main__":
    main()
