# frozen_string_literal: true

# Required into a measured process through RUBYOPT (see MeasuredTask): when it ends, it writes down what the kernel
# knows of it. Linux only; elsewhere it writes nothing.
at_exit do
  status, io = %w[status io].map { |name| File.read("/proc/self/#{name}") }
  File.write(ENV.fetch("DEMO_PROCESS_REPORT"), <<~REPORT)
    peak_memory #{status[/VmHWM:\s+(\d+)/, 1].to_i * 1024}
    bytes_to_disk #{io[/^write_bytes: (\d+)/, 1]}
  REPORT
rescue SystemCallError
  nil
end
