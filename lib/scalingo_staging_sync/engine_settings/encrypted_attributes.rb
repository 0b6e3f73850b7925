# frozen_string_literal: true

module ScalingoStagingSync
  class EngineSettings
    # How the app's encrypted attributes can be written, so that it reads them afterwards: under this environment's key
    # where Active Record encrypts them as it does by itself; else as a few pseudonyms that the app encrypts here, before
    # the run. Lockbox's attributes are of the second kind.
    module EncryptedAttributes
      # How many ciphertexts are made if only the app can make them.
      PREPARED = 8
      # What is encrypted to see how it is done.
      PROBE = "a probe of scalingo-staging-sync"
      # The pseudonym of an attribute that is not text.
      NEUTRAL = { integer: 0, big_integer: 0, float: 0.0, decimal: 0, boolean: false, json: {},
                  date: "1970-01-01", datetime: "1970-01-01T00:00:00Z" }.freeze
      private_constant :PREPARED, :PROBE, :NEUTRAL

      class << self
        # @param domain [String] that of pseudonymous addresses
        # @return [Array<Hash{String => Object}>] table (without its schema), column, and how its pseudonyms are encrypted,
        #   as the engine takes it; with neither a key nor values, nothing can be encrypted here
        def all(domain)
          Models.all.flat_map { |model| of_active_record(model, domain) + of_lockbox(model, domain) }
                .uniq { |attribute| attribute.values_at("table", "column") }
        end

        private

        def of_active_record(model, domain)
          return [] unless model.respond_to?(:encrypted_attributes)

          Array(model.encrypted_attributes).map do |name|
            column = (model.attribute_alias(name.to_s) || name).to_s
            place(model, column).merge(how(model, column, domain))
          end
        rescue StandardError
          [] # A model without a table name has no columns either.
        end

        # What encrypting needs can be missing in this environment, and then all that is known is that it is encrypted.
        def how(model, name, domain)
          type = type_of(model, name)
          text = text?(type)
          key = text && key_of(type)
          return { "key" => Secret.new(key.unpack1("H*")), "downcase" => type.downcase? } if key

          plain = text ? pseudonyms(name, domain) : [NEUTRAL[type.type]].compact
          { "values" => plain.map { |value| type.serialize(type.cast(value)) }.grep(String).uniq }
        rescue StandardError
          {}
        end

        def type_of(model, name)
          type = model.type_for_attribute(name)
          type.respond_to?(:cast_type) ? type : declared_type(model, name)
        rescue ActiveRecord::ActiveRecordError
          declared_type(model, name)
        end

        # By the model alone: before the first run the database has no table that it could be asked of.
        def declared_type(model, name)
          known = model.instance_variable_get(:@columns_hash)
          model.instance_variable_set(:@columns_hash, {})
          ActiveModel::AttributeSet.new({}).tap { |set| model.send(:apply_pending_attribute_modifications, set) }[name].type
        ensure
          model.instance_variable_set(:@columns_hash, known)
        end

        def text?(type) = [nil, :string, :text, :immutable_string].include?(type.type) && !type.cast_type.respond_to?(:coder)

        # The key by which what the app writes today can be read with nothing but AES; nil if there is more to it: an
        # encryptor, a serializer or a key's envelope of the app's own.
        def key_of(type)
          written = type.serialize(PROBE)
          expected = type.downcase? ? PROBE.downcase : PROBE
          keys(type).find { |key| opened(written, key) == expected }
        end

        # What is written may be under the key of a scheme that came before.
        def keys(type)
          [type, *type.previous_types].filter_map { |one| one.key_provider&.encryption_key&.secret }.select { |key| key.bytesize == 32 }
        end

        def opened(written, key)
          message = JSON.parse(written)
          return unless message.keys == %w[p h] && (message["h"].keys - %w[iv at i]).empty?

          cipher = OpenSSL::Cipher.new("aes-256-gcm").decrypt
          cipher.key = key
          cipher.iv, cipher.auth_tag = message["h"].values_at("iv", "at").map { |text| text.unpack1("m0") }
          (cipher.update(message["p"].unpack1("m0")) + cipher.final).force_encoding(Encoding::UTF_8)
        rescue JSON::ParserError, OpenSSL::Cipher::CipherError, ArgumentError, TypeError, NoMethodError
          nil # another form, or another key
        end

        # Lockbox writes base64 into columns of text; what it writes into others is not known here.
        def of_lockbox(model, domain)
          return [] unless model.respond_to?(:lockbox_attributes)

          model.lockbox_attributes.values.map do |attribute|
            column = attribute.fetch(:encrypted_attribute)
            place(model, column).merge("values" => lockbox_values(model, attribute, column, domain))
          end
        rescue StandardError
          []
        end

        def lockbox_values(model, attribute, column, domain)
          return [] unless [nil, :string, :text].include?(attribute[:type]&.to_sym)

          values = pseudonyms(attribute.fetch(:attribute).to_s, domain).map { |value| model.public_send("generate_#{column}", value) }
          values.select { |value| value.is_a?(String) && value.ascii_only? }
        rescue StandardError
          []
        end

        def place(model, column) = { "table" => model.table_name.to_s.split(".").last, "column" => column.to_s }

        def pseudonyms(name, domain)
          of = name.match?(/mail/i) ? ->(number) { "masked-#{number}@#{domain}" } : ->(number) { "Masked #{number}" }
          Array.new(PREPARED) { |number| of.call(number + 1) }
        end
      end
    end
  end
end
