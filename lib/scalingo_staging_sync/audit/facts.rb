# frozen_string_literal: true

module ScalingoStagingSync
  module Audit
    # What ran, for the engineer: the facts by their names among {Words}, and the lists.
    module Facts
      private

      def facts
        { "run" => run.run_id, "started" => document.started_at, "finished" => document.finished_at, **of_backup,
          "large_objects" => (words.language.number(run.large_objects.to_i) if run.large_objects.to_i.positive?), "rules" => document.fingerprint,
          "size" => sizes, **of_archive, "gem" => VERSION }.reject { |_, value| value.to_s.empty? }
      end

      def of_backup
        backup = run.backup
        return {} unless backup

        { "backup" => [backup.id, (moment(backup.created_at) if backup.created_at), (bytes(backup.size) if backup.size)].compact.join(", "),
          "sha" => backup.sha256,
          "database" => (made_of(backup) if backup.database) }
      end

      def made_of(backup) = words.say("ran.made_of", name: backup.database, server: backup.server_version, dump: backup.dump_version)

      def sizes
        return unless run.size_before && run.size_after && !run.archive

        words.say("ran.before_after", before: bytes(run.size_before), after: bytes(run.size_after))
      end

      def of_archive
        archive = run.archive
        return {} unless archive

        format = words.say("ran.archive_format", size: bytes(archive.size), format: archive.format_version, compression: archive.compression)
        { "archive" => format, "archive_sha" => archive.sha256 }
      end

      def lists
        deciding, part = run.part.partition(&:stays_out?)
        excluded = (run.excluded - deciding.map(&:table)) + deciding
        { "part" => part, "kept_tables" => run.kept, "excluded" => excluded, "left_out" => run.left_out, "warnings" => run.warnings }
          .reject { |_, items| items.empty? }
      end

      # An item of a list: what it is about, and what the tool says of it.
      def parts(item)
        case item
        when Report::Part then [item.table, item.sentences]
        when Report::LeftOut then ["#{item.kind} #{item.name}", [item.why]]
        else [item, []]
        end
      end
    end
  end
end
