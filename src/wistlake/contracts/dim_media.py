"""The media as they are today."""

from wistlake.contracts.form import LINEAGE, MEDIA_ID, Column, Privacy, Removal, Table, Type

DESCRIPTION = (
    Column("title", Type.STRING, Privacy.NONE, "Title."),
    Column("type", Type.STRING, Privacy.NONE, "Video, Audio, ..."),
    Column("status", Type.STRING, Privacy.NONE, "queued, processing, ready, failed."),
    Column("archived", Type.BOOLEAN, Privacy.NONE, "Whether it is archived."),
    Column("duration_seconds", Type.DOUBLE, Privacy.NONE, "Length; NULL for what does not play.", unit="s", minimum=0),
    Column("folder", Type.STRING, Privacy.NONE, "Folder's name."),
    Column("subfolder", Type.STRING, Privacy.NONE, "Subfolder's name, or the section's."),
    Column("tags", Type.STRINGS, Privacy.NONE, "Tags, sorted."),
)  # fmt: skip
TABLE = Table(
    layer="silver",
    name="dim_media",
    doc="What each media is now (type 1). Deleted media stay, marked.",
    grain="one media_id",
    key=("media_id",),
    scope=("media_id",),
    removal=Removal.KEEP,
    sources=("media_metadata",),
    columns=(
        MEDIA_ID,
        Column("numeric_id", Type.LONG, Privacy.NONE, "Wistia's numeric id."),
        *DESCRIPTION,
        Column("url", Type.STRING, Privacy.NONE, "The media's page, from events; NULL until seen."),
        Column("channel", Type.STRING, Privacy.NONE, "Channel by the media-level rules.", nullable=False),
        Column("folder_id", Type.STRING, Privacy.NONE, "Folder's hashed id."),
        Column("thumbnail_url", Type.STRING, Privacy.NONE, "Picture."),
        Column("original_asset", Type.STRING, Privacy.NONE, "Fingerprint of the original file: changes when the media is swapped."),
        Column("created_at", Type.TIMESTAMP, Privacy.NONE, "When it was made."),
        Column(
            "updated_at", Type.TIMESTAMP, Privacy.NONE,
            "When it last changed: by Wistia's own word (which bumps it in bulk) or, of what Wistia does not tell,"
            " when the run that saw it started.",
        ),
        Column("is_deleted", Type.BOOLEAN, Privacy.NONE, "Wistia answers 404.", nullable=False),
        *LINEAGE,
    ),
)  # fmt: skip
