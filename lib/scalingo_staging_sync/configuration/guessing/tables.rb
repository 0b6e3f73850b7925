# frozen_string_literal: true

module ScalingoStagingSync
  class Configuration
    module Guessing
      # What people typically use as a key.
      module Tables
        # Placeholders that people write for a key still to come, names of what the key is for, and well-known texts.
        EXPECTED = %w[
          anonymisation anonymization anonymize abracadabra admin app azerty bar baz base change changeit changeme chiffrement clef cle com
          confidential database default demo demonstration development dev dummy env example exemple fill foo gmail here hello http https
          insert iloveyou key letmein local localhost mail master me motdepasse my net not org password passe passphrase passwort phrase
          placeholder please postgres prod production qux qwerty rails real replace salt scalingo secret secrete secure staging stage string
          sync synchronization synchronisation test testing tests the this token todo user value welcome word www xxx your
          january february march april may june july august september october november december st nd th
          janvier fevrier mars avril mai juin juillet aout septembre octobre novembre decembre osc io secnum
          adipiscing amet consectetur dolor elit ipsum lorem sit brown dog fox jumps lazy over quick
        ].freeze

        # Stop words.
        LITTLE = %w[
          am an and are as at be been but by can did do for from had has have he her his how if in is it its no of on or our out she so that
          their there they to up us was we were what when which who will with you au aux avec ce ces cette dans de des du elle elles en est et il
          ils la le les leur lui ma mais mes mon ne nos notre nous on ont ou par pas pour qui que sa ses si son sont sur ta tes ton un une vos
          votre vous
        ].to_set.freeze

        # Rows and columns of keyboards.
        ROWS = %w[
          qwertyuiop asdfghjkl zxcvbnm azertyuiop qsdfghjklm wxcvbn 1234567890 1qaz 2wsx 3edc 4rfv 5tgb 6yhn 7ujm 1aqw 2zsx 4rfc 5tgv
        ].freeze

        # Every three keys of a row or a column, in both directions.
        NEIGHBOURS = Set.new([*ROWS, *ROWS.map(&:reverse)].flat_map { |row| row.chars.each_cons(3).map(&:join) }).freeze

        # What the digit row gives with the shift key.
        SHIFTED = ["!@#$%^&*()", "1234567890"].freeze

        # Dates, times and years.
        DATES = %r{
          (?:19|20)\d\d([-/.]?)(?:0[1-9]|1[0-2])\1(?:0[1-9]|[12]\d|3[01])
          | (?<!\d)(?:0[1-9]|[12]\d|3[01])([-/.])(?:0[1-9]|1[0-2])\2(?:19|20)?\d\d(?!\d)
          | \d\d:\d\d(?::\d\d(?:\.\d+)?)?
          | (?<!\d)(?:19|20)\d\d(?!\d)
        }x

        # Text written as numbers of its letters.
        HEXADECIMAL_WORDS = /deadbeef|cafebabe|deadc0de|feedface|baadf00d|defec8ed|facefeed|badc0ffee/i

        # Digits and signs used in place of letters (leetspeak).
        FOR_LETTERS = /(?<=[a-z])[@$01345]+(?=[a-z])/i
        LETTERS = ["@$01345", "asoieas"].freeze

        # Two letters that stand side by side in many words: three in four of a text's, and one in five by chance.
        PAIRS = %w[
          ab ac ad ag ai al am an ap ar as at au ay ba be bl bo br ca ce ch ci ck cl co cr ct da de di do ea ec ed ee ei el em en er es et eu ey
          fa fi fo ge gr ha he hi ic id ie ig il im in io ir is it ke la ld le li ll lo lu ma me mi mm mo mp my na nc nd ne ng ni ns nt oi ol om
          on oo op or os ot ou ow pa pe pl po pr qu ra re ri ro rr sa se sh si so ss st su ta te th ti to tr tt ty ue ui un up ur us ut va ve vi
          wh wi wo
        ].to_set.freeze
        private_constant :ROWS
      end
      private_constant :Tables
    end
  end
end
