# frozen_string_literal: true

require "mkmf"
require "rb_sys/mkmf"
create_rust_makefile("scalingo_staging_sync/scalingo_staging_sync")
