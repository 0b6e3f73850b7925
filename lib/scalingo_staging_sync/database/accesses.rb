# frozen_string_literal: true

module ScalingoStagingSync
  module Database
    # The log of {Server}: who fetched what, when, from where and how much. A request is noted before its first byte
    # is sent, so that nothing leaves unrecorded; how it ended is added afterwards. Requests without a valid token are
    # counted by the hour, so that a flood of them fills nothing.
    class Accesses
      # One of its lines.
      Line = Data.define(:started_at, :finished_at, :token, :address, :request, :status, :bytes, :whole)

      # @param schema [OwnSchema] where they are kept
      def initialize(schema: OwnSchema.new)
        @schema = schema
      end

      # @param token [Tokens::Token] whose request it is
      # @param address [String, nil] where it comes from
      # @param request [String] what is asked for
      # @param status [Integer] how it is answered
      # @return [Integer] the line's number, for {#close}
      def open(token, address:, request:, status:)
        values = [token.id, token.name, plain(address), plain(request), status]
        @schema.write("accesses") { @schema.ask(<<~SQL, *values) }.first["id"]
          INSERT INTO scalingo_staging_sync.accesses (token_id, token, address, request, status) VALUES (?, ?, ?, ?, ?) RETURNING id
        SQL
      end

      # @param id [Integer] what {#open} returned
      # @param bytes [Integer] how many bytes of the answer's body were handed to the network
      # @param whole [Boolean] whether these are all
      # @return [void]
      def close(id, bytes:, whole:)
        @schema.write("accesses") { @schema.ask(<<~SQL, bytes, whole, id) }
          UPDATE scalingo_staging_sync.accesses SET finished_at = clock_timestamp(), bytes = ?, whole = ? WHERE id = ?
        SQL
      end

      # Counts a request that had no valid token.
      #
      # @param address [String, nil] where it came from
      # @return [void]
      def wrong_token(address)
        @schema.write("wrong_tokens") { @schema.ask(<<~SQL, plain(address)) }
          INSERT INTO scalingo_staging_sync.wrong_tokens AS w (hour, count, last_at, last_address)
          VALUES (date_trunc('hour', clock_timestamp()), 1, clock_timestamp(), ?)
          ON CONFLICT (hour) DO UPDATE SET count = w.count + 1, last_at = excluded.last_at, last_address = excluded.last_address
        SQL
      end

      # @param limit [Integer] how many
      # @return [Array<Line>] the newest, newest first
      def lines(limit = 10)
        return [] unless @schema.there?("accesses")

        @schema.ask("SELECT #{Line.members.join(", ")} FROM scalingo_staging_sync.accesses ORDER BY id DESC LIMIT ?", Integer(limit))
               .map { |row| Line.new(**row.transform_keys(&:to_sym)) }
      end

      # @return [Hash{Symbol => Object}] of the requests without a valid token that are on record: :count, :last_at,
      #   :last_address
      def wrong_tokens
        return { count: 0 } unless @schema.there?("wrong_tokens")

        row = @schema.ask("SELECT coalesce(sum(count), 0)::bigint AS count, max(last_at) AS last_at, " \
                          "(array_agg(last_address ORDER BY hour DESC))[1] AS last_address FROM scalingo_staging_sync.wrong_tokens").first
        row["count"].zero? ? { count: 0 } : row.transform_keys(&:to_sym)
      end

      private

      def plain(text) = text&.to_s&.scrub("?")&.gsub(/[[:cntrl:]]/, " ")&.slice(0, 200)
    end
  end
end
