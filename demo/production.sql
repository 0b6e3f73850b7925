-- The production database of an invented French web shop, as Rails migrations would have left it. Run by psql with
-- the number of users in :users (50000 makes about 900,000 rows). Everything is made from the row numbers, so two
-- runs make the same data. Every person, address and number in it is invented.
\set ON_ERROR_STOP on
BEGIN;

CREATE EXTENSION IF NOT EXISTS citext;
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;

CREATE TYPE public.user_role AS ENUM ('customer', 'support', 'admin');
CREATE TYPE public.order_status AS ENUM ('cart', 'paid', 'shipped', 'returned');
CREATE DOMAIN public.cents AS bigint CHECK (VALUE >= 0);

-- What Rails itself keeps.
CREATE TABLE public.schema_migrations (version character varying PRIMARY KEY);
CREATE TABLE public.ar_internal_metadata (
  key character varying PRIMARY KEY, value character varying,
  created_at timestamp(6) NOT NULL, updated_at timestamp(6) NOT NULL
);
INSERT INTO public.schema_migrations VALUES ('20230105101500'), ('20240211093000'), ('20250630140000');
INSERT INTO public.ar_internal_metadata VALUES ('environment', 'production', now(), now());

CREATE TABLE public.users (
  id bigserial NOT NULL,
  email character varying(255) NOT NULL,
  email_md5 character(32),
  first_name character varying(80),
  last_name character varying(80),
  full_name character varying(160),
  greeting text GENERATED ALWAYS AS ('Bonjour ' || first_name) STORED,
  role public.user_role DEFAULT 'customer' NOT NULL,
  credit_card_last_4 character varying(4),
  iban_last4 character varying(4),
  stripe_customer_id character varying,
  google_token text,
  facebook_token text,
  apple_id character varying,
  birth_date date,
  birth_place character varying,
  billing_extra text,
  zendesk_user_id bigint,
  address_line1 character varying,
  address_line2 character varying,
  postal_code character varying(10),
  city character varying,
  preferences jsonb DEFAULT '{}' NOT NULL,
  tags text[] DEFAULT '{}' NOT NULL,
  referrer_id bigint,
  default_address_id bigint,
  created_at timestamp(6) NOT NULL,
  updated_at timestamp(6) NOT NULL
);
CREATE TABLE public.emails (
  id bigserial NOT NULL, user_id bigint NOT NULL, email character varying(255) NOT NULL, confirmed_at timestamp(6)
);
CREATE TABLE public.phone_numbers (
  id bigserial NOT NULL, user_id bigint NOT NULL, phone_number character varying(20), kind character varying DEFAULT 'mobile'
);
CREATE TABLE public.addresses (
  id bigserial NOT NULL, user_id bigint NOT NULL, address_line1 character varying NOT NULL, address_line2 character varying,
  postal_code character varying(10),  city character varying, country character(2) DEFAULT 'FR' NOT NULL
);
CREATE TABLE public.payment_methods (
  id bigserial NOT NULL, user_id bigint NOT NULL, brand character varying, card_last4 character varying(4), expires_on date
);
CREATE TABLE public.categories (id serial NOT NULL, parent_id integer, name public.citext NOT NULL);
CREATE TABLE public.products (
  id bigserial NOT NULL, category_id integer NOT NULL, sku character varying NOT NULL, name text NOT NULL,
  price_cents public.cents NOT NULL, attributes jsonb DEFAULT '{}' NOT NULL, sizes text[], photo bytea
);
CREATE TABLE public.orders (
  id bigserial NOT NULL, user_id bigint NOT NULL, address_id bigint, status public.order_status NOT NULL,
  items_cents public.cents NOT NULL, shipping_cents public.cents NOT NULL,
  total_cents bigint GENERATED ALWAYS AS (items_cents + shipping_cents) STORED,
  placed_at timestamp(6) NOT NULL
);
CREATE TABLE public.order_items (
  id bigserial NOT NULL, order_id bigint NOT NULL, product_id bigint NOT NULL, quantity smallint NOT NULL, price_cents public.cents NOT NULL
);
CREATE TABLE public.comments (
  id bigserial NOT NULL, user_id bigint NOT NULL, product_id bigint NOT NULL, rating smallint, body text NOT NULL, created_at timestamp(6) NOT NULL
);
CREATE TABLE public.invoices (id bigserial NOT NULL, order_id bigint NOT NULL, number character varying NOT NULL, pdf oid);
CREATE TABLE public.sessions (
  id bigserial NOT NULL, session_id character varying NOT NULL, user_id bigint, data text, ip inet, updated_at timestamp(6) NOT NULL
);
CREATE TABLE public.audit_logs (
  id bigserial NOT NULL, user_id bigint, session_id bigint, action character varying, changes jsonb, created_at timestamp(6) NOT NULL
);
CREATE TABLE public.impersonations (
  id bigserial NOT NULL, admin_id bigint NOT NULL, session_id bigint NOT NULL, reason text
);
CREATE TABLE public.page_views (
  id bigint GENERATED ALWAYS AS IDENTITY, user_id bigint, path text NOT NULL, viewed_on date NOT NULL
) PARTITION BY RANGE (viewed_on);
CREATE TABLE public.page_views_2025_q1 PARTITION OF public.page_views FOR VALUES FROM ('2025-01-01') TO ('2025-04-01');
CREATE TABLE public.page_views_2025_q2 PARTITION OF public.page_views FOR VALUES FROM ('2025-04-01') TO ('2025-07-01');
CREATE TABLE public.page_views_later PARTITION OF public.page_views DEFAULT;

