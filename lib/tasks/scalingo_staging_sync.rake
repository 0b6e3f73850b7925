# frozen_string_literal: true

namespace :scalingo_staging_sync do
  desc "Replace this app's database by a masked copy of production's newest backup"
  task run: :environment do
    ScalingoStagingSync::Services::Coordinator.new.execute!
  rescue ScalingoStagingSync::Error => error
    abort "#{error.class}: #{error.message}"
  end

  desc "Look at configuration, production guard and installation, without touching anything"
  task check: :environment do
    abort unless ScalingoStagingSync::Testing::Tester.new.run
  end

  desc "List the masks that a column can have, with an example of each"
  task masks: :environment do
    puts ScalingoStagingSync::Support::MaskList.new.text
  end

  desc "Write config/initializers/scalingo_staging_sync.rb"
  task install: :environment do
    require "rails/generators"
    Rails::Generators.invoke("scalingo_staging_sync:install", [], destination_root: Rails.root)
  end
end
