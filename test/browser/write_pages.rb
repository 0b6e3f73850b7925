# frozen_string_literal: true

# Writes the gem's pages, of invented runs, into a folder: `ruby write_pages.rb FOLDER`. bin/check-pages looks at them.

require "fileutils"
require "scalingo_staging_sync"
require_relative "../support/audit_samples"

folder = ARGV.fetch(0)
FileUtils.mkdir_p(folder)
%i[en fr].each do |locale|
  [5, 20, 50, 2000].each { |tables| File.write("#{folder}/audit-#{tables}-#{locale}.html", AuditSamples.page(tables, locale:)) }
  File.write("#{folder}/audit-sound-#{locale}.html", AuditSamples.page(20, locale:, sound: true))
  File.write("#{folder}/audit-bad-#{locale}.html", AuditSamples.page(20, locale:, bad: true))
  now = Time.now
  %i[syncing expired incomplete].each do |state|
    page = ScalingoStagingSync::Support::MaintenancePage.new(state, app: "my-shop-staging", since: now - 240, expected: now + 300, locale:, now:)
    File.write("#{folder}/503-#{state}-#{locale}.html", page.to_s)
  end
end
