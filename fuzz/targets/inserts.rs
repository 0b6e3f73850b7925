#![no_main]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| staging_sync_fuzz::inserts(bytes));
