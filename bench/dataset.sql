-- The benchmark's "production" database. psql variable `users` is the number of users: 1,000,000 is SCALE=1.
--
-- About a million users with 23 columns (nineteen masked by the user strategy), 1.2 million phone numbers,
-- 0.8 million payment methods, three million orders with free-text notes, half a million audit rows with
-- jsonb; 1.1 GB in PostgreSQL and a 220 MB archive. Values come from hashes of the row's number, so every run
-- makes the same database.
SET synchronous_commit = off;
SET client_min_messages = warning;

CREATE TABLE users (
  id bigserial,
  email varchar(255) NOT NULL,
  email_md5 varchar(32),
  first_name varchar(100),
  last_name varchar(100),
  full_name varchar(200),
  credit_card_last_4 varchar(4),
  iban_last4 varchar(4),
  stripe_customer_id varchar(64),
  address_line1 varchar(255),
  address_line2 varchar(255),
  city varchar(100),
  postal_code varchar(10),
  birth_date date,
  birth_place varchar(100),
  google_token varchar(64),
  facebook_token varchar(64),
  apple_id varchar(64),
  billing_extra text,
  zendesk_user_id bigint,
  sign_in_count integer NOT NULL DEFAULT 0,
  created_at timestamp(6) NOT NULL,
  updated_at timestamp(6) NOT NULL
);

INSERT INTO users
SELECT i,
       'user' || i || '.' || substr(h, 1, 6) || '@' || (ARRAY['gmail.com', 'orange.fr', 'free.fr', 'example.org'])[1 + i % 4],
       md5('user' || i),
       (ARRAY['Camille', 'Jean', 'Fatima', 'Louis', 'Chloé', 'Noé', 'Inès', 'Hugo'])[1 + i % 8],
       (ARRAY['Martin', 'Bernard', 'Petit', 'Durand', 'Leroy', 'Moreau', 'Garcia'])[1 + i % 7] || '-' || substr(h, 7, 4),
       'Camille ' || substr(h, 7, 8),
       lpad((i * 7919 % 10000)::text, 4, '0'),
       lpad((i * 104729 % 10000)::text, 4, '0'),
       'cus_' || substr(h, 1, 14),
       (1 + i % 199) || ' rue ' || (ARRAY['de la Paix', 'Victor Hugo', 'des Lilas', 'du Moulin'])[1 + i % 4],
       CASE WHEN i % 3 = 0 THEN 'Bâtiment ' || chr(65 + (i % 26)::int) END,
       (ARRAY['Lyon', 'Marseille', 'Nantes', 'Lille', 'Rennes'])[1 + i % 5],
       lpad((1000 + i % 95000)::text, 5, '0'),
       date '1940-01-01' + (i * 31 % 24000)::int,
       (ARRAY['Brest', 'Nice', 'Dijon'])[1 + i % 3],
       CASE WHEN i % 5 = 0 THEN substr(h, 1, 24) END,
       CASE WHEN i % 7 = 0 THEN substr(h, 3, 24) END,
       CASE WHEN i % 11 = 0 THEN substr(h, 5, 20) END,
       CASE WHEN i % 13 = 0 THEN 'Facturer à ' || substr(h, 2, 16) END,
       CASE WHEN i % 2 = 0 THEN 360000000 + i END,
       i % 300,
       timestamp '2019-01-01' + (i || ' seconds')::interval * 150,
       timestamp '2024-01-01' + (i || ' seconds')::interval
FROM generate_series(1::bigint, :users) AS i, LATERAL (SELECT md5(i::text || 'u') AS h) AS seed;

CREATE TABLE phone_numbers (
  id bigserial,
  user_id bigint NOT NULL,
  number varchar(20) NOT NULL,
  verified boolean NOT NULL DEFAULT false,
  created_at timestamp(6) NOT NULL
);

INSERT INTO phone_numbers
SELECT i, 1 + i % :users, '+336' || lpad((i * 7919 % 100000000)::text, 8, '0'), i % 2 = 0,
       timestamp '2021-01-01' + (i || ' seconds')::interval
FROM generate_series(1::bigint, :users * 12 / 10) AS i;

