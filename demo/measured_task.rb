# frozen_string_literal: true

# A rake task of the staging app, with what it took: seconds, peak memory, and bytes in files.
class MeasuredTask
  attr_reader :seconds

  def initialize(app, task)
    @app = app
    @task = task
    @temporary = Dir.mktmpdir("staging-sync-demo-tmp")
    @report = File.join(app.directory, "process_report_of_#{task.tr(":", "_")}")
    @most_temporary_bytes = 0
  end

  # Runs it, and yields each line of its output as it comes.
  def run(&)
    started = Process.clock_gettime(Process::CLOCK_MONOTONIC)
    process = @app.start_rake(@task, environment: {
                                "TMPDIR" => @temporary, "RUBYOPT" => "-r#{File.expand_path("process_report",
                                                                                           __dir__)}", "DEMO_PROCESS_REPORT" => @report
                              })
    watcher = Thread.new { watch }
    process.each_line(&) if block_given?
    @result = process.wait
    @seconds = Process.clock_gettime(Process::CLOCK_MONOTONIC) - started
    @stopping = true
    watcher.join
  ensure
    FileUtils.remove_entry(@temporary)
  end

  def success? = @result.success?

  def output = @result.output

  # The most resident memory that the process ever had, in bytes; nil if the kernel does not report it.
  def peak_memory = reported("peak_memory")

  # What the process wrote to disk, deleted files included; nil if the kernel does not report it.
  def bytes_to_disk = reported("bytes_to_disk")

  # The most that lay in the directories for temporary files at any moment, without the audit file that is asked for.
  attr_reader :most_temporary_bytes

  private

  def reported(name)
    File.read(@report)[/^#{name} (\d+)/, 1]&.to_i if File.exist?(@report)
  end

  def watch
    until @stopping
      bytes = temporary_files.sum { |file| File.size?(file).to_i }
      @most_temporary_bytes = [@most_temporary_bytes, bytes].max
      sleep 0.02
    end
  end

  def temporary_files
    Dir.glob(["#{@temporary}/**/*", "#{@app.directory}/tmp/**/*"], File::FNM_DOTMATCH)
       .reject { |file| File.directory?(file) || File.basename(file).start_with?("audit.") }
  end
end
