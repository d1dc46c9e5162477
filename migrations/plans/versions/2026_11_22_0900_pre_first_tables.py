"""First tables of the plans service: units, office kinds, offices, plan headers, and what plans hold."""

from __future__ import annotations

from alembic import op

from migrations import ledger_v1

revision = "2026_11_22_0900"
down_revision = None
branch_labels = None
depends_on = None

TABLES = {
    "admin_unit": """
      known_to timestamptz,
      content_hash bytea NOT NULL,
      code text NOT NULL,
      valid_from date NOT NULL,
      known_from timestamptz NOT NULL,
      valid_to date,
      name_vi text NOT NULL,
      name_en text NOT NULL,
      type text NOT NULL,
      province_code text,
      agency_code text,
      sort_key text COLLATE "C" NOT NULL,
      search_text text NOT NULL,
      CONSTRAINT pk_admin_unit PRIMARY KEY (code, valid_from, known_from),
      CONSTRAINT ck_admin_unit_validity CHECK (valid_to > valid_from)
    """,
    "office_kind": """
      known_to timestamptz,
      content_hash bytea NOT NULL,
      key text NOT NULL,
      known_from timestamptz NOT NULL,
      name_vi text NOT NULL,
      name_en text NOT NULL,
      level text NOT NULL,
      aliases text[] NOT NULL,
      alias_keys text[] NOT NULL,
      note text,
      sort_key text COLLATE "C" NOT NULL,
      search_text text NOT NULL,
      CONSTRAINT pk_office_kind PRIMARY KEY (key, known_from)
    """,
    "office": """
      known_to timestamptz,
      content_hash bytea NOT NULL,
      admin_unit text NOT NULL,
      key text NOT NULL,
      known_from timestamptz NOT NULL,
      name_vi text,
      name_en text,
      level text,
      aliases text[] NOT NULL,
      alias_keys text[] NOT NULL,
      agency_code text,
      search_text text NOT NULL,
      CONSTRAINT pk_office PRIMARY KEY (admin_unit, key, known_from)
    """,
    "plan": """
      known_from timestamptz NOT NULL,
      known_to timestamptz,
      content_hash bytea NOT NULL,
      admin_unit text NOT NULL,
      plan_key text NOT NULL,
      version integer NOT NULL,
      plan_id uuid NOT NULL,
      province text NOT NULL,
      year integer NOT NULL,
      kind text NOT NULL,
      phase text,
      revision integer NOT NULL,
      status text NOT NULL,
      title_vi text NOT NULL,
      title_en text NOT NULL,
      document_number text,
      document_number_raw text,
      issued_on date,
      issued_partial text,
      issuing_body text NOT NULL,
      signer_name text,
      signer_role text,
      signer_on_behalf text,
      standing_office text,
      standing_office_ref text,
      proposal_document jsonb,
      implements text[] NOT NULL,
      implements_ref text,
      general_objectives text[] NOT NULL,
      budget_total_vnd bigint,
      budget_total_ref text,
      budget_total_computed jsonb,
      prior_year_budget jsonb,
      funding_sources jsonb,
      annexes jsonb,
      notes text[] NOT NULL,
      blank_in_source text[] NOT NULL,
      source_file text,
      slug text,
      amendment jsonb,
      closing jsonb,
      search_text text NOT NULL,
      CONSTRAINT pk_plan PRIMARY KEY (admin_unit, plan_key, version),
      CONSTRAINT ck_plan_status CHECK (status IN ('draft', 'issued', 'amended', 'closed')),
      CONSTRAINT ck_plan_counts CHECK (revision >= 1 AND version >= 1)
    """,
}

INDEXES = [
    "CREATE INDEX ix_admin_unit_province ON admin_unit (province_code, code)",
    "CREATE UNIQUE INDEX uq_admin_unit_current ON admin_unit (code, valid_from) WHERE known_to IS NULL",
    "CREATE UNIQUE INDEX uq_office_kind_current ON office_kind (key) WHERE known_to IS NULL",
    "CREATE UNIQUE INDEX uq_office_current ON office (admin_unit, key) WHERE known_to IS NULL",
    "CREATE INDEX ix_plan_plan_key ON plan (plan_key, version)",
    "CREATE INDEX ix_plan_province ON plan (province, year)",
    "CREATE UNIQUE INDEX uq_plan_current ON plan (admin_unit, year, kind) WHERE known_to IS NULL",
]

