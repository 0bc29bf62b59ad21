"""The media as they were (type 2)."""

from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Removal, Table, Type

TABLE = Table(
    layer="silver",
    name="dim_media_history",
    doc="What each media was, and from when to when. Follows name, duration, folder, tags, archived, status.",
    grain="one media_id and valid_from",
    key=("media_id", "valid_from"),
    scope=("media_id",),
    removal=Removal.DELETE,
    sources=("media_metadata",),
    columns=(
        MEDIA_ID,
        Column("valid_from", Type.TIMESTAMP, Privacy.NONE, "First observation of this version.", nullable=False),
        Column("valid_to", Type.TIMESTAMP, Privacy.NONE, "First observation of the next; NULL while current."),
        Column("is_current", Type.BOOLEAN, Privacy.NONE, "Whether this is the newest version.", nullable=False),
        Column("title", Type.STRING, Privacy.NONE, "Title."),
        Column("type", Type.STRING, Privacy.NONE, "Video, Audio, ..."),
        Column("status", Type.STRING, Privacy.NONE, "queued, processing, ready, failed."),
        Column("archived", Type.BOOLEAN, Privacy.NONE, "Whether it is archived."),
        Column("duration_seconds", Type.DOUBLE, Privacy.NONE, "Length; NULL for what does not play.", unit="s", minimum=0),
        Column("folder", Type.STRING, Privacy.NONE, "Folder's name."),
        Column("subfolder", Type.STRING, Privacy.NONE, "Subfolder's name, or the section's."),
        Column("tags", Type.STRINGS, Privacy.NONE, "Tags, sorted."),
        Column("original_asset", Type.STRING, Privacy.NONE, "Fingerprint of the original file."),
        BUILT_AT,
    ),
)  # fmt: skip
