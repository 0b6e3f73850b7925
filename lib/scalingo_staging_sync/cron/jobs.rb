# frozen_string_literal: true

require "json"
require "strscan"

module ScalingoStagingSync
  module Cron
    # An app's cron.json: the jobs in it, and the same text with the run scheduled. Everything else stays as it
    # is written, other jobs, keys and layout alike.
    class Jobs
      NAME = "cron.json"

      # How many jobs Scalingo schedules for an app.
      MOST_JOBS = 5

      TASK = "scalingo_staging_sync:run"
      STRING = /"(?:[^"\\]|\\.)*"/m
      private_constant :TASK, :STRING

      # @param text [String, nil] what is in the file; nil if there is none
      # @raise [ConfigurationError] when it is not JSON, or not what Scalingo reads
      def initialize(text)
        @text = text.to_s.dup.force_encoding(Encoding::UTF_8)
        @data = parse
        @jobs = @data.is_a?(Hash) ? @data.fetch("jobs", []) : nil
        return if @jobs.is_a?(Array) && @jobs.all? { |job| job.is_a?(Hash) && job["command"].is_a?(String) }

        raise unreadable("is not what Scalingo reads")
      end

      # @return [Array<String>] the commands of all jobs
      def commands = @jobs.map { |job| job["command"] }

      # @return [Array<String>] the commands that run the gem's task
      def own = commands.select { |command| own?(command) }

      # @return [Boolean] whether Scalingo would refuse this many jobs
      def too_many? = @jobs.size > MOST_JOBS

      # The text with the run scheduled: by a new job at the end, or, where one job runs it already, at that job's new time.
      #
      # @param schedule [String] the five fields
      # @param size [String] the size of a new job's container
      # @return [String] the whole text; the same as before where nothing changes
      # @raise [ConfigurationError] when the schedule is invalid, or there is no room for it
      def schedule(schedule, size: "M")
        time = time(schedule)
        return @text if own.any? { |command| Schedule.split(command).first == time }
        raise several if own.size > 1
        return added(time, size) if own.empty?

        changed(own.first, "#{time} #{runs(own.first)}")
      end

      private

      # Neither Scalingo nor newer versions of the library accept comments in JSON.
      def parse
        raise unreadable("is not UTF-8") unless @text.valid_encoding?
        return {} if @text.strip.empty?
        raise unreadable("has a comment, and is not JSON") if @text.gsub(STRING, "").include?("/")

        JSON.parse(@text)
      rescue JSON::ParserError
        raise unreadable("is not JSON")
      end

      def own?(command) = command.match?(/(?<![\w:])#{Regexp.escape(TASK)}(?![\w:])/o)

      def time(schedule)
        Schedule.new(schedule).text
      rescue Schedule::Invalid => error
        raise ConfigurationError.new("The schedule #{Support::Echo.inspect(schedule)} cannot be used: #{error.message}.",
                                     "Give five fields in UTC, such as \"0 3 * * 0\" for Sundays at 3.")
      end

      # What a job runs, without its time.
      def runs(command)
        time, rest = Schedule.split(command)
        Schedule.new(time)
        rest
      rescue Schedule::Invalid
        raise ConfigurationError.new("The job in #{NAME} that runs #{TASK} does not begin with a schedule that Scalingo takes.",
                                     "Correct its command in #{NAME} yourself.")
      end

      def added(time, size)
        if @jobs.size >= MOST_JOBS
          raise ConfigurationError.new("#{NAME} has #{@jobs.size} jobs already, and Scalingo schedules #{MOST_JOBS} of an app.",
                                       "Remove one from #{NAME}.")
        end

        job = { "command" => "#{time} bundle exec rake #{TASK}", "size" => size }
        wanted = @data.merge("jobs" => [*@jobs, job])
        text = with_new_job(job)
        (text && same?(text, wanted)) ? text : "#{JSON.pretty_generate(wanted)}\n"
      end

      # A command is a string of its own, so that only that string is replaced.
      def changed(before, after)
        jobs = @jobs.map { |job| (job["command"] == before) ? job.merge("command" => after) : job }
        wanted = @data.merge("jobs" => jobs)
        text = @text.gsub(STRING) { |literal| (JSON.parse("[#{literal}]") == [before]) ? JSON.generate(after) : literal }
        same?(text, wanted) ? text : "#{JSON.pretty_generate(wanted)}\n"
      end

      def same?(text, wanted)
        JSON.parse(text) == wanted
      rescue JSON::ParserError
        false
      end

      # The text with the job after the last one, laid out like that one; nil if there is no other job.
      def with_new_job(job)
        start, finish = last_job
        return unless start

        before = @text[...start]
        line = before[/[\r\n]*[ \t]*\z/]
        layout = @text[start...finish]
        "#{@text[...finish]},#{line.empty? ? " " : line}#{laid_out(job, layout, line)}#{@text[finish..]}"
      end

      def laid_out(job, layout, line)
        inner = layout[/\A\{([\r\n]+[ \t]*)"/, 1]
        return "{ #{job.map { |key, value| "#{key.to_json}: #{value.to_json}" }.join(", ")} }" unless inner

        "{#{inner}#{job.map { |key, value| "#{key.to_json}: #{value.to_json}" }.join(",#{inner}")}#{line}}"
      end

      # Where the last object in the list `jobs` begins and ends.
      def last_job
        path = []
        found = nil
        key = nil
        scanner = StringScanner.new(@text)
        until scanner.eos?
          if (literal = scanner.scan(STRING))
            key = literal
          elsif (bracket = scanner.scan(/[\[{]/))
            path.push([bracket, key, scanner.charpos - 1])
          elsif scanner.scan(/[\]}]/)
            _, _, at = path.pop
            found = [at, scanner.charpos] if path.map { |open, name, _| [open, name] } == [["{", nil], ["[", '"jobs"']]
          else
            scanner.getch
          end
        end
        found
      end

      def several
        ConfigurationError.new("#{NAME} has #{own.size} jobs that run #{TASK}, so it is not clear which one is meant.",
                               "Change their times in #{NAME} yourself.")
      end

      def unreadable(what)
        ConfigurationError.new("#{NAME} #{what}: a Hash with a list `jobs`, each with a `command`.",
                               "Correct #{NAME}, or remove it.")
      end
    end
  end
end
