# frozen_string_literal: true

# Ends a task with the gem's errors in one line each, without a backtrace, and one that is stopped with the exit status
# that shells expect. What would have no effect on the line ends it, too. What it prints is seen at once, also without a
# terminal.
staging_sync = lambda do |task, arguments, &work|
  $stdout.sync = true
  ScalingoStagingSync::Terminal::CommandLine.new(task, arguments).check!
  work.call
rescue ScalingoStagingSync::Error => error
  abort "#{error.class}: #{error.message}"
rescue SignalException => error
  warn "Stopped (#{error.signm.empty? ? "SIGINT" : error.signm})."
  exit 128 + error.signo
end

namespace :scalingo_staging_sync do
  desc "Replace this app's database by a masked copy of production's newest backup (DRY_RUN=true: only say how)"
  task run: :environment do |task, arguments|
    staging_sync.call(task, arguments) { exit ScalingoStagingSync::Services::Command.new.run }
  end

  desc "Look at configuration, guard, source, target and privileges, and print the plan, without touching anything (FORMAT=json)"
  task check: :environment do |task, arguments|
    staging_sync.call(task, arguments) { exit ScalingoStagingSync::Testing::Tester.new.run }
  end

  desc "List the columns that look personal in the newest backup, without restoring it (SCAN=database: in DATABASE_URL; FORMAT=json)"
  task scan: :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::PersonalDataScan.new.scan }
  end

  desc "Print a ready anonymization_tables block for every column that looks personal and that no rule covers"
  task suggest: :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::PersonalDataScan.new.suggest }
  end

  desc "Fail when a column of the app's own schema looks personal and has neither a rule nor an entry in pii_ignore, for its CI"
  task :coverage, [:schema] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { exit 1 unless ScalingoStagingSync::Services::PersonalDataScan.new.coverage(arguments[:schema]) }
  end

  desc "List the masks that a column can have, with an example of each (FORMAT=json)"
  task masks: :environment do |task, arguments|
    staging_sync.call(task, arguments) do
      list = ScalingoStagingSync::Terminal::MaskList.new
      json = ScalingoStagingSync::Support::Variables.new.word("FORMAT") == "json"
      puts(json ? list.json : list.text)
    end
  end

  desc "Print whether the data in staging is complete, where it comes from, and the last ten runs (FORMAT=json; MAX_AGE=36h: fail when it is older)"
  task status: :environment do |task, arguments|
    staging_sync.call(task, arguments) do
      status = ScalingoStagingSync::Services::Status.new
      max_age = ENV.fetch("MAX_AGE", nil)
      fresh = status.fresh?(max_age)
      status.print
      status.too_old(max_age)&.then { |complaint| warn(complaint) }
      exit 1 unless fresh
    end
  end

  desc "Take the data out of staging when its backup is older than config.data_max_age"
  task expire: :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Expire.new.call }
  end

  desc "Clear what killed runs have left in the target, and what is older than config.retention"
  task cleanup: :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Cleanup.new.call }
  end

  desc "Show ten rows of a table before and after masking, in a terminal only"
  task :preview, [:table] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::TablePreview.new.show(arguments[:table]) }
  end

  desc "Say why a row comes with a subset, or why it does not, by its primary key, in a terminal only"
  task :why, %i[table id] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Why.new.say(*arguments.values_at(:table, :id)) }
  end

  desc "Write production's newest backup into a masked archive, with a sealed manifest beside it (`-`: standard output)"
  task :dump, [:path] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Dump.new.write(arguments[:path]) }
  end

  desc "Publish a masked archive to the Active Storage service config.publish_service (default: config.archive_file)"
  task :publish, [:file] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Publish.new.call(arguments[:file]) }
  end

  desc "Replace this app's database by the newest masked archive, from staging's server or config.publish_service, or by one in a file"
  task :pull, [:file] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::Pull.new.call(arguments[:file]) }
  end

  desc "Make a token with which masked archives are fetched from this app, and print it once (scope: archive or manifest)"
  task :token, %i[name scope days] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::AccessTokens.new.make(*arguments.values_at(:name, :scope, :days)) }
  end

  desc "List the tokens for masked archives, without what they are"
  task tokens: :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::AccessTokens.new.list }
  end

  desc "End a token for masked archives, at once"
  task :revoke, [:name] => :environment do |task, arguments|
    staging_sync.call(task, arguments) { ScalingoStagingSync::Services::AccessTokens.new.revoke(arguments[:name]) }
  end

  namespace :audit do
    desc "Check that an audit file was written under this app's anonymization key and not changed since"
    task :verify, [:file] => :environment do |task, arguments|
      staging_sync.call(task, arguments) do
        ScalingoStagingSync.configuration.check!
        ScalingoStagingSync::Audit::Seal.new.verify!(arguments[:file])
      end
      puts "The audit file #{ScalingoStagingSync::Support::Echo.of(arguments[:file])} is as it was written."
    end
  end

  desc "Write config/initializers/scalingo_staging_sync.rb (CRON: schedule the run, too), or print what a server or client of archives needs"
  task :install, %i[side env_file] => :environment do |task, arguments|
    staging_sync.call(task, arguments) do
      require "rails/generators"
      pretend = ScalingoStagingSync::Support::Variables.new.yes?("DRY_RUN")
      cron = ENV.fetch("CRON", nil)
      options = ScalingoStagingSync::Terminal::InstallOptions.read(*arguments.values_at(:side, :env_file), cron:, pretend:)
      Rails::Generators.invoke("scalingo_staging_sync:install", options, destination_root: Rails.root)
    end
  end
end
