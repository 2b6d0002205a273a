#!/bin/sh
# Runs once, when the database is created: the registry's database, and a CRM whose changes Debezium reads.
set -eu

psql --set ON_ERROR_STOP=1 --username "$POSTGRES_USER" --dbname postgres \
    --set debezium="$DEBEZIUM_PASSWORD" --set registry="$REGISTRY_PASSWORD" <<'SQL'
CREATE ROLE registry LOGIN PASSWORD :'registry';
CREATE DATABASE registry OWNER registry;
CREATE ROLE debezium LOGIN REPLICATION PASSWORD :'debezium';
CREATE DATABASE crm;
\connect crm
CREATE TABLE customer (
    id integer PRIMARY KEY,
    brand text NOT NULL,
    customer_type text NOT NULL CHECK (customer_type IN ('I', 'O')),
    title text, first_name text, middle_name text, last_name text, suffix text,
    company_name text, reg_no text,
    dob date, gender text,
    email text, mobile text, home_phone text,
    street text, house_no text, flat text, city text, region text, postcode text, country text NOT NULL,
    passport_no text, national_id text,
    status text NOT NULL, segment text NOT NULL,
    created_at timestamp NOT NULL DEFAULT now(), updated_at timestamp NOT NULL DEFAULT now()
);
-- A whole `before` in updates and deletes; by default it holds the key only.
ALTER TABLE customer REPLICA IDENTITY FULL;
GRANT SELECT ON customer TO debezium;
CREATE PUBLICATION singleview FOR TABLE customer;
SQL
