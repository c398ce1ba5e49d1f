"""Trusted documents: the documents that the operator has added, and which documents the server runs."""
