"""What people say of the media: the labels that were given by hand."""

from wistlake.contracts.form import BUILT_AT, MEDIA_ID, Column, Privacy, Table, Type

TABLE = Table(
    layer="gold",
    name="dim_media_label",
    doc="The labels that people gave to media, as they are now (type 1): they hold for all days.",
    grain="one media_id, label",
    key=("media_id", "label"),
    scope=("media_id",),
    columns=(
        MEDIA_ID,
        Column("label", Type.STRING, Privacy.NONE, "What it is about: campaign, audience, channel.", nullable=False),
        Column("value", Type.STRING, Privacy.NONE, "What is said; never a person's address.", nullable=False),
        Column("labelled_at", Type.TIMESTAMP, Privacy.NONE, "Since when it has this value.", nullable=False),
        BUILT_AT,
    ),
)  # fmt: skip
