-- What an app has beside its main tables, for bench/subset: 22 tables on top of the 19 of demo/production.sql, which run
-- before this. Run by psql with the number of users in :users. Values come from row numbers, so every run makes the same.
\set ON_ERROR_STOP on
BEGIN;

-- Reference tables and settings: no path leads from them to a user, so a slice has them whole.
CREATE TABLE public.countries (code character(2) PRIMARY KEY, name character varying NOT NULL);
CREATE TABLE public.currencies (code character(3) PRIMARY KEY, digits smallint NOT NULL);
CREATE TABLE public.settings (id serial PRIMARY KEY, name character varying NOT NULL UNIQUE, setting jsonb NOT NULL);
CREATE TABLE public.feature_flags (name character varying PRIMARY KEY, enabled boolean NOT NULL);
CREATE TABLE public.carriers (id serial PRIMARY KEY, label character varying NOT NULL);
CREATE TABLE public.tags (id serial PRIMARY KEY, label public.citext NOT NULL UNIQUE);
CREATE TABLE public.shipping_zones (
  id serial PRIMARY KEY, country_code character(2) NOT NULL REFERENCES public.countries, price_cents public.cents NOT NULL
);
CREATE TABLE public.warehouses (id serial PRIMARY KEY, shipping_zone_id integer NOT NULL REFERENCES public.shipping_zones);

-- The catalogue, which no user's rows decide.
CREATE TABLE public.product_tags (
  product_id bigint NOT NULL REFERENCES public.products, tag_id integer NOT NULL REFERENCES public.tags,
  PRIMARY KEY (product_id, tag_id)
);
CREATE TABLE public.product_prices (
  id bigserial PRIMARY KEY, product_id bigint NOT NULL REFERENCES public.products,
  currency_code character(3) NOT NULL REFERENCES public.currencies, price_cents public.cents NOT NULL, valid_from date NOT NULL
);
CREATE TABLE public.stock_levels (
  warehouse_id integer NOT NULL REFERENCES public.warehouses, product_id bigint NOT NULL REFERENCES public.products,
  quantity integer NOT NULL, PRIMARY KEY (warehouse_id, product_id)
);
CREATE TABLE public.promotions (
  id serial PRIMARY KEY, product_id bigint REFERENCES public.products, percent smallint NOT NULL, ends_on date
);

-- A log that refers to nothing.
CREATE TABLE public.job_runs (
  id bigserial PRIMARY KEY, job character varying NOT NULL, status character varying NOT NULL, milliseconds integer NOT NULL,
  ran_at timestamp(6) NOT NULL
);

-- What belongs to users and orders, at one remove or at several, and is cut with them.
CREATE TABLE public.promotions_users (
  promotion_id integer NOT NULL, user_id bigint NOT NULL, PRIMARY KEY (promotion_id, user_id)
);
CREATE TABLE public.wishlists (id bigserial NOT NULL, user_id bigint NOT NULL, title character varying);
CREATE TABLE public.wishlist_items (id bigserial NOT NULL, wishlist_id bigint NOT NULL, product_id bigint NOT NULL, position smallint);
CREATE TABLE public.shipments (
  id bigserial NOT NULL, order_id bigint NOT NULL, carrier_id integer NOT NULL, warehouse_id integer, shipped_at timestamp(6)
);
CREATE TABLE public.shipment_events (
  id bigserial NOT NULL, shipment_id bigint NOT NULL, status character varying NOT NULL, happened_at timestamp(6) NOT NULL
);
CREATE TABLE public.refunds (
  id bigserial NOT NULL, order_id bigint NOT NULL, payment_method_id bigint, amount_cents public.cents NOT NULL
);
CREATE TABLE public.support_tickets (
  id bigserial NOT NULL, user_id bigint NOT NULL, assignee_id bigint, order_id bigint, status character varying NOT NULL
);
CREATE TABLE public.ticket_messages (
  id bigserial NOT NULL, support_ticket_id bigint NOT NULL, author_id bigint NOT NULL, body text NOT NULL, created_at timestamp(6) NOT NULL
);
-- Polymorphic, so that no foreign key says what a note is about.
CREATE TABLE public.notes (
  id bigserial NOT NULL, notable_type character varying NOT NULL, notable_id bigint NOT NULL, author_id bigint, body text NOT NULL
);

