"""Make the first tables.

The tables of closed groups have the columns of those of open ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def integer(name: str, *, refers_to: str = "", key: bool = False, optional: bool = False) -> sa.Column[int]:
    parents = [sa.ForeignKey(f"{refers_to}.id")] if refers_to else []
    return sa.Column(name, sa.Integer, *parents, primary_key=key, autoincrement=False, nullable=optional)


def text(name: str, *, key: bool = False, optional: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, primary_key=key, nullable=optional)


def make(name: str, *parts: sa.schema.SchemaItem) -> None:
    op.create_table(name, *parts, sqlite_strict=True)


def index(table: str, *columns: str) -> None:
    op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))


def identity(table: str, *columns: str, unique: bool) -> None:
    op.create_index(f"ix_{table}_identity", table, list(columns), unique=unique)


def upgrade() -> None:
    make(
        "engine",
        integer("id", key=True),
        text("install_key"),
        integer("epoch"),
        integer("paused"),
        text("paused_at", optional=True),
        text("paper_feed"),
        text("started_at", optional=True),
    )
    make(
        "accounts",
        text("name", key=True),
        text("exchange"),
        text("market"),
        text("mode"),
        text("world"),
        integer("enabled"),
        integer("is_default"),
        text("status"),
        text("reason"),
        text("created_at"),
        text("checked_at", optional=True),
        text("check", optional=True),
    )
    make(
        "webhook_tokens",
        text("name", key=True),
        text("token"),
        text("accounts"),
        integer("enabled"),
        text("created_at"),
        text("expires_at", optional=True),
        text("last_used_at", optional=True),
        text("previous_token"),
        text("previous_until", optional=True),
    )
    make(
        "settings_versions",
        integer("id", key=True),
        text("saved_at"),
        text("document"),
        text("note"),
    )
    make(
        "risk_actions",
        integer("id", key=True),
        text("world"),
        text("type"),
        text("status"),
        integer("loser", optional=True),
        integer("by_hand"),
        text("steps"),
        text("needed_usd", optional=True),
        text("realized_usd", optional=True),
        text("loss_usd", optional=True),
        text("notes"),
        text("started_at"),
        text("finished_at", optional=True),
    )
    index("risk_actions", "started_at")
    make(
        "findings",
        integer("id", key=True),
        text("at"),
        text("kind"),
        text("account"),
        text("world"),
        text("exchange"),
        text("symbol"),
        text("ref"),
        text("found"),
        text("done"),
        text("group_ids"),
        text("ours", optional=True),
        text("theirs", optional=True),
        text("price", optional=True),
        text("choices"),
        text("choice", optional=True),
        text("settled_at", optional=True),
    )
    index("findings", "at")
    op.create_index("ix_findings_undecided", "findings", ["id"], sqlite_where=sa.text("settled_at IS NULL"))
    make(
        "world_holds",
        text("name", key=True),
        text("reason"),
        text("since", optional=True),
    )
    make(
        "queued_signals",
        integer("id", key=True),
        integer("alert_id"),
        text("account"),
        text("world"),
        text("exchange"),
        text("symbol"),
        text("timeframe"),
        text("side"),
        text("entry_price", optional=True),
        text("queued_at"),
        text("updated_at"),
        text("expires_at", optional=True),
        integer("replacement_count"),
        text("outcome", optional=True),
        text("reason"),
        text("finished_at", optional=True),
    )
    index("queued_signals", "alert_id")
    op.create_index(
        "ix_queued_signals_undecided", "queued_signals", ["id"], sqlite_where=sa.text("outcome IS NULL")
    )
    make(
        "alerts",
        integer("id", key=True),
        text("received_at"),
        text("body"),
        text("parsed"),
        text("token"),
        text("source"),
        text("exchange"),
        text("symbol"),
        text("timeframe"),
        text("signal", optional=True),
        text("side", optional=True),
        text("outcome", optional=True),
        text("reason"),
        text("allowed"),
        integer("group_id", optional=True),
        integer("replay_of", optional=True),
        integer("late"),
        text("decided_at", optional=True),
        text("finished_at", optional=True),
    )
    index("alerts", "received_at")
    index("alerts", "group_id")
    op.create_index(
        "ix_alerts_undecided", "alerts", ["id"], sqlite_where=sa.text("outcome IS NULL OR outcome = 'queued'")
    )
    make(
        "alert_keys",
        integer("id", key=True),
        text("key"),
        text("body_hash"),
        text("received_at"),
        integer("duplicates"),
    )
    index("alert_keys", "key")
    index("alert_keys", "received_at")
    make(
        "refused_requests",
        integer("id", key=True),
        text("at"),
        integer("status"),
        text("errors"),
        text("body"),
        text("source"),
        text("token"),
    )
    make(
        "equity_snapshots",
        integer("id", key=True),
        text("world"),
        text("at"),
        text("realized"),
        integer("group_id", optional=True),
    )
    index("equity_snapshots", "world", "at")
    make(
        "system_log",
        integer("id", key=True),
        text("at"),
        text("level"),
        text("category"),
        text("code"),
        text("text"),
        integer("alert_id", optional=True),
        integer("group_id", optional=True),
        integer("order_id", optional=True),
    )
    index("system_log", "at")
    index("system_log", "level")
    index("system_log", "category")
    make(
        "audit_log",
        integer("id", key=True),
        text("at"),
        text("act"),
        text("detail"),
        text("hash"),
    )
    index("audit_log", "at")
    make_family("position_groups", "pyramids", "dca_orders", "orders", "fills", unique=True)
    make_family(
        "history_groups", "history_pyramids", "history_legs", "history_orders", "history_fills", unique=False
    )


def make_family(groups: str, pyramids: str, legs: str, orders: str, fills: str, *, unique: bool) -> None:
    make(
        groups,
        integer("id", key=True),
        text("account"),
        text("world"),
        text("exchange"),
        text("symbol"),
        text("market"),
        text("base"),
        text("quote"),
        text("timeframe"),
        text("side"),
        text("status"),
        text("hold"),
        integer("forced"),
        integer("alert_id"),
        text("grid_name"),
        text("grid"),
        integer("max_pyramids"),
        text("tp_mode"),
        text("tp_aggregate_percent"),
        text("tp_order"),
        text("on_flat"),
        text("leverage"),
        integer("replacement_count"),
        integer("pyramid_count"),
        text("filled_quantity"),
        text("open_quantity"),
        text("avg_entry", optional=True),
        text("aggregate_target", optional=True),
        text("invested"),
        text("realized"),
        text("fees"),
        text("closing", optional=True),
        text("close_reason"),
        integer("exit_alert_id", optional=True),
        integer("next_alert_id", optional=True),
        text("retry_at", optional=True),
        text("timer_started_at", optional=True),
        text("timer_expires_at", optional=True),
        integer("blocked"),
        integer("skip_once"),
        text("created_at"),
        text("filled_at", optional=True),
        text("closed_at", optional=True),
    )
    index(groups, "status")
    index(groups, "closed_at")
    make(
        pyramids,
        integer("id", key=True),
        integer("group_id", refers_to=groups),
        integer("index"),
        integer("alert_id"),
        text("status"),
        text("base_price"),
        text("capital_usd"),
        text("grid_name"),
        text("created_at"),
    )
    index(pyramids, "group_id")
    make(
        legs,
        integer("id", key=True),
        integer("group_id", refers_to=groups),
        integer("pyramid_id", refers_to=pyramids),
        integer("pyramid_index"),
        integer("index"),
        text("gap_percent"),
        text("weight_percent"),
        text("tp_percent"),
        text("price"),
        text("quantity"),
        text("tp_price"),
        text("status"),
        text("filled_quantity"),
        text("filled_cost"),
        text("closed_quantity"),
        text("proceeds"),
        text("base_fees"),
        text("entry_fees"),
        text("exit_fees"),
        text("open_quantity"),
        text("avg_fill_price", optional=True),
        text("realized"),
        text("triggered_at", optional=True),
        text("closed_by", optional=True),
        integer("tp_hit"),
        text("reason"),
    )
    index(legs, "group_id")
    index(legs, "pyramid_id")
    make(
        orders,
        integer("id", key=True),
        text("client_order_id"),
        integer("attempt"),
        text("account"),
        text("exchange"),
        text("symbol"),
        integer("group_id", refers_to=groups),
        integer("pyramid_id", refers_to=pyramids, optional=True),
        integer("leg_id", refers_to=legs, optional=True),
        text("purpose"),
        text("position"),
        text("action"),
        text("type"),
        text("price", optional=True),
        text("quantity"),
        integer("reduce_only"),
        text("parts"),
        text("status"),
        integer("cancel_requested"),
        text("cancel_sent_at", optional=True),
        text("exchange_order_id", optional=True),
        text("filled_quantity"),
        text("filled_cost"),
        text("fee_base"),
        text("fee_value"),
        text("reason"),
        text("created_at"),
        text("sent_at", optional=True),
        text("acknowledged_at", optional=True),
        text("look_at", optional=True),
        integer("looks"),
        integer("absences"),
        text("absent_since", optional=True),
        integer("superseded"),
        integer("risk_action_id", optional=True),
        integer("risk_step", optional=True),
        text("finished_at", optional=True),
    )
    index(orders, "group_id")
    index(orders, "leg_id")
    index(orders, "pyramid_id")
    identity(orders, "client_order_id", unique=unique)
    make(
        fills,
        integer("id", key=True),
        text("account"),
        text("exchange"),
        text("symbol"),
        text("trade_id"),
        integer("order_id", refers_to=orders),
        integer("group_id", refers_to=groups),
        text("purpose"),
        text("action"),
        text("price"),
        text("quantity"),
        text("fee"),
        text("fee_currency"),
        text("fee_value"),
        integer("fee_estimated"),
        integer("maker"),
        text("at"),
    )
    index(fills, "group_id")
    index(fills, "order_id")
    identity(fills, "account", "exchange", "symbol", "trade_id", unique=unique)


def downgrade() -> None:
    for table in (
        "history_fills",
        "history_orders",
        "history_legs",
        "history_pyramids",
        "history_groups",
        "fills",
        "orders",
        "dca_orders",
        "pyramids",
        "position_groups",
        "audit_log",
        "system_log",
        "equity_snapshots",
        "refused_requests",
        "alert_keys",
        "alerts",
        "queued_signals",
        "world_holds",
        "findings",
        "risk_actions",
        "settings_versions",
        "webhook_tokens",
        "accounts",
        "engine",
    ):
        op.drop_table(table)
