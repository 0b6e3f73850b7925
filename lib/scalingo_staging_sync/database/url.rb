# frozen_string_literal: true

require "uri"

module ScalingoStagingSync
  module Database
    # A libpq connection URL taken apart, as far as Ruby must look into it: which hosts, which database. The
    # engine reads the rest itself.
    #
    # Taken apart by hand, because URI refuses what libpq allows: several hosts, none, and passwords with
    # characters of their own. Source: PostgreSQL's documentation, "Connection URIs".
    class Url
      # What stands before the first `@` is the role and its password, unless a slash comes before: they may hold a `?` and a
      # `#`. Read in any other way the production guard would look at another host than the engine connects to.
      FORM = %r{
        \A(?:postgres|postgresql|postgis)://(?:(?<user>[^/@]*)@)?(?<hosts>[^/?\#@]*)(?:/(?<database>[^?\#]*))?(?:\?(?<query>[^\#]*))?\z
      }xi
      private_constant :FORM

      # The port of a URL that names none.
      DEFAULT_PORT = 5432

      # @return [Array<String>] every host it names, in lower case; directories of Unix sockets as they are
      attr_reader :hosts

      # @return [Array<Integer>] the ports of the hosts, or fewer where it names fewer
      attr_reader :ports

      # @return [String, nil] the database's name
      attr_reader :database

      # @param text [String] a URL
      # @return [Url, nil] nil when it is not one that libpq would take
      def self.parse(text)
        match = FORM.match(text.to_s.strip)
        new(match) if match
      rescue ArgumentError, EncodingError
        nil # a broken percent-encoding, or bytes that are no text
      end

      # An ActiveRecord configuration as a URL.
      #
      # @param settings [Hash{Symbol => Object}] `db_config.configuration_hash` of a PostgreSQL database
      # @return [String] the URL, with the password in it
      def self.from_active_record(settings)
        return settings[:url].to_s if settings[:url].to_s.strip != ""

        userinfo = settings.values_at(:username, :password).compact.map { |part| escape(part) }.join(":")
        host = settings[:host].to_s
        socket = host.start_with?("/")
        query = settings.slice(:hostaddr, :sslmode, :sslrootcert, :connect_timeout).compact
        query = { host: }.merge(query) if socket
        authority = if socket || host.empty?
                      ""
                    else
                      (host.include?(":") ? "[#{host}]" : escape(host))
                    end
        authority += ":#{settings[:port]}" if settings[:port]
        url = "postgres://#{userinfo}#{"@" unless userinfo.empty?}#{authority}/#{escape(settings[:database])}"
        query.empty? ? url : "#{url}?#{query.map { |key, value| "#{key}=#{escape(value)}" }.join("&")}"
      end

      # @param text [Object] any text
      # @return [String] it with everything percent-encoded that is not unreserved in a URL
      def self.escape(text)
        URI.encode_uri_component(text.to_s)
      end

      # @param other [Url] another
      # @return [Boolean] whether both name the same database, judging by their spelling
      def same_database?(other)
        [hosts, effective_ports, database] == [other.hosts, other.effective_ports, other.database]
      end

      # @return [Array<Integer>] the ports, the default one if the URL has none
      def effective_ports
        ports.empty? ? [DEFAULT_PORT] : ports
      end

      # @return [String] which database it is, for use within a sentence: such as "shop on db.example.com"
      def place
        host = hosts.reject { |one| one.start_with?("/") }.join(", ")
        "#{database || "the role's own"} on #{host.empty? ? "this machine" : host}"
      end

      # @return [String] hosts and database, without user and password
      def inspect
        "#<#{self.class} #{hosts.join(",")}/#{database}>"
      end

      private

      def initialize(match)
        parameters = match[:query].to_s.split("&").to_h { |pair| pair.split("=", 2).map { |part| decode(part) }.values_at(0, 1) }
        named = match[:hosts].split(",").map { |host| host.match(/\A(\[[^\]]*\]|[^:]*)(?::(\d*))?\z/)&.captures }
        raise ArgumentError, "not a host" if named.include?(nil)

        decode(match[:user].to_s) # neither libpq nor the engine would take a broken one
        @hosts = (named.map { |host, _| decode(host.delete_prefix("[").delete_suffix("]")) } +
                  parameters.values_at("host", "hostaddr").compact.flat_map { |list| list.split(",") })
                 .reject(&:empty?).map { |host| host.start_with?("/") ? host : host.downcase }
        @ports = (named.map(&:last) + parameters["port"].to_s.split(",")).compact.reject(&:empty?).map { |port| Integer(port, 10) }
        # A password with a slash in it that is not encoded: the URL is ambiguous.
        raise ArgumentError, "not a database" if match[:database].to_s.include?("@")

        @database = (parameters["dbname"] || decode(match[:database].to_s)).presence
      end

      def decode(text)
        raise ArgumentError, "not percent-encoding" if text.match?(/%(?![0-9a-fA-F]{2})/)

        URI.decode_uri_component(text)
      end
    end
  end
end
