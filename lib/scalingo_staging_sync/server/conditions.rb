# frozen_string_literal: true

require "time"

module ScalingoStagingSync
  class Server
    # The conditions of a request, as RFC 9110 has them (section 13): whether it is answered with what it asks for.
    class Conditions
      # Characters of a list of tags that are read.
      LONGEST = 4096
      private_constant :LONGEST

      # @param request [Rack::Request] what is asked for
      # @param etag [String] that of what there is
      # @param modified [Time] when it was made
      def initialize(request, etag, modified)
        @request = request
        @etag = etag
        @modified = modified
      end

      # @return [Integer, nil] the status of an answer without a body; nil: the conditions are met
      def status
        return 412 if header("IF_MATCH") && !matches?(header("IF_MATCH"))

        304 if unchanged?
      end

      # A range of something else would be put to what a client has of this.
      #
      # @return [Boolean] whether a range may be answered with its bytes
      def range_holds?
        condition = header("IF_RANGE")
        condition.nil? || condition == @etag
      end

      private

      def unchanged?
        return matches?(header("IF_NONE_MATCH"), weakly: true) if header("IF_NONE_MATCH")

        since = header("IF_MODIFIED_SINCE")
        since && Time.httpdate(since) >= Time.at(@modified.to_i)
      rescue ArgumentError
        false
      end

      def matches?(list, weakly: false)
        list = list[0, LONGEST].split(",").map(&:strip)
        list = list.map { |tag| tag.delete_prefix("W/") } if weakly
        list.include?(@etag) || list == ["*"]
      end

      def header(name) = @request.get_header("HTTP_#{name}")
    end
  end
end
