"""further invoices"""

from alembic import op
import sqlalchemy as sa


revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('waq_invoice',
    sa.Column('registration', sa.Text(), nullable=False),
    sa.Column('invoice', sa.Text(), nullable=False),
    sa.Column('content_hash', sa.Text(), nullable=False),
    sa.ForeignKeyConstraint(['registration'], ['waq_registration.id'], ),
    sa.PrimaryKeyConstraint('registration', 'invoice'),
    sqlite_strict=True,
    sqlite_with_rowid=False
    )
    with op.batch_alter_table('waq_invoice', schema=None) as batch_op:
        batch_op.create_index('waq_invoice_name', ['invoice'], unique=False)

    op.add_column('waq_registration', sa.Column('invoices', sa.Integer(), server_default='1', nullable=False))
    with op.batch_alter_table('waq_payment_event', schema=None) as batch_op:
        batch_op.drop_index('waq_payment_event_early', sqlite_where=sa.text("effect = 'unknown'"), postgresql_where=sa.text("effect = 'unknown'"))
        batch_op.create_index('waq_payment_event_reference', ['reference'], unique=False)
        batch_op.create_index('waq_payment_event_invoice', ['invoice'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('waq_payment_event', schema=None) as batch_op:
        batch_op.drop_index('waq_payment_event_invoice')
        batch_op.drop_index('waq_payment_event_reference')
        batch_op.create_index('waq_payment_event_early', ['reference'], unique=False, sqlite_where=sa.text("effect = 'unknown'"), postgresql_where=sa.text("effect = 'unknown'"))

    op.drop_column('waq_registration', 'invoices')
    with op.batch_alter_table('waq_invoice', schema=None) as batch_op:
        batch_op.drop_index('waq_invoice_name')

    op.drop_table('waq_invoice')
