-- Generated from the declarations: edit those. Checks of a first look, which are also Athena's named queries.

-- rows_per_day: How many medias each day has: a day without rows is a gap.
SELECT dt, count(*) AS medias FROM wistia_gold_fact_media_daily GROUP BY dt ORDER BY dt DESC;

-- top_media_by_play_rate: The newest day's medias by play rate.
SELECT media_id, play_rate, loads, plays FROM wistia_gold_fact_media_daily WHERE dt = (SELECT max(dt) FROM wistia_gold_fact_media_daily) ORDER BY play_rate DESC NULLS LAST, media_id LIMIT 20;

-- trust: How far the published days can be trusted.
SELECT certificate, count(*) AS media_days, min(date) AS first_day, max(date) AS last_day FROM gold_fact_media_daily GROUP BY certificate ORDER BY certificate;

-- broken_identities: Days whose totals disagree with Wistia's beyond the band.
SELECT identity, media_id, date, ours, theirs, lower, upper FROM ops_reconciliation WHERE verdict = 'broken' ORDER BY date DESC, media_id, identity;

-- quarantine_by_reason: Records that were refused, and why.
SELECT dataset, reason, count(*) AS records FROM silver_quarantine GROUP BY dataset, reason ORDER BY records DESC, dataset, reason;

-- plays_by_channel: Plays by channel over all days.
SELECT channel, sum(plays_from_events) AS plays FROM gold_channel_daily GROUP BY channel ORDER BY plays DESC, channel;