INSERT INTO public.countries SELECT chr(65 + n / 26) || chr(65 + n % 26), 'Pays ' || n FROM generate_series(0, 249) AS n;
INSERT INTO public.currencies SELECT 'C' || chr(65 + n / 26) || chr(65 + n % 26), n % 3 FROM generate_series(0, 39) AS n;
INSERT INTO public.settings (name, setting)
  SELECT 'shop.option_' || n, jsonb_build_object('value', n, 'on', n % 2 = 0) FROM generate_series(1, 60) AS n;
INSERT INTO public.feature_flags SELECT 'flag_' || n, n % 3 = 0 FROM generate_series(1, 40) AS n;
INSERT INTO public.carriers (label) SELECT 'Transporteur ' || n FROM generate_series(1, 8) AS n;
INSERT INTO public.tags (label) SELECT 'étiquette-' || n FROM generate_series(1, 500) AS n;
INSERT INTO public.shipping_zones (country_code, price_cents) SELECT code, 490 + ascii(code) * 10 FROM public.countries;
INSERT INTO public.warehouses (shipping_zone_id) SELECT n FROM generate_series(1, 12) AS n;
INSERT INTO public.product_tags SELECT n, 1 + (n * 7 + k * 31) % 500 FROM generate_series(1, 2000) AS n, generate_series(1, 4) AS k;
INSERT INTO public.product_prices (product_id, currency_code, price_cents, valid_from)
  SELECT 1 + n % 2000, code, 990 + n % 9000, date '2024-01-01' + n % 700
  FROM generate_series(1, 20000) AS n JOIN (SELECT code, row_number() OVER (ORDER BY code) - 1 AS at FROM public.currencies) AS c ON c.at = n % 40;
INSERT INTO public.stock_levels SELECT w, p, (w * p) % 300 FROM generate_series(1, 12) AS w, generate_series(1, 2000) AS p;
INSERT INTO public.promotions (product_id, percent, ends_on)
  SELECT CASE WHEN n % 4 > 0 THEN 1 + n * 13 % 2000 END, 5 + n % 40, date '2026-01-01' + n FROM generate_series(1, 300) AS n;
INSERT INTO public.job_runs (job, status, milliseconds, ran_at)
  SELECT (ARRAY['InvoiceJob', 'StockJob', 'MailJob', 'SearchIndexJob'])[1 + n % 4], CASE WHEN n % 50 = 0 THEN 'failed' ELSE 'done' END,
    n * 7919 % 9000, timestamp '2025-01-01' + n * interval '3 minutes'
  FROM generate_series(1::bigint, :users / 4) AS n;

-- Users and orders are taken all over their numbers. Staff has numbers that bench/subset keeps.
INSERT INTO public.promotions_users SELECT 1 + n % 300, 1 + n * 31 % :users FROM generate_series(1::bigint, :users / 4) AS n;
INSERT INTO public.wishlists (user_id, title) SELECT 1 + n * 37 % :users, 'Liste ' || n FROM generate_series(1::bigint, :users / 8) AS n;
INSERT INTO public.wishlist_items (wishlist_id, product_id, position)
  SELECT 1 + n / 2 % (:users / 8), 1 + n * 31 % 2000, n % 2 FROM generate_series(1::bigint, :users / 4) AS n;
INSERT INTO public.shipments (order_id, carrier_id, warehouse_id, shipped_at)
  SELECT 1 + n * 7907 % (:users * 2), 1 + n % 8, CASE WHEN n % 10 > 0 THEN 1 + n % 12 END, timestamp '2024-01-02' + n * interval '56 minutes'
  FROM generate_series(1::bigint, :users / 4) AS n;
INSERT INTO public.shipment_events (shipment_id, status, happened_at)
  SELECT n, status, timestamp '2024-01-02' + n * interval '56 minutes' + at * interval '9 hours'
  FROM generate_series(1::bigint, :users / 4) AS n, unnest(ARRAY['packed', 'delivered']) WITH ORDINALITY AS step (status, at);
INSERT INTO public.refunds (order_id, payment_method_id, amount_cents)
  SELECT o.id, p.id, 500 + o.id % 500 FROM public.orders AS o LEFT JOIN public.payment_methods AS p USING (user_id)
  WHERE o.id % 39 = 1 ORDER BY o.id;
