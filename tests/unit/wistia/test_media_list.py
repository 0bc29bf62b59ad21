"""The media list by cursor, by page, filtered; single pages; the probe."""

import httpx2
import pytest

from unit.wistia.fakes import client, run, scripted
from wistlake.contracts import source
from wistlake.errors import ConfigError, SourceChanged
from wistlake.wistia.folders import find_folder

MEDIA = [{"hashed_id": f"m{n}", "id": n, "name": "n", "type": "Video"} for n in range(250)]


def by_cursor(request):
    params = request.url.params
    assert params["cursor[enabled]"] == "1"
    assert params["sort_by"] == "id"
    assert "page" not in params
    start = int(params.get("cursor[after]", -1)) + 1
    rows = MEDIA[start : start + int(params["per_page"])]
    return httpx2.Response(200, json=[row | {"cursor": str(row["id"])} for row in rows])


def by_page(request):
    page, size = int(request.url.params.get("page", 1)), int(request.url.params["per_page"])
    return httpx2.Response(200, json=MEDIA[(page - 1) * size : page * size])


@pytest.mark.parametrize("handler", [by_cursor, by_page])
@pytest.mark.parametrize("base", ["https://api.wistia.com/modern", "https://api.wistia.com/v1"])
def test_every_media_once(handler, base):
    found = run(client(handler, base_url=base), lambda c: c.list_media())
    assert [m["hashed_id"] for m in found] == [m["hashed_id"] for m in MEDIA]


APIS = [("modern", "folders", "folder_id", "hashed_id"), ("v1", "projects", "project_id", "hashedId")]
FOLDERS = [
    (101, "fld0000001", "Ads"),
    (102, "fld0000002", "Courses"),
    (103, "fld0000003", "Ads"),
    (104, "fld0000004", "courses"),
    (105, "fld0000005", "fld0000002"),
    (106, "fld0000006", " Über uns "),
    (107, "fld0000007", "Archive\x1b[2J"),
]


def account(seen, spelling):
    """An account with folders, whose media list is empty; what was asked goes to `seen`."""

    def handle(request):
        seen.append(request)
        if request.url.path.endswith("/medias") or "cursor[after]" in request.url.params:
            return httpx2.Response(200, json=[])
        rows = [{"id": n, spelling: i, "name": name, "cursor": str(n)} for n, i, name in FOLDERS]
        return httpx2.Response(200, json=rows)

    return handle


@pytest.mark.parametrize(("base", "path", "parameter", "spelling"), APIS)
@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("fld0000001", "fld0000001"),
        ("Courses", "fld0000002"),
        ("courses", "fld0000004"),
        ("fld0000002", "fld0000002"),  # an id, though another folder is called so
        (" U\u0308BER UNS", "fld0000006"),
        ("fldunknown", "fldunknown"),
        ("105", "105"),
    ],
)
def test_a_folder_is_found_by_its_name_or_its_id(base, path, parameter, spelling, asked, found):
    seen = []
    wistia = client(account(seen, spelling), base_url=f"https://api.wistia.com/{base}")
    assert run(wistia, lambda c: c.list_media(folder=asked, tag="a tag")) == []
    assert seen[0].url.path == f"/{base}/{path}"
    assert seen[-1].url.path == f"/{base}/medias"
    assert seen[-1].url.params[parameter] == found
    assert seen[-1].url.params["tags[]"] == "a tag"


@pytest.mark.parametrize(("base", "path", "parameter", "spelling"), APIS)
@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ("Ads", "2 folders are called 'Ads': name one of them by its id, fld0000001, fld0000003"),
        ("ads", "2 folders are called 'ads'"),
        ("COURSES", "2 folders are called 'COURSES'"),
        ("Course", "the account has no folder 'Course', did you mean 'Courses'?"),
        ("Nothing of it", "there are 'Ads', 'Archive\ufffd[2J'"),
        ("../medias", "the account has no folder '../medias'"),
    ],
)
def test_a_folder_that_can_not_be_told_is_refused_with_those_there_are(
    base, path, parameter, spelling, asked, says
):
    wistia = client(account([], spelling), base_url=f"https://api.wistia.com/{base}")
    with pytest.raises(ConfigError) as caught:
        run(wistia, lambda c: c.list_media(folder=asked))
    assert str(caught.value).startswith("WISTLAKE_MEDIA_FOLDER: ")
    assert says in str(caught.value)