-- Words to choose from.
CREATE TEMPORARY TABLE words (kind text, position integer, word text, PRIMARY KEY (kind, position));
INSERT INTO words SELECT 'first', row_number() OVER (), word FROM unnest(ARRAY[
  'Adèle','Amélie','Anaïs','Antoine','Arthur','Aurélien','Baptiste','Béatrice','Bénédicte','Camille','Cédric','Chloé',
  'Clémence','Corentin','Damien','Delphine','Édouard','Élodie','Émile','Estelle','Fabrice','Florence','François','Gaëlle',
  'Geneviève','Guillaume','Hélène','Hugo','Inès','Jérôme','Joëlle','Julien','Karim','Laëtitia','Léa','Loïc','Lucie',
  'Manon','Margaux','Mathis','Maxime','Mélanie','Nadia','Noémie','Océane','Olivier','Pauline','Quentin','Raphaël','Romane',
  'Sébastien','Solène','Stéphane','Théo','Ugo','Valérie','Wassim','Xavier','Yasmine','Zoé']) AS word;
INSERT INTO words SELECT 'last', row_number() OVER (), word FROM unnest(ARRAY[
  'Abadie','Aubert','Barbier','Bénard','Berthelot','Blanchard','Bouvier','Carpentier','Chevallier','Colin','Cordier',
  'Da Silva','Delattre','Denis','Descamps','Dubois','Dufour','Étienne','Fabre','Ferrand','Fontaine','Gaillard','Garnier',
  'Girard','Guérin','Hamel','Hoarau','Imbert','Jacquet','Joly','Klein','Lacroix','Lambert','Lefèvre','Lemaître','Leroux',
  'L''Hostis','Maillard','Marchand','Mercier','Meunier','Morvan','Nguyen','Noël','O''Brien','Olivier-Roux','Pasquier',
  'Perrin','Picard','Poirier','Prévost','Quéré','Renaud','Rivière','Rousseau','Sánchez','Schmitt','Tessier','Thomas','Vasseur',
  'Verdier','Weber','Wagner','Yıldız','Zimmermann','Żukowski']) AS word;
INSERT INTO words SELECT 'city', row_number() OVER (), word FROM unnest(ARRAY[
  'Lyon','Marseille','Toulouse','Nantes','Lille','Rennes','Strasbourg','Bordeaux','Montpellier','Grenoble','Dijon','Angers',
  'Saint-Étienne','Brest','Le Havre','Reims']) AS word;
