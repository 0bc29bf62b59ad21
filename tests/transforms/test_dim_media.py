"""The media as they are: newest description, deleted ones marked, page and channel kept."""

from support.tables import expect, given
from wistlake.contracts import dim_media, media_metadata
from wistlake.transforms import dim_media as transform
from wistlake.transforms.channels import DEFAULT_RULES

TABLE = dim_media.TABLE
GONE = "media_id:string | observed_at:timestamp | landing_id:string"
PAGES = "media_id:string | url:string"


def described(spark, text):
    head, *rest = text.strip().splitlines()
    rows = [f"{row} | l{n}" for n, row in enumerate(rest, 1)]
    form = "\n".join([f"{head} | observed_at:timestamp | landing_id:string", *rows])
    return transform.described(given(spark, media_metadata.SOURCE, form))


def test_both_shapes_of_the_api_say_the_same(spark):
    frame = described(
        spark,
        """
        hashed_id | name | folder_name | folder_hashed_id | project_name | project_hashed_id | section | subfolder_name | tags
        modern    | A    | Funnel      | f1               |              |                   |         | Ads            | ["b"] | 2026-03-02T02:15
        v1        | A    |             |                  | Funnel       | f1                | Ads     |                |       | 2026-03-02T02:15
        """,
    )
    expect(
        frame, TABLE,
        """
        media_id | title | folder | folder_id | subfolder | tags
        modern   | A     | Funnel | f1        | Ads       | ["b"]
        v1       | A     | Funnel | f1        | Ads       | []
        """,
    )  # fmt: skip


def test_the_original_file_tells_a_swapped_media_and_junk_tells_nothing(spark):
    frame = described(
        spark,
        """
        hashed_id | assets
        a         | [{"type": "OriginalFile", "url": "https://x/1.bin"}, {"type": "Still", "url": "https://x/2.bin"}] | 2026-03-02T02:15
        b         | [{"type": "OriginalFile", "url": "https://x/3.bin"}] | 2026-03-02T02:15
        c         | [] | 2026-03-02T02:15
        d         | none of it | 2026-03-02T02:15
        """,
    )
    prints = {r.media_id: r.original_asset for r in frame.collect()}
    assert prints["a"] != prints["b"]
    assert len(prints["a"]) == 64
    assert prints["c"] is None
    assert prints["d"] is None


def test_newest_description_kept_page_and_channel(spark, built_at):
    observed = described(
        spark,
        """
        hashed_id | name          | tags        | duration
        m1        | Old           | []          | 10 | 2026-03-02T02:15
        m1        | Youtube intro | []          | 20 | 2026-03-03T02:15
        m2        | Plain         | ["fb", "x"] | 30 | 2026-03-03T02:15
        """,
    )
    current = given(spark, TABLE, "media_id | url | title\n m1 | https://old/m1 | Old")
    pages = given(spark, None, f"{PAGES}\n m2 | https://new/m2")
    none = given(spark, None, GONE)
    expect(
        transform.build(observed, none, current, pages, DEFAULT_RULES, built_at), TABLE,
        """
        media_id | title         | duration_seconds | url            | channel  | is_deleted
        m1       | Youtube intro | 20               | https://old/m1 | youtube  | false
        m2       | Plain         | 30               | https://new/m2 | facebook | false
        """,
    )  # fmt: skip


def test_a_deleted_media_keeps_what_was_known_and_a_stranger_gets_no_row(spark, built_at):
    current = given(
        spark, TABLE, "media_id | title | url | is_deleted | tags\n m1 | Tour | https://m1 | false | []"
    )
    gone = given(spark, None, f"{GONE}\n m1 | 2026-03-04T02:15 | l9\n typo | 2026-03-04T02:15 | l8")
    observed = described(spark, "hashed_id")
    expect(
        transform.build(observed, gone, current, given(spark, None, PAGES), DEFAULT_RULES, built_at), TABLE,
        """
        media_id | title | url        | is_deleted | landing_id
        m1       | Tour  | https://m1 | true       | l9
        """,
    )  # fmt: skip
