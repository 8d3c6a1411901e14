"""The embedded engine: SQLite keeps the operations, tantivy is derived from them."""
