"""What a media is: name, duration, folder, tags. Both media shapes (v1's project, the dated API's folder)."""

from wistlake.contracts.form import Calendar, Field, Privacy, Source, Type

SOURCE = Source(
    name="media_metadata",
    doc="One media's description on the day it was read.",
    endpoint="/medias/{media_id}",
    calendar=Calendar.SNAPSHOT,
    key=("hashed_id",),
    fields=(
        Field("hashed_id", Type.STRING, Privacy.NONE, "Hashed id.", required=True),
        Field("id", Type.LONG, Privacy.NONE, "Numeric id.", cosmetic=True),
        Field("name", Type.STRING, Privacy.NONE, "Title.", cosmetic=True),
        Field("type", Type.STRING, Privacy.NONE, "Video, Audio, Image, PdfDocument, ...", cosmetic=True, mask="word"),
        Field("duration", Type.DOUBLE, Privacy.NONE, "Length in seconds; null for what does not play."),
        Field("archived", Type.BOOLEAN, Privacy.NONE, "Whether it is archived.", cosmetic=True),
        Field("status", Type.STRING, Privacy.NONE, "queued, processing, ready or failed.", cosmetic=True, mask="word"),
        Field("created", Type.TIMESTAMP, Privacy.NONE, "When it was made.", cosmetic=True),
        Field("updated", Type.TIMESTAMP, Privacy.NONE, "Bumped in bulk by Wistia: no sign of change.", volatile=True, cosmetic=True),
        Field("section", Type.STRING, Privacy.NONE, "Section in its folder; left out when none.", cosmetic=True),
        Field("subfolder.name", Type.STRING, Privacy.NONE, "Subfolder's name.", cosmetic=True),
        Field("tags", Type.STRINGS, Privacy.NONE, "Tags: texts, or objects with a name.", cosmetic=True),
        Field("project.hashed_id", Type.STRING, Privacy.NONE, "Folder's id on v1.", cosmetic=True),
        Field("project.name", Type.STRING, Privacy.NONE, "Folder's name on v1.", cosmetic=True),
        Field("folder.hashed_id", Type.STRING, Privacy.NONE, "Folder's id on the dated API.", cosmetic=True),
        Field("folder.name", Type.STRING, Privacy.NONE, "Folder's name on the dated API.", cosmetic=True),
        Field("thumbnail.url", Type.STRING, Privacy.NONE, "Picture.", volatile=True, cosmetic=True, mask="link"),
        Field("assets", Type.STRING, Privacy.NONE, "Files, as JSON: the original tells a swapped media.", holds_json=True, cosmetic=True, items=("type", "url")),
    ),
    tolerated=("progress", "description", "protected", "share_link", "embedCode"),
)  # fmt: skip