INSERT INTO words SELECT 'street', row_number() OVER (), word FROM unnest(ARRAY[
  'rue de la Gare','avenue des Tilleuls','place du Marché','rue Pasteur','chemin des Vignes','boulevard Voltaire',
  'impasse du Moulin','rue de l''Église','quai de la Loire','allée des Cerisiers']) AS word;
INSERT INTO words SELECT 'remark', row_number() OVER (), word FROM unnest(ARRAY[
  'Très bien, livraison rapide.','La couleur est plus claire que sur la photo.',
  E'Taille petit.\nJ''ai dû échanger contre la taille au-dessus.','Parfait pour l''hiver !',
  E'Colonne\tavec tabulation, et une barre oblique \\ au milieu.','Reçu abîmé, mais échangé sans discuter.',
  'Bon rapport qualité/prix 👍','Ma mère l''adore.','\N','Je recommande.','Déçu : la fermeture a cassé après deux semaines.',
  'Conforme à la description.']) AS word;
CREATE FUNCTION pg_temp.word(wanted text, number bigint) RETURNS text LANGUAGE plpgsql STABLE AS $$
DECLARE found text[] := current_setting('shop.' || wanted, true)::text[];
BEGIN
  RETURN found[1 + number % cardinality(found)];
END $$;
SELECT set_config('shop.' || kind, array_agg(word ORDER BY position)::text, true) FROM words GROUP BY kind \g /dev/null

INSERT INTO public.users (email, email_md5, first_name, last_name, full_name, role, credit_card_last_4, iban_last4,
  stripe_customer_id, google_token, facebook_token, apple_id, birth_date, birth_place, billing_extra, zendesk_user_id,
  address_line1, address_line2, postal_code, city, preferences, tags, referrer_id, created_at, updated_at)
SELECT email, md5(email), first, last, first || ' ' || last,
  (CASE WHEN n % 5000 = 1 THEN 'admin' WHEN n % 500 = 2 THEN 'support' ELSE 'customer' END)::public.user_role,
  CASE WHEN n % 3 > 0 THEN lpad((n * 7919 % 10000)::text, 4, '0') END,
  CASE WHEN n % 4 = 0 THEN lpad((n * 6271 % 10000)::text, 4, '0') END,
  CASE WHEN n % 3 > 0 THEN 'cus_' || substr(md5('stripe' || n), 1, 14) END,
  CASE WHEN n % 5 = 0 THEN 'ya29.' || md5('google' || n) END,
  CASE WHEN n % 7 = 0 THEN 'EAAG' || md5('facebook' || n) END,
  CASE WHEN n % 9 = 0 THEN '001.' || md5('apple' || n) END,
  CASE WHEN n % 8 > 0 THEN date '1950-01-01' + (n * 37 % 20000)::int END,
  CASE WHEN n % 8 > 0 THEN pg_temp.word('city', n / 3) END,
  CASE WHEN n % 20 = 0 THEN 'Facturer à ' || first || ' ' || last || E'\nService comptabilité' END,
  CASE WHEN n % 6 = 0 THEN 900000000 + n END,
  (1 + n % 180) || ' ' || pg_temp.word('street', n), CASE WHEN n % 9 = 0 THEN 'Bâtiment ' || chr(65 + (n % 20)::int) END,
  lpad((1000 + n * 13 % 94000)::text, 5, '0'), pg_temp.word('city', n),
  jsonb_build_object('newsletter', n % 2 = 0, 'theme', CASE WHEN n % 10 = 0 THEN 'dark' ELSE 'light' END),
  CASE WHEN n % 10 = 0 THEN ARRAY['vip', 'has "quotes", and commas'] WHEN n % 3 = 0 THEN ARRAY['regular'] ELSE '{}' END,
  CASE WHEN n % 11 = 0 THEN n / 2 END,
  timestamp '2023-01-05' + n * interval '25 minutes', timestamp '2025-06-30'
