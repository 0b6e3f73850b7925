# frozen_string_literal: true

require "fileutils"
require "open3"
require "tmpdir"

# A file system of a few megabytes, in memory, that a test can fill and empty again. It takes root to mount one.
class SmallDisk
  # Why there can be none here; nil where there can.
  def self.missing
    return @missing if defined?(@missing)

    disk = new(1)
    disk.remove
    @missing = nil
  rescue RuntimeError => error
    @missing = "no small file system can be mounted here: #{error.message}"
  end

  attr_reader :path

  # @param megabytes [Integer] how large it is
  # @param owner [String, nil] a path whose owner may write to it; nil for this user
  # @raise [RuntimeError] when it cannot be mounted
  def initialize(megabytes, owner: nil)
    @path = Dir.mktmpdir("staging-sync-disk")
    output, status = Open3.capture2e("mount", "-t", "tmpfs", "-o", "size=#{megabytes}m,mode=0700", "tmpfs", @path)
    raise output.lines.first.to_s.strip unless status.success?

    return unless owner

    stat = File.stat(owner)
    File.chown(stat.uid, stat.gid, @path)
  rescue RuntimeError, SystemCallError => error
    FileUtils.rm_rf(@path)
    raise error.is_a?(RuntimeError) ? error : error.message
  end

  # Fills it until so many kilobytes are free.
  def leave(kilobytes)
    File.open(filler, "ab") do |file|
      loop do
        spare = free - kilobytes
        break unless spare.positive?

        file.write("\0" * (spare * 1024))
      end
    rescue Errno::ENOSPC
      nil # The server was quicker.
    end
  end

  # Takes away what filled it.
  def empty = FileUtils.rm_f(filler)

  # The kilobytes that are free.
  def free = Integer(Open3.capture2("df", "-k", "--output=avail", @path).first.lines.last)

  def remove
    system("umount", @path, exception: true)
    FileUtils.rm_rf(@path)
  end

  private

  def filler = File.join(@path, "filler")
end
