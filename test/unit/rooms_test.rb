# frozen_string_literal: true

require "test_helper"

# The rooms of lib/, as docs/architecture.md lists them from the top down: a file uses its own room and those below it, so
# that each can be read without those above.
class RoomsTest < Minitest::Test
  ROOT = File.expand_path("../..", __dir__)
  LIBRARY = "#{ROOT}/lib/scalingo_staging_sync".freeze

  # Documented names whose work is done in a room above them.
  DOORS = %w[support/environment_validator.rb support/production_guard.rb database/pii_scanner.rb].freeze

  def test_every_folder_is_in_the_list_and_says_what_it_is
    assert_equal levels.flatten.sort, Dir.children(LIBRARY).select { |name| File.directory?("#{LIBRARY}/#{name}") }.sort
    levels.flatten.each do |room|
      assert_match(/^  (?:#.+\n  )+(?:class|module) #{constant(room)}\b/, File.read("#{LIBRARY}/#{room}.rb"), "#{room}.rb has no comment on what it is")
    end
  end

  def test_no_room_uses_one_above_it
    upward = files.flat_map do |file|
      code = File.read("#{LIBRARY}/#{file}").gsub(/^\s*#.*$/, "")
      above(file[/\A\w+/]).select { |room| code.match?(/(?<![:\w"])#{constant(room)}(?=::|\.)/) }.map { |room| "#{file} uses #{room}" }
    end
    assert_empty upward
  end

  def test_the_crates_below_the_engine_name_no_option_of_the_configuration
    sources = Dir["#{ROOT}/ext/{archive,leak_check,masking,near,personal_data}/src/**/*.rs"]
    assert_operator sources.size, :>, 100
    assert_empty(sources.select { |file| File.read(file).include?("config.") })
  end

  private

  def levels
    @levels ||= File.read("#{ROOT}/docs/architecture.md")[/^## The rooms of .+?```text\n(.+?)```/m, 1].lines.map { |line| line.split(/ {2,}/).first.split }
  end

  def above(room) = levels.take_while { |level| !level.include?(room) }.flatten

  def files = Dir["*/**/*.{rb,erb}", base: LIBRARY] - DOORS

  def constant(room) = room.split("_").map(&:capitalize).join
end
