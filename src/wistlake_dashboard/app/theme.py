"""The app's colours, light and dark, as Streamlit settings. The report's are in report/style.css."""

_LIGHT: dict[str, object] = {
    "primaryColor": "#1f5fbf",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f6f7f9",
    "textColor": "#0b0e14",
    "linkColor": "#1f5fbf",
    "greenTextColor": "#12693a",
    "redTextColor": "#a51d2d",
    "grayTextColor": "#4d5666",
    "codeTextColor": "#0b0e14",
    "chartCategoricalColors": ["#1f5fbf", "#b45309", "#12693a", "#8b3fb0", "#0e7490", "#a51d2d", "#6b7280"],
}
_DARK: dict[str, object] = {
    "primaryColor": "#7db0ff",
    "backgroundColor": "#12151b",
    "secondaryBackgroundColor": "#1b2029",
    "textColor": "#e8ebf0",
    "linkColor": "#7db0ff",
    "greenTextColor": "#6fd39b",
    "redTextColor": "#ff8e98",
    "grayTextColor": "#b0b8c5",
    "codeTextColor": "#e8ebf0",
    "chartCategoricalColors": ["#7db0ff", "#f0a24a", "#6fd39b", "#d59bf0", "#5fd0e0", "#ff8e98", "#b0b8c5"],
}
TONES = {"good": "#2f8f5b", "mid": "#5b8fd6", "soft": "#8a93a3", "warn": "#c98a1b", "bad": "#c2303f"}
LINE = {"light": _LIGHT["primaryColor"], "dark": _DARK["primaryColor"]}
CHART_INK = {"light": "#4d5666", "dark": "#b0b8c5"}
_BOTH: dict[str, object] = {
    "headingFontSizes": ["2rem", "1.3rem", "1.2rem"],
    "metricValueFontSize": "1.45rem",
    "paddingTop": "3.5rem",
}
THEME: dict[str, object] = (
    {f"theme.{k}": v for k, v in _BOTH.items()}
    | {f"theme.light.{k}": v for k, v in _LIGHT.items()}
    | {f"theme.dark.{k}": v for k, v in _DARK.items()}
)
