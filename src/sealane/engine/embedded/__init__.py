"""The embedded engine: SQLite keeps the operations, tantivy is derived from them.

`EmbeddedEngine` is in engine.py, not imported here: tantivy costs memory and time that not every command needs.
"""
