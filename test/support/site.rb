# frozen_string_literal: true

require "cgi/escape"

# The site that `bin/docs` has built, and what is wrong with it: links to pages and headings that are not there, and what a
# browser would fetch from another host. A reader's click may lead elsewhere.
class Site
  FETCHED = /<(?:script|img|source|iframe|audio|video|embed)\b[^>]*?\s(?:src|srcset)="([^"]+)"|<link\b[^>]*?\shref="([^"]+)"/
  LINKED = /<a\b[^>]*?\shref="([^"]+)"/

  def initialize(directory)
    @directory = File.expand_path(directory)
    @texts = Dir["#{@directory}/**/*.html"].to_h { |path| [path, File.read(path, encoding: "UTF-8")] }
  end

  # @return [Integer] how many pages there are
  def size = @texts.size

  # @return [Array<String>] a sentence for each problem
  def problems
    @texts.flat_map do |path, text|
      fetched = text.scan(FETCHED).flatten.compact
      elsewhere = fetched.grep(%r{\A(https?:)?//}).map { |link| "fetches #{link}" }
      links = (fetched + text.scan(LINKED).flatten).grep_v(%r{\A([a-z]+:|//)})
      (elsewhere + links.uniq.filter_map { |link| problem(path, CGI.unescapeHTML(link)) }).map { |what| "#{path.delete_prefix("#{@directory}/")} #{what}" }
    end
  end

  private

  def problem(path, link)
    file, anchor = link.split("#", 2)
    target = file.empty? ? path : target(path, file)
    return "links to #{link}, which is not there" unless File.exist?(target)
    return if anchor.nil? || anchor.empty? || !target.end_with?(".html")

    "links to #{link}, and there is no such heading" unless @texts.fetch(target).match?(/\sid="#{Regexp.escape(anchor)}"/)
  end

  # The page for addresses that are not there has absolute links, since it may be shown under any.
  def target(path, file)
    from = file.start_with?("/") ? @directory : File.dirname(path)
    full = File.expand_path(file.delete_prefix("/"), from)
    File.directory?(full) ? "#{full}/index.html" : full
  end
end

if $PROGRAM_NAME == __FILE__
  site = Site.new(ARGV.fetch(0))
  abort "docs: there are no pages in #{ARGV.fetch(0)}." if site.size.zero?
  problems = site.problems
  abort problems.map { |problem| "docs: #{problem}" }.join("\n") if problems.any?
  puts "docs: #{site.size} pages in #{ARGV.fetch(0)}; every link leads somewhere, and nothing is fetched from another host."
end
