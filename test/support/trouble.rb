# frozen_string_literal: true

# SQL that makes trouble on purpose: a function of the backup that fails at some of its calls. It counts them in a
# sequence which no rollback takes back and no run touches.
module Trouble
  # Where the calls are counted. Any role may.
  COUNTER = "CREATE SCHEMA counter; CREATE SEQUENCE counter.tries; CREATE SEQUENCE counter.letters START 1000; " \
            "GRANT USAGE ON SCHEMA counter TO PUBLIC; GRANT ALL ON ALL SEQUENCES IN SCHEMA counter TO PUBLIC;"

  # Masks `given`. From the first to the last of these calls it fails: with the SQLSTATE `kind`, or, where that is
  # "lost", by ending its own session.
  FUNCTION = <<~SQL
    CREATE FUNCTION public.trouble(given text, kind text, first_call bigint, last_call bigint) RETURNS text LANGUAGE plpgsql AS $$
      DECLARE
        call CONSTANT bigint := nextval('counter.tries');
      BEGIN
        IF call BETWEEN first_call AND last_call THEN
          IF kind = 'lost' THEN
            PERFORM pg_catalog.pg_terminate_backend(pg_catalog.pg_backend_pid());
            PERFORM pg_catalog.pg_sleep(10);
          END IF;
          RAISE EXCEPTION 'trouble' USING ERRCODE = kind;
        END IF;
        RETURN 'masked ' || md5(given);
      END $$;
  SQL
end
