"""First tables of the budget service: replicas of units, offices and plan headers, and the versioned budget sets."""

from __future__ import annotations

from alembic import op

from migrations import ledger_v1

revision = "2026_11_22_0900"
down_revision = None
branch_labels = None
depends_on = None

REPLICAS = [
    """
    CREATE TABLE admin_unit (
      code text NOT NULL,
      valid_from date NOT NULL,
      valid_to date,
      name_vi text NOT NULL,
      name_en text,
      type text NOT NULL,
      province_code text,
      version bigint NOT NULL,
      CONSTRAINT pk_admin_unit PRIMARY KEY (code, valid_from)
    )
    """,
    """
    CREATE TABLE office (
      admin_unit text NOT NULL,
      slug text NOT NULL,
      name_vi text NOT NULL,
      name_en text,
      level text NOT NULL,
      aliases text[] NOT NULL,
      version bigint NOT NULL,
      CONSTRAINT pk_office PRIMARY KEY (admin_unit, slug)
    )
    """,
    """
    CREATE TABLE plan (
      plan_key text NOT NULL CONSTRAINT pk_plan PRIMARY KEY,
      plan_id uuid NOT NULL,
      admin_unit text NOT NULL,
      province text NOT NULL,
      year smallint NOT NULL,
      kind text NOT NULL,
      revision integer NOT NULL,
      status text NOT NULL,
      public_from timestamptz,
      title_vi text NOT NULL,
      title_en text,
      document_number text,
      issued_on date,
      version bigint NOT NULL,
      budget_total_vnd bigint,
      budget_rules jsonb NOT NULL
    )
    """,
    "CREATE INDEX ix_plan_admin_unit ON plan (admin_unit)",
    "CREATE INDEX ix_plan_province_year ON plan (province, year)",
]

BUDGET_SET = """
    CREATE TABLE budget_set (
      plan_key text CONSTRAINT pk_budget_set PRIMARY KEY,
      revision integer NOT NULL
    )
"""

# What every versioned set has: whose row it is, its place in the document, and when it was known.
ITEM = """
      admin_unit text NOT NULL,
      plan_key text NOT NULL,
      key text NOT NULL,
      known_from timestamptz NOT NULL,
      known_to timestamptz,
      content_hash bytea NOT NULL,
      position integer NOT NULL
"""

SETS = {
    "budget_line": """
      number text,
      title_vi text NOT NULL,
      title_en text,
      scope_vi text,
      amount_vnd bigint NOT NULL,
      stage text NOT NULL,
      amount_kind text,
      budget_years smallint[] NOT NULL,
      expenditure_kind text NOT NULL,
      expenditure_kind_stated boolean NOT NULL,
      pillar text,
      pillar_stated boolean NOT NULL,
      funding_source text,
      lead_offices text[] NOT NULL,
      coordinating_offices text[] NOT NULL,
      beneficiaries text[] NOT NULL,
      execution_time_text text,
      execution_time_kind text,
      execution_time text,
      starts_on date,
      ends_on date,
      quantity_value numeric(20, 6),
      quantity_unit text,
      phase smallint,
      tasks text[] NOT NULL,
      targets text[] NOT NULL,
      index_version text,
      chapter_code text,
      category_code text,
      clause_code text,
      item_code text,
      subitem_code text,
      source_ref text,
      note text,
      search_text text NOT NULL,
      CONSTRAINT ck_budget_line_amount_vnd CHECK (amount_vnd > 0 AND amount_vnd <= 9007199254740992),
      CONSTRAINT ck_budget_line_stage CHECK (stage = 'estimated'),
      CONSTRAINT ck_budget_line_reserve_outside_pillars CHECK (expenditure_kind <> 'reserve' OR pillar IS NULL)
    """,
    "budget_group": """
      number text,
      title_vi text NOT NULL,
      pillars text[] NOT NULL,
      amount_vnd bigint NOT NULL,
      source_ref text,
      note text,
      search_text text NOT NULL,
      CONSTRAINT ck_budget_group_amount_vnd CHECK (amount_vnd > 0 AND amount_vnd <= 9007199254740992)
    """,
    "budget_cell": """
      group_key text NOT NULL,
      scope_vi text NOT NULL,
      objective_vi text,
      amount_vnd bigint NOT NULL,
      lines text[] NOT NULL,
      source_ref text,
      note text,
      CONSTRAINT ck_budget_cell_amount_vnd CHECK (amount_vnd > 0 AND amount_vnd <= 9007199254740992)
    """,
}


def upgrade() -> None:
    """Create the ledger, the replicas and the sets, with the data rights of the login role."""
    ledger_v1.upgrade(op, "budget")
    for statement in (*REPLICAS, BUDGET_SET):
        op.execute(statement)
    for table, columns in SETS.items():
        key = f"CONSTRAINT pk_{table} PRIMARY KEY (admin_unit, plan_key, key, known_from)"
        op.execute(f"CREATE TABLE {table} ({ITEM}, {columns}, {key})")
        current = f"uq_{table}_current ON {table} (admin_unit, plan_key, key) WHERE known_to IS NULL"
        op.execute(f"CREATE UNIQUE INDEX {current}")
    for table in ("admin_unit", "office", "plan", "budget_set", *SETS):
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO budget")


def downgrade() -> None:
    """Drop them all."""
    for table in (*reversed(SETS), "budget_set", "plan", "office", "admin_unit"):
        op.execute(f"DROP TABLE {table}")
    ledger_v1.downgrade(op)