INSERT INTO public.support_tickets (user_id, assignee_id, order_id, status)
  SELECT user_id, CASE WHEN id % 5 > 0 THEN 20 + id % 50 * 20 END, CASE WHEN id % 2 = 0 THEN id END, (ARRAY['open', 'solved', 'closed'])[1 + id % 3]
  FROM public.orders WHERE id % 41 = 1 ORDER BY id;
INSERT INTO public.ticket_messages (support_ticket_id, author_id, body, created_at)
  SELECT t.id, CASE WHEN k = 2 THEN coalesce(t.assignee_id, t.user_id) ELSE t.user_id END, 'Message ' || k || ' : ' || repeat('toujours pas reçu, ', k),
    timestamp '2025-02-01' + t.id * interval '11 minutes' + k * interval '2 hours'
  FROM public.support_tickets AS t, generate_series(1, 3) AS k ORDER BY t.id, k;
INSERT INTO public.notes (notable_type, notable_id, author_id, body)
  SELECT CASE WHEN n % 3 = 0 THEN 'User' ELSE 'Order' END, n * 7, CASE WHEN n % 2 = 0 THEN 20 END, 'Note interne ' || n % 90
  FROM generate_series(1::bigint, :users / 8) AS n;

-- Keys, indexes and foreign keys.
ALTER TABLE public.wishlists ADD PRIMARY KEY (id);
ALTER TABLE public.wishlist_items ADD PRIMARY KEY (id);
ALTER TABLE public.shipments ADD PRIMARY KEY (id);
ALTER TABLE public.shipment_events ADD PRIMARY KEY (id);
ALTER TABLE public.refunds ADD PRIMARY KEY (id);
ALTER TABLE public.support_tickets ADD PRIMARY KEY (id);
ALTER TABLE public.ticket_messages ADD PRIMARY KEY (id);
ALTER TABLE public.notes ADD PRIMARY KEY (id);
CREATE INDEX ON public.promotions_users (user_id);
CREATE INDEX ON public.wishlists (user_id);
CREATE INDEX ON public.wishlist_items (wishlist_id);
CREATE INDEX ON public.shipments (order_id);
CREATE INDEX ON public.shipment_events (shipment_id);
CREATE INDEX ON public.refunds (order_id);
CREATE INDEX ON public.support_tickets (user_id);
CREATE INDEX ON public.ticket_messages (support_ticket_id);
CREATE INDEX ON public.notes (notable_type, notable_id);
ALTER TABLE public.promotions_users ADD FOREIGN KEY (promotion_id) REFERENCES public.promotions;
ALTER TABLE public.promotions_users ADD FOREIGN KEY (user_id) REFERENCES public.users;
ALTER TABLE public.wishlists ADD FOREIGN KEY (user_id) REFERENCES public.users;
ALTER TABLE public.wishlist_items ADD FOREIGN KEY (wishlist_id) REFERENCES public.wishlists;
ALTER TABLE public.wishlist_items ADD FOREIGN KEY (product_id) REFERENCES public.products;
ALTER TABLE public.shipments ADD FOREIGN KEY (order_id) REFERENCES public.orders;
ALTER TABLE public.shipments ADD FOREIGN KEY (carrier_id) REFERENCES public.carriers;
ALTER TABLE public.shipments ADD FOREIGN KEY (warehouse_id) REFERENCES public.warehouses;
ALTER TABLE public.shipment_events ADD FOREIGN KEY (shipment_id) REFERENCES public.shipments;
ALTER TABLE public.refunds ADD FOREIGN KEY (order_id) REFERENCES public.orders;
ALTER TABLE public.refunds ADD FOREIGN KEY (payment_method_id) REFERENCES public.payment_methods;
ALTER TABLE public.support_tickets ADD FOREIGN KEY (user_id) REFERENCES public.users;
ALTER TABLE public.support_tickets ADD FOREIGN KEY (assignee_id) REFERENCES public.users;
ALTER TABLE public.support_tickets ADD FOREIGN KEY (order_id) REFERENCES public.orders;
ALTER TABLE public.ticket_messages ADD FOREIGN KEY (support_ticket_id) REFERENCES public.support_tickets;
ALTER TABLE public.ticket_messages ADD FOREIGN KEY (author_id) REFERENCES public.users;
ALTER TABLE public.notes ADD FOREIGN KEY (author_id) REFERENCES public.users;
COMMIT;
