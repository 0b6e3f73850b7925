//! PostgreSQL, the target: connecting, resetting, the schema, rows, and the graph of indexes and keys.
