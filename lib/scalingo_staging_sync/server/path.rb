# frozen_string_literal: true

require "uri"

module ScalingoStagingSync
  class Server
    # Which of the things that there are a request asks for. No name in it leads to a file: a table's is looked up in the manifest.
    class Path
      DUMP = %r{\A/dump/([^/]+)\z}
      FORMATS = { nil => :copy, "copy" => :copy, "csv" => :csv }.freeze
      private_constant :DUMP, :FORMATS

      # @param request [Rack::Request] what is asked for
      def initialize(request)
        @request = request
      end

      # @return [String] the path, with `:table` for a table's name
      def route = table ? "/dump/:table" : @request.path_info

      # @return [Symbol, nil] :copy or :csv; nil if it is neither
      def format
        FORMATS[@request.GET["format"]]
      rescue ArgumentError, TypeError, RangeError
        nil # a query that is none
      end

      # @param manifest [Archives::Manifest] what is said of an archive
      # @return [Hash{String => Object}, nil] what it says of the table; nil if it has no rows of it. A name without its schema
      #   is that of a table of `public`, else of the one table that is called so
      def table_of(manifest)
        tables = manifest.to_h["tables"]
        whole = tables.find { |one| one["table"] == table } || tables.find { |one| one["table"] == "public.#{table}" }
        return whole if whole

        bare = tables.select { |one| one["table"].split(".", 2).last == table }
        bare.first if bare.one?
      end

      private

      def table
        @table ||= @request.path_info[DUMP, 1]&.then { |name| decoded(name) }
      end

      def decoded(name)
        text = URI.decode_uri_component(name).force_encoding(Encoding::UTF_8)
        text if text.valid_encoding? && !text.empty?
      rescue ArgumentError
        nil # a % that stands for nothing
      end
    end
  end
end