FROM (
  SELECT n, pg_temp.word('first', n) AS first, pg_temp.word('last', n / 60) AS last,
    -- Some wrote their address with capital letters.
    CASE WHEN n % 50 = 0 THEN 'Client.' ELSE 'client.' END || to_hex(n::bigint * 2654435761 % 4294967296) || n ||
      (ARRAY['@orange.example', '@free.example', '@laposte.example', '@gmail.example'])[1 + n % 4] AS email
  FROM generate_series(1::bigint, :users) AS n
) AS people;

INSERT INTO public.emails (user_id, email, confirmed_at)
  SELECT id, email, created_at + interval '1 hour' FROM public.users
  UNION ALL SELECT id, 'pro.' || id || '@entreprise' || id % 400 || '.example', NULL FROM public.users WHERE id % 5 = 0;
INSERT INTO public.phone_numbers (user_id, phone_number, kind)
  SELECT n, CASE WHEN n % 25 > 0 THEN '0' || (6 + n % 2) || lpad((n::bigint * 7368787 % 89999999 + 10000000)::text, 8, '0') END,
    CASE WHEN n % 6 = 0 THEN 'work' ELSE 'mobile' END
  FROM generate_series(1::bigint, :users) AS n WHERE n % 10 > 1;
INSERT INTO public.addresses (user_id, address_line1, address_line2, postal_code, city)
  SELECT n, (200 + n % 90) || ' ' || pg_temp.word('street', n / 2), CASE WHEN n % 12 = 0 THEN 'Porte ' || n % 30 END,
    lpad((1000 + n * 17 % 94000)::text, 5, '0'), pg_temp.word('city', n / 5)
  FROM generate_series(1::bigint, :users) AS n;
UPDATE public.users SET default_address_id = id WHERE id % 2 = 0;
INSERT INTO public.payment_methods (user_id, brand, card_last4, expires_on)
  SELECT n, (ARRAY['visa', 'mastercard', 'amex'])[1 + n % 3], lpad((1 + n * 7919 % 9999)::text, 4, '0'), date '2026-01-31' + (n % 48)::int * 30
  FROM generate_series(1::bigint, :users) AS n WHERE n % 3 > 0;

INSERT INTO public.categories (parent_id, name)
  SELECT CASE WHEN n > 5 THEN 1 + n % 5 END, 'Rayon ' || n FROM generate_series(1, 40) AS n;
INSERT INTO public.products (category_id, sku, name, price_cents, attributes, sizes, photo)
  SELECT 1 + n % 40, 'SKU-' || lpad(n::text, 6, '0'), 'Pull n° ' || n, 990 + n * 37 % 15000,
    jsonb_build_object('weight_g', n % 900, 'note', E'a "quoted"\\path'), ARRAY['S', 'M', NULL, 'L'],
    CASE WHEN n % 50 = 0 THEN decode(repeat(md5(n::text), 64), 'hex') END
  FROM generate_series(1, 2000) AS n;
INSERT INTO public.orders (user_id, address_id, status, items_cents, shipping_cents, placed_at)
  SELECT 1 + n * 7919 % :users, 1 + n * 7919 % :users, (ARRAY['cart', 'paid', 'shipped', 'returned'])[1 + n % 4]::public.order_status,
    1000 + n * 31 % 20000, CASE WHEN n % 3 = 0 THEN 0 ELSE 490 END, timestamp '2024-01-01' + n * interval '7 minutes'
  FROM generate_series(1::bigint, :users * 2) AS n;
INSERT INTO public.order_items (order_id, product_id, quantity, price_cents)
  SELECT 1 + n % (:users * 2), 1 + n * 31 % 2000, 1 + n % 3, 990 + n % 5000 FROM generate_series(1::bigint, :users * 5) AS n;
