# frozen_string_literal: true

require "shellwords"

# The pages of the documentation, as their tests read them.
module Pages
  ROOT = File.expand_path("../..", __dir__)
  REPOSITORY = "https://github.com/navidemad/scalingo-staging-sync"

  # A page, by its path from the project's root.
  Page = Data.define(:path) do
    def text = (@@texts ||= {})[path] ||= File.read("#{ROOT}/#{path}", encoding: "UTF-8") # rubocop:disable Style/ClassVars

    # The blocks of a language, without the indentation that they have within a list.
    def blocks(language)
      text.scan(/^( *)```#{language}\n(.*?)^\1```$/m).map { |indent, block| block.gsub(/^#{indent}/, "") }
    end

    # What is not in a block.
    def prose = text.gsub(/^( *)```.*?^\1```$/m, "")

    # The names by which its headings are linked to, as GitHub and mdBook make them.
    def anchors
      prose.scan(/^#+ (.+)$/).flatten.each_with_object([]) do |title, names|
        name = title.downcase.gsub(/[^\p{Word}\- ]/, "").tr(" ", "-")
        before = names.count { |other| other.match?(/\A#{Regexp.escape(name)}(-\d+)?\z/) }
        names << (before.zero? ? name : "#{name}-#{before}")
      end
    end

    # Where its links and pictures lead to.
    def links = prose.gsub(/`[^`\n]*`/, "").scan(/\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/).flatten.compact

    # The commands in its blocks of shell: of a block with prompts, what follows them.
    def commands
      blocks("bash").flat_map do |block|
        lines = block.gsub(/(\\|\|)\n\s*/) { (Regexp.last_match(1) == "|") ? "| " : "" }.lines(chomp: true)
        prompted = lines.grep(/\A\$ /)
        (prompted.empty? ? lines : prompted).map { |line| line.delete_prefix("$ ") }.grep_v(/\A\s*(#|\z)/)
      end
    end
  end

  module_function

  # Those that users read.
  def all = ["README.md", *Dir["docs/*.md", base: ROOT]].sort.map { |path| Page.new(path) }

  # Those and the others whose links are looked at.
  def linked = all + %w[CHANGELOG.md CONTRIBUTING.md SECURITY.md].map { |path| Page.new(path) }

  def page(path) = Page.new(path)

  # The words of a command, also of one that another command takes in quotes.
  def words(command)
    Shellwords.split(command.sub(/\s#\s.*\z/, "")).flat_map { |word| word.include?("bundle exec") ? Shellwords.split(word) : [word] }
  end

  # What is wrong with a link; nil if nothing is.
  def problem(page, link)
    link = link.delete_prefix("#{REPOSITORY}/blob/main/").then { |rest| (rest == link) ? link : "/#{rest}" }
    return ("is not https" unless link.start_with?("https://")) if link.match?(/\A[a-z]+:/)

    file, anchor = link.split("#", 2)
    path = target(page, file)
    return "leads to no file" unless File.exist?("#{ROOT}/#{path}")
    return "leaves the site; link to #{REPOSITORY}/blob/main/#{path}" if page.path.start_with?("docs/") && !path.start_with?("docs/") && !file.start_with?("/")

    "leads to no heading" if anchor && !Page.new(path).anchors.include?(anchor)
  end

  def target(page, file)
    return page.path if file.empty?
    return file.delete_prefix("/") if file.start_with?("/")

    File.expand_path(file, "/#{File.dirname(page.path)}").delete_prefix("/")
  end
end
