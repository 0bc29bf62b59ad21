"""The media as they were (type 2)."""

from wistlake.contracts.dim_media import DESCRIPTION
from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Table, Type

TABLE = Table(
    layer="silver",
    name="dim_media_history",
    doc="What each media was, and from when to when. Follows name, duration, folder, tags, archived, status.",
    grain="one media_id and valid_from",
    key=("media_id", "valid_from"),
    scope=("media_id",),
    sources=("media_metadata",),
    columns=(
        MEDIA_ID,
        Column("valid_from", Type.TIMESTAMP, Privacy.NONE, "First observation of this version.", nullable=False),
        Column("valid_to", Type.TIMESTAMP, Privacy.NONE, "First observation of the next; NULL while current."),
        Column("is_current", Type.BOOLEAN, Privacy.NONE, "Whether this is the newest version.", nullable=False),
        *DESCRIPTION,
        Column("original_asset", Type.STRING, Privacy.NONE, "Fingerprint of the original file."),
        BUILT_AT,
    ),
)  # fmt: skip
