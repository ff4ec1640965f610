"""Events, first starts, replicas."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

MOMENT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "events",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=True),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("kind", sa.String(40), nullable=False),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer),
        sa.Column("author", sa.String(200), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
    )
    op.create_index("ix_events_name_id", "events", ["name", "id"])
    op.create_table(
        "starts",
        sa.Column("name", sa.String(63), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("result", sa.String(10), nullable=False),
        sa.Column("message", sa.Text, nullable=False),
        sa.Column("last_lines", sa.Text, nullable=False),
        sa.Column("time", MOMENT, nullable=False),
        sa.Column("served", sa.Boolean, nullable=False),
        sa.Column("left_traffic", MOMENT),
    )
    op.create_table(
        "replicas",
        sa.Column("id", sa.String(40), primary_key=True),
        sa.Column("name", sa.String(63), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("digest", sa.String(64), nullable=False),
        sa.Column("socket", sa.Text, nullable=False),
        sa.Column("pid", sa.Integer, nullable=False),
        sa.Column("started", MOMENT, nullable=False),
        sa.Column("ended", MOMENT),
        sa.Column("reason", sa.Text, nullable=False),
    )
    op.create_index("ix_replicas_ended", "replicas", ["ended"])


def downgrade() -> None:
    for table in ("replicas", "starts", "events"):
        op.drop_table(table)