CREATE TABLE payment_methods (
  id bigserial,
  user_id bigint NOT NULL,
  brand varchar(20) NOT NULL,
  card_last4 varchar(4),
  expires_on date,
  created_at timestamp(6) NOT NULL
);

INSERT INTO payment_methods
SELECT i, 1 + i * 3 % :users, (ARRAY['visa', 'mastercard', 'amex'])[1 + i % 3], lpad((i * 7907 % 10000)::text, 4, '0'),
       date '2025-01-01' + (i % 1500)::int, timestamp '2021-01-01' + (i || ' seconds')::interval
FROM generate_series(1::bigint, :users * 8 / 10) AS i;

CREATE TABLE orders (
  id bigserial,
  user_id bigint NOT NULL,
  reference varchar(32) NOT NULL,
  state varchar(20) NOT NULL,
  total_cents integer NOT NULL,
  notes text,
  created_at timestamp(6) NOT NULL,
  updated_at timestamp(6) NOT NULL
);

INSERT INTO orders
SELECT i, 1 + i * 7 % :users, 'ORD-' || upper(substr(md5(i::text), 1, 12)),
       (ARRAY['pending', 'paid', 'shipped', 'delivered', 'cancelled'])[1 + i % 5],
       100 + i * 7919 % 50000,
       CASE WHEN i % 3 <> 0
            THEN 'Livrer ' || (ARRAY['le matin', 'après 18 h', 'chez le voisin', 'au gardien'])[1 + i % 4]
                 || ', code ' || (i % 9999) || '.' || E'\n' || 'Merci de sonner deux fois (' || substr(md5(i::text), 13, 6) || ').' END,
       timestamp '2020-01-01' + (i || ' seconds')::interval * 40,
       timestamp '2020-01-02' + (i || ' seconds')::interval * 40
FROM generate_series(1::bigint, :users * 3) AS i;

CREATE TABLE audits (
  id bigserial,
  user_id bigint,
  action varchar(20) NOT NULL,
  audited_changes jsonb NOT NULL,
  created_at timestamp(6) NOT NULL
);

INSERT INTO audits
SELECT i, 1 + i * 11 % :users, (ARRAY['create', 'update', 'destroy'])[1 + i % 3],
       jsonb_build_object('state', jsonb_build_array('pending', 'paid'), 'total_cents', i % 50000,
                          'request', md5(i::text)),
       timestamp '2022-01-01' + (i || ' seconds')::interval * 200
FROM generate_series(1::bigint, :users / 2) AS i;

ALTER TABLE users ADD PRIMARY KEY (id);
ALTER TABLE phone_numbers ADD PRIMARY KEY (id);
ALTER TABLE payment_methods ADD PRIMARY KEY (id);
ALTER TABLE orders ADD PRIMARY KEY (id);
ALTER TABLE audits ADD PRIMARY KEY (id);
CREATE UNIQUE INDEX index_users_on_email ON users (email);
CREATE INDEX index_users_on_last_name ON users (last_name);
CREATE INDEX index_users_on_created_at ON users (created_at);
CREATE INDEX index_phone_numbers_on_user_id ON phone_numbers (user_id);
CREATE INDEX index_phone_numbers_on_number ON phone_numbers (number);
CREATE INDEX index_payment_methods_on_user_id ON payment_methods (user_id);
CREATE INDEX index_orders_on_user_id ON orders (user_id);
CREATE UNIQUE INDEX index_orders_on_reference ON orders (reference);
CREATE INDEX index_orders_on_created_at ON orders (created_at);
CREATE INDEX index_audits_on_user_id ON audits (user_id);
ALTER TABLE phone_numbers ADD CONSTRAINT fk_phone_numbers_users FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE payment_methods ADD CONSTRAINT fk_payment_methods_users FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE orders ADD CONSTRAINT fk_orders_users FOREIGN KEY (user_id) REFERENCES users (id);
ALTER TABLE audits ADD CONSTRAINT fk_audits_users FOREIGN KEY (user_id) REFERENCES users (id);
SELECT setval('users_id_seq', :users);
ANALYZE;
