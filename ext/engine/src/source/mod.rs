//! Where a backup comes from: the Scalingo API and its download, or a local file; gzip and tar decoded on the fly.