INSERT INTO public.comments (user_id, product_id, rating, body, created_at)
  SELECT 1 + n * 31 % :users, 1 + n % 2000, 1 + n % 5, pg_temp.word('remark', n) || CASE WHEN n % 4 = 0 THEN ' ' || repeat(pg_temp.word('remark', n / 7) || ' ', 4) ELSE '' END,
    timestamp '2024-06-01' + n * interval '9 minutes'
  FROM generate_series(1::bigint, :users) AS n;
INSERT INTO public.invoices (order_id, number, pdf)
  SELECT n, 'F-2025-' || lpad(n::text, 6, '0'), CASE WHEN n <= 200 THEN lo_from_bytea(0, convert_to('%PDF-1.7 facture ' || n || repeat(E'\n0 0 m', 900), 'UTF8')) END
  FROM generate_series(1::bigint, :users / 5) AS n;
INSERT INTO public.sessions (session_id, user_id, data, ip, updated_at)
  SELECT md5('session' || n), 1 + n % :users, encode(sha256(n::text::bytea), 'base64'), ('10.' || n % 200 || '.3.' || n % 250)::inet, timestamp '2025-06-01' + n * interval '1 minute'
  FROM generate_series(1::bigint, :users) AS n;
INSERT INTO public.audit_logs (user_id, session_id, action, changes, created_at)
  SELECT 1 + n % :users, 1 + n % :users, 'users#update', jsonb_build_object('email', ARRAY['ancien' || n || '@free.example', 'client' || n || '@orange.example']), timestamp '2025-01-01' + n * interval '2 minutes'
  FROM generate_series(1::bigint, :users * 3 / 2) AS n;
INSERT INTO public.impersonations (admin_id, session_id, reason)
  SELECT 1, n, 'Demande du client n° ' || n FROM generate_series(1, 50) AS n;
INSERT INTO public.page_views (user_id, path, viewed_on)
  SELECT CASE WHEN n % 3 > 0 THEN 1 + n % :users END, '/produits/' || n % 2000, date '2025-01-01' + (n % 240)::int FROM generate_series(1::bigint, :users * 3) AS n;

-- Keys and indexes.
ALTER TABLE public.users ADD PRIMARY KEY (id);
ALTER TABLE public.emails ADD PRIMARY KEY (id);
ALTER TABLE public.phone_numbers ADD PRIMARY KEY (id);
ALTER TABLE public.addresses ADD PRIMARY KEY (id);
ALTER TABLE public.payment_methods ADD PRIMARY KEY (id);
ALTER TABLE public.categories ADD PRIMARY KEY (id);
ALTER TABLE public.products ADD PRIMARY KEY (id);
ALTER TABLE public.orders ADD PRIMARY KEY (id);
ALTER TABLE public.order_items ADD PRIMARY KEY (id);
ALTER TABLE public.comments ADD PRIMARY KEY (id);
ALTER TABLE public.invoices ADD PRIMARY KEY (id);
ALTER TABLE public.sessions ADD PRIMARY KEY (id);
ALTER TABLE public.audit_logs ADD PRIMARY KEY (id);
ALTER TABLE public.impersonations ADD PRIMARY KEY (id);
ALTER TABLE public.page_views ADD PRIMARY KEY (id, viewed_on);
CREATE UNIQUE INDEX index_users_on_email ON public.users (email);
CREATE UNIQUE INDEX index_users_on_lower_email ON public.users (lower(email));
CREATE INDEX index_users_on_last_name ON public.users (last_name, first_name);
CREATE INDEX index_users_on_tags ON public.users USING gin (tags);
CREATE UNIQUE INDEX index_emails_on_email ON public.emails (email);
CREATE INDEX index_emails_on_user_id ON public.emails (user_id);
CREATE INDEX index_phone_numbers_on_user_id ON public.phone_numbers (user_id);
CREATE INDEX index_addresses_on_user_id ON public.addresses (user_id);
CREATE INDEX index_payment_methods_on_user_id ON public.payment_methods (user_id);
CREATE UNIQUE INDEX index_products_on_sku ON public.products (sku);
CREATE INDEX index_orders_on_user_id_and_placed_at ON public.orders (user_id, placed_at DESC);
CREATE INDEX index_orders_paid ON public.orders (placed_at) WHERE status = 'paid';
CREATE INDEX index_order_items_on_order_id ON public.order_items (order_id);
CREATE INDEX index_comments_on_product_id ON public.comments (product_id);
CREATE UNIQUE INDEX index_sessions_on_session_id ON public.sessions (session_id);
CREATE INDEX index_page_views_on_user_id ON public.page_views (user_id);

