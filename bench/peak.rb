# frozen_string_literal: true

# Required by a Ruby process that is measured: says at its end how much memory it has taken at most. One that ends soon
# after that moment is gone before the next look from outside.
at_exit do
  peak = File.read("/proc/self/status")[/^VmHWM:\s+(\d+)/, 1]
  File.write(File.join(ENV.fetch("BENCH_PEAKS"), Process.pid.to_s), peak)
end
