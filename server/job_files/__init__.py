"""Jobs as code: files of job documents, and what `mainsheet jobs` does with them against a server."""
