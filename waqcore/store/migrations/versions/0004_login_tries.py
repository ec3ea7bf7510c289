"""login tries"""

from alembic import op
import sqlalchemy as sa


revision = '0004'
down_revision = '0003'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('waq_login_try',
    sa.Column('id', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), autoincrement=True, nullable=False),
    sa.Column('key', sa.Text(), nullable=False),
    sa.Column('tried_at', sa.BigInteger().with_variant(sa.Integer(), 'sqlite'), nullable=False),
    sa.PrimaryKeyConstraint('id'),
    sqlite_strict=True
    )
    with op.batch_alter_table('waq_login_try', schema=None) as batch_op:
        batch_op.create_index('waq_login_try_key', ['key', 'tried_at'], unique=False)


def downgrade() -> None:
    with op.batch_alter_table('waq_login_try', schema=None) as batch_op:
        batch_op.drop_index('waq_login_try_key')

    op.drop_table('waq_login_try')
