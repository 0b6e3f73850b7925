# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    class Page
      # What ran: run, backup, rules and sizes.
      class Facts < Template
        private

        def pairs
          {
            "Run" => run.run_id, "Started" => document.started_at, "Finished" => document.finished_at, **of_backup,
            "Large objects" => (count(run.large_objects) if run.large_objects.to_i.positive?),
            "Rules, fingerprint" => document.fingerprint, "Database size" => sizes, **of_archive, "Gem" => VERSION
          }.reject { |_, value| value.to_s.empty? }
        end

        def of_backup
          backup = run.backup
          return {} unless backup

          made = moment(backup.created_at) if backup.created_at
          { "Backup" => [backup.id, made, (bytes(backup.size) if backup.size)].compact.join(", "), "Archive, SHA-256" => backup.sha256,
            "Of the database" => (made_of(backup) if backup.database) }
        end

        def made_of(backup) = "#{backup.database}, PostgreSQL #{backup.server_version}, by pg_dump #{backup.dump_version}"

        def sizes
          "#{bytes(run.size_before)} before, #{bytes(run.size_after)} after" if run.size_before && run.size_after && !run.archive
        end

        def of_archive
          archive = run.archive
          return {} unless archive

          { "Masked archive" => "#{bytes(archive.size)}, format #{archive.format_version}, #{archive.compression}",
            "Masked archive, SHA-256" => archive.sha256 }
        end
      end
    end
  end
end
