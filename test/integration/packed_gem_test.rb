# frozen_string_literal: true

require_relative "../test_helper"
require "open3"
require "rubygems/package"

# The gem as RubyGems unpacks it can be compiled. This stops short of the machine code, for the sake of time;
# test/installation.rb installs the gem and runs it.
class PackedGemTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)

  # Always the same folder, so that cargo keeps one set of artefacts for it; they lie beside those of the tests.
  UNPACKED = "#{ROOT}/tmp/packed_gem".freeze

  def test_cargo_compiles_what_is_in_the_gem_with_the_versions_that_are_locked
    unpack
    output, status = Open3.capture2e({ "CARGO_TARGET_DIR" => "#{ROOT}/target", "RUSTFLAGS" => nil }, "cargo", "check", "--quiet",
                                     "--locked", "--package", "scalingo_staging_sync", chdir: UNPACKED)
    assert_predicate status, :success?, output
  end

  private

  def unpack
    FileUtils.rm_rf(UNPACKED)
    FileUtils.mkdir_p(UNPACKED)
    gem = Dir.chdir(ROOT) do
      specification = Gem::Specification.load("scalingo-staging-sync.gemspec")
      Gem::DefaultUserInteraction.use_ui(Gem::SilentUI.new) do
        Gem::Package.build(specification, true, false, "#{UNPACKED}.gem")
      end
    end
    Gem::Package.new(gem).extract_files(UNPACKED)
  end
end
