-- Generated from the declarations: edit those. A copy of wistia_gold_fact_media_daily as Parquet, for tools that read no Iceberg. UNLOAD wants an empty folder. `wistlake export --to parquet --tables wistia_gold_fact_media_daily` writes such files, too.

UNLOAD (SELECT media_id, unique_visitors, loads, plays, play_rate, gold_ingested_at, dt FROM wistia_gold_fact_media_daily) TO 's3://SILVER_BUCKET/copies/wistia_gold_fact_media_daily/' WITH (format = 'PARQUET', partitioned_by = ARRAY['dt']);

CREATE EXTERNAL TABLE IF NOT EXISTS wistia_gold_fact_media_daily_copy (media_id string, unique_visitors bigint, loads bigint, plays bigint, play_rate double, gold_ingested_at timestamp) PARTITIONED BY (dt date) STORED AS PARQUET LOCATION 's3://SILVER_BUCKET/copies/wistia_gold_fact_media_daily/';

MSCK REPAIR TABLE wistia_gold_fact_media_daily_copy;
