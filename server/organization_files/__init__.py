"""An organization as code: its document, and what `mainsheet apply` and `mainsheet export` do with it."""