# What every item has: whose it is, its place in the document, and when it was known.
ITEM = """
      admin_unit text NOT NULL,
      plan_key text NOT NULL,
      key text NOT NULL,
      known_from timestamptz NOT NULL,
      known_to timestamptz,
      content_hash bytea NOT NULL,
      position smallint NOT NULL,
      note text,
      search_text text NOT NULL
"""

ITEMS = {
    "legal_basis": """
      document_number text,
      document_kind text NOT NULL,
      issued_on date,
      issuer text,
      issuer_level text NOT NULL,
      subject_vi text,
      relation text NOT NULL,
      amends text[] NOT NULL,
      implements text[] NOT NULL,
      variants text[] NOT NULL,
      alias text,
      same_as text,
      cited_in text,
      funds_plan boolean NOT NULL,
      discrepancy text,
      source_ref text
    """,
    "task": """
      group_vi text,
      title_vi text NOT NULL,
      pillar text,
      pillar_stated boolean,
      alternative_pillar text,
      lead_offices text[] NOT NULL,
      lead_basis text,
      lead_ref text,
      lead_role text,
      coordinating_offices text[] NOT NULL,
      supporting_offices text[] NOT NULL,
      execution_time_kind text,
      execution_time text,
      execution_time_text text,
      execution_time_ref text,
      starts_on date,
      ends_on date,
      is_continuous boolean NOT NULL,
      cadence text,
      source_ref text,
      budget_lines text[] NOT NULL,
      budget_rule text,
      reporting_duty text,
      external_systems text[] NOT NULL,
      delegated_to_annex boolean NOT NULL,
      from_annex boolean NOT NULL
    """,
    "reporting_duty": """
      cycle text NOT NULL,
      due_rule text NOT NULL,
      from_offices text[] NOT NULL,
      to_offices text[] NOT NULL,
      via_offices text[] NOT NULL,
      content_vi text NOT NULL,
      due_before_day smallint,
      due_months smallint[] NOT NULL,
      due_month text,
      due_dates text[] NOT NULL,
      source_ref text
    """,
    "budget_rule": """
      kind text NOT NULL,
      rule_vi text NOT NULL,
      params jsonb,
      offices text[] NOT NULL,
      discrepancy text,
      source_ref text
    """,
    "prior_year_result": """
      area_vi text NOT NULL,
      result_vi text NOT NULL,
      value numeric,
      measure_unit text,
      scope_count integer,
      scope_unit text,
      difficulty_vi text,
      source_ref text
    """,
    "recipient": """
      raw_text text NOT NULL,
      names_person boolean NOT NULL,
      offices text[] NOT NULL,
      source_ref text
    """,
    "external_system": """
      name_vi text NOT NULL,
      boundary text NOT NULL,
      owner_vi text,
      ask_vi text NOT NULL,
      connection text NOT NULL,
      last_success_at timestamptz,
      source_refs text[] NOT NULL
    """,
    "discrepancy": """
      location text NOT NULL,
      issue_vi text NOT NULL,
      type text NOT NULL
    """,
}


def upgrade() -> None:
    """Create the ledger and the tables, with the data rights of the login role."""
    ledger_v1.upgrade(op, "plans")
    for table, columns in TABLES.items():
        op.execute(f"CREATE TABLE {table} ({columns})")
    for statement in INDEXES:
        op.execute(statement)
    for table, columns in ITEMS.items():
        key = f"CONSTRAINT pk_{table} PRIMARY KEY (admin_unit, plan_key, key, known_from)"
        op.execute(f"CREATE TABLE {table} ({ITEM}, {columns}, {key})")
        current = f"uq_{table}_current ON {table} (admin_unit, plan_key, key) WHERE known_to IS NULL"
        op.execute(f"CREATE UNIQUE INDEX {current}")
    for table in (*TABLES, *ITEMS):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO plans")


def downgrade() -> None:
    """Drop them all."""
    for table in (*reversed(ITEMS), *reversed(TABLES)):
        op.execute(f"DROP TABLE {table}")
    ledger_v1.downgrade(op)
