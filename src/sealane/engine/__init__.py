"""Where documents live: shards that keep a history of operations and can be searched."""