-- Foreign keys; users and addresses refer to each other.
ALTER TABLE public.users ADD CONSTRAINT fk_users_referrer FOREIGN KEY (referrer_id) REFERENCES public.users (id);
ALTER TABLE public.users ADD CONSTRAINT fk_users_default_address FOREIGN KEY (default_address_id) REFERENCES public.addresses (id);
ALTER TABLE public.addresses ADD CONSTRAINT fk_addresses_user FOREIGN KEY (user_id) REFERENCES public.users (id) DEFERRABLE;
ALTER TABLE public.emails ADD CONSTRAINT fk_emails_user FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE;
ALTER TABLE public.phone_numbers ADD CONSTRAINT fk_phone_numbers_user FOREIGN KEY (user_id) REFERENCES public.users (id) ON DELETE CASCADE;
ALTER TABLE public.payment_methods ADD CONSTRAINT fk_payment_methods_user FOREIGN KEY (user_id) REFERENCES public.users (id);
ALTER TABLE public.categories ADD CONSTRAINT fk_categories_parent FOREIGN KEY (parent_id) REFERENCES public.categories (id);
ALTER TABLE public.products ADD CONSTRAINT fk_products_category FOREIGN KEY (category_id) REFERENCES public.categories (id);
ALTER TABLE public.orders ADD CONSTRAINT fk_orders_user FOREIGN KEY (user_id) REFERENCES public.users (id);
ALTER TABLE public.orders ADD CONSTRAINT fk_orders_address FOREIGN KEY (address_id) REFERENCES public.addresses (id);
ALTER TABLE public.order_items ADD CONSTRAINT fk_order_items_order FOREIGN KEY (order_id) REFERENCES public.orders (id);
ALTER TABLE public.order_items ADD CONSTRAINT fk_order_items_product FOREIGN KEY (product_id) REFERENCES public.products (id);
ALTER TABLE public.comments ADD CONSTRAINT fk_comments_user FOREIGN KEY (user_id) REFERENCES public.users (id);
ALTER TABLE public.comments ADD CONSTRAINT fk_comments_product FOREIGN KEY (product_id) REFERENCES public.products (id);
ALTER TABLE public.invoices ADD CONSTRAINT fk_invoices_order FOREIGN KEY (order_id) REFERENCES public.orders (id);
ALTER TABLE public.impersonations ADD CONSTRAINT fk_impersonations_session FOREIGN KEY (session_id) REFERENCES public.sessions (id);
ALTER TABLE public.page_views ADD CONSTRAINT fk_page_views_user FOREIGN KEY (user_id) REFERENCES public.users (id);

CREATE FUNCTION public.touch_user() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.updated_at := now();
  RETURN NEW;
END $$;
CREATE TRIGGER users_touch BEFORE UPDATE ON public.users FOR EACH ROW EXECUTE FUNCTION public.touch_user();
ALTER TABLE public.users DISABLE TRIGGER users_touch;
CREATE VIEW public.support_staff AS SELECT id, email, first_name FROM public.users WHERE role = 'support';
CREATE MATERIALIZED VIEW public.monthly_sales AS
  SELECT date_trunc('month', placed_at) AS month, count(*) AS orders, sum(total_cents) AS cents FROM public.orders WHERE status <> 'cart' GROUP BY 1;
CREATE UNIQUE INDEX index_monthly_sales_on_month ON public.monthly_sales (month);
COMMENT ON TABLE public.users IS 'Customers and staff';
COMMIT;