def test_a_tag_alone_asks_for_no_folders():
    handle, seen = scripted(httpx2.Response(200, json=[]))
    assert run(client(handle), lambda c: c.list_media(tag="a tag")) == []
    assert [r.url.path for r in seen] == ["/modern/medias"]


def test_a_folder_that_is_not_there():
    handle, _ = scripted(
        httpx2.Response(200, json=[]), httpx2.Response(404, json={"error": "Folder with ID 'f1' not found."})
    )
    with pytest.raises(ConfigError, match="check the folder id, 'fld0000009'"):
        run(client(handle), lambda c: c.list_media(folder="fld0000009"))


def test_an_api_without_folders_takes_the_id_as_it_is():
    handle, seen = scripted(httpx2.Response(404), httpx2.Response(200, json=[]))
    assert run(client(handle), lambda c: c.list_media(folder="fld0000001")) == []
    assert seen[-1].url.params["folder_id"] == "fld0000001"


def test_a_cursor_that_stands_still():
    handle, _ = scripted(httpx2.Response(200, json=[MEDIA[0] | {"cursor": "same"}]))
    with pytest.raises(SourceChanged, match="cursor does not advance"):
        run(client(handle), lambda c: c.list_media())


def test_a_single_page_as_served():
    handle, seen = scripted(httpx2.Response(200, json={"a": 1}))
    page = run(client(handle), lambda c: c.page("/stats/account"))
    assert (page.body, page.records, page.status, page.bytes) == ({"a": 1}, [{"a": 1}], 200, len(b'{"a":1}'))
    assert seen[0].url.path == "/modern/stats/account"


def test_probe_asks_once_for_each_permission():
    handle, seen = scripted(httpx2.Response(200, json=[MEDIA[0]]), httpx2.Response(200, json=[]))
    probe = run(client(handle), lambda c: c.probe())
    assert [r.url.path for r in seen] == ["/modern/medias", "/modern/stats/events"]
    assert (probe.host, probe.version) == ("api.wistia.com", "2026-09")


@pytest.mark.parametrize("media_id", ["../../etc", "a/b", "a b", "", None, 7, ["m1"], "x" * 65])
def test_ids_that_could_leave_their_place(media_id):
    rows = [MEDIA[0], {**MEDIA[1], "hashed_id": media_id}]
    with pytest.raises(SourceChanged, match="entry 2 has no usable hashed_id"):
        run(client(lambda _request: httpx2.Response(200, json=rows)), lambda c: c.list_media())


def test_a_list_without_end(monkeypatch):
    monkeypatch.setattr("wistlake.wistia.client.MAX_PAGES", 1)
    pages = iter(range(10**6))

    def endless(_request):
        return httpx2.Response(200, json=[MEDIA[0] | {"cursor": str(next(pages))}] * 100)

    with pytest.raises(SourceChanged, match="never ends"):
        run(client(endless), lambda c: c.list_media())


@pytest.mark.parametrize("named", [2, 20, 100])
def test_named_media_are_described_in_one_request(named):
    """As many as a whole page, or as a smaller page size, are no reason to ask for the next one."""
    there = [{**m, "hashed_id": f"named{n}"} for n, m in enumerate(MEDIA)]
    handle, seen = scripted(httpx2.Response(200, json=there[:named]))
    ids = [m["hashed_id"] for m in there[:named]]
    listing = run(client(handle), lambda c: c.describe(source("media_metadata"), ids))
    assert [m["hashed_id"] for m in listing.records] == ids
    assert len(seen) == 1
    assert listing.walk["terminal"] == "all named"


def test_media_are_looked_for_in_the_whole_list_where_their_names_are_ignored():
    asked = []

    def handle(request):
        asked.append(request.url.params["page"])
        return by_page(request)

    listing = run(client(handle), lambda c: c.describe(source("media_metadata"), ["m3", "m150"]))
    assert [m["hashed_id"] for m in listing.records] == ["m3", "m150"]
    assert asked == ["1", "2"]


def test_a_folder_that_is_named_in_an_error_keeps_its_addresses_to_itself():
    """The error goes into the ledger, and to people."""
    folders = [{"hashed_id": "fld0000001", "name": "Call with jane.doe@mail.example.org"}]
    with pytest.raises(ConfigError) as caught:
        find_folder(folders, "Sales")
    assert "there are 'Call with [masked]'" in str(caught.value)
