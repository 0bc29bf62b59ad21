"""Names and places of a simulated account. Hosts and addresses are from ranges reserved for examples."""

from typing import NamedTuple


class City(NamedTuple):
    """A place of the country ``US`` with its centre in degrees."""

    region: str
    city: str
    lat: float
    lon: float


class Device(NamedTuple):
    """A platform: its old and its current spelling, whether it counts as mobile, its browsers."""

    old_platform: str
    platform: str
    mobile: bool
    browsers: tuple[str, ...]


CITIES = (
    City("California", "Los Angeles", 34.0, -118.2),
    City("California", "San Jose", 37.3, -121.9),
    City("California", "San Diego", 32.7, -117.2),
    City("Texas", "Houston", 29.8, -95.4),
    City("Texas", "Dallas", 32.8, -96.8),
    City("New York", "Brooklyn", 40.7, -73.9),
    City("New York", "New York", 40.7, -74.0),
    City("Florida", "Miami", 25.8, -80.2),
    City("Florida", "Orlando", 28.5, -81.4),
    City("Georgia", "Atlanta", 33.7, -84.4),
    City("Illinois", "Chicago", 41.9, -87.6),
    City("New Jersey", "Elizabeth", 40.7, -74.2),
    City("Virginia", "Arlington", 38.9, -77.1),
    City("Maryland", "Baltimore", 39.3, -76.6),
    City("Washington", "Seattle", 47.6, -122.3),
    City("District of Columbia", "Washington", 38.9, -77.0),
    City("Arizona", "Phoenix", 33.5, -112.1),
    City("Minnesota", "Minneapolis", 45.0, -93.3),
    City("Colorado", "Denver", 39.7, -105.0),
    City("Louisiana", "New Orleans", 30.0, -90.1),
)
"""Every fiftieth visitor comes from elsewhere, see ``COUNTRIES``."""

COUNTRIES = (
    ("CA", City("Ontario", "Toronto", 43.7, -79.4)),
    ("IN", City("Karnataka", "Bengaluru", 13.0, 77.6)),
    ("GB", City("England", "London", 51.5, -0.1)),
    ("NG", City("Lagos", "Lagos", 6.5, 3.4)),
    ("MX", City("Jalisco", "Guadalajara", 20.7, -103.3)),
    ("AE", City("Dubai", "Dubai", 25.2, 55.3)),
    ("BR", City("São Paulo", "São Paulo", -23.5, -46.6)),
    ("AT", City("Vienna", "Vienna", 48.2, 16.4)),
)

ORGANISATIONS = (
    "Example Cable",
    "Sample Mobile",
    "Reserved Fibre",
    "Pinewood Wireless",
    "Documentation Internet",
    "Testnet Broadband",
    "Specimen Online",
    "Private Relay",
)

BROWSERS = {
    "Chrome": "141",
    "Safari": "26",
    "UIWebView": "18",
    "Instagram": "397",
    "Facebook": "530",
    "Chrome Webview": "141",
    "SamsungBrowser": "28",
    "Edge": "141",
    "Firefox": "143",
    "Google Search App": "385",
    "Unknown Browser": "0",
}
"""Browser and its current major version."""

_IN_APP = ("Safari", "Chrome", "UIWebView", "Instagram", "Facebook", "Google Search App")
_PHONE = Device("iOS", "iOS (iPhone)", True, _IN_APP)
_ANDROID = (
    Device("Android", "Android", True, ("Chrome", "Chrome Webview", "SamsungBrowser", "Facebook")),
    Device("Android", "Android", True, ("Chrome", "Chrome Webview", "Instagram", "Firefox")),
    Device("Android", "Android", True, ("Chrome", "Chrome Webview")),
)
_DESKTOP = (
    Device("Windows", "Windows", False, ("Chrome", "Edge", "Firefox")),
    Device("Mac OS", "macOS", False, ("Safari", "Chrome")),
    Device("Unknown", "Unknown", False, ("Unknown Browser",)),
)
DEVICES = (*([_PHONE] * 18), *(_ANDROID * 4), *_DESKTOP)
"""Nine of ten visitors watch on a phone."""

FIRST_SYLLABLES = ("Thal", "Ori", "Bren", "Ysol", "Kade", "Mirv", "Quen", "Zell", "Adro", "Fenn")
LAST_SYLLABLES = ("vorn", "keshia", "drith", "mund", "wexley", "tarro", "blyth", "quist", "zander", "holm")
TITLES = ("Data Engineer", "Analyst", "Founder", "Consultant", "Teacher")

CONVERSION_TYPES = ("pre-roll-email", "mid-roll-email", "post-roll-email")
LANDING_PAGES = (
    "https://www.example.com/",
    "https://www.example.com/training",
    "https://learn.example.org/lesson/introduction",
    "https://offers.example.net/spring",
)
UTM_SOURCES = (
    ("facebook", "paid_social"),
    ("youtube", "video"),
    ("google", "cpc"),
    ("newsletter", "email"),
    ("linkedin", "social"),
)

TOPICS = ("Lake Tour", "Gap Method", "Founder Story", "Pricing Walkthrough", "Customer Panel", "Tutorial")
CHANNELS = (" Facebook Paid Ads", " YouTube Paid Ads", "", " LinkedIn", " Email Course")
FOLDERS = ("Main Funnel", "Courses", "Archive Shelf")
SUBFOLDERS = ("Winning Videos", "Onboarding", "Experiments")
TAGS = ("vsl", "paid", "organic", "lesson")

REFERRERS = ("search.example.com", "social.example.net", "www.example.com", "news.example.org", None)
"""Where plays come from; None is a viewer who typed the address."""
SCREENS = {False: ("1920x1080", "1440x900", "2560x1440"), True: ("390x844", "412x915")}
"""Sizes of screens, by whether the device is mobile."""
LANGUAGES = {"en": True, "es": True, "de": False, "fr": False, "pt": False}
"""Languages of browsers, and whether there are captions."""
