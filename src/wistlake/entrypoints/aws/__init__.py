"""The same pipeline on AWS: three Lambda functions and a Glue script, called by one state machine; a fourth function
gives back the lease of a machine that was ended by force, a fifth one tells Slack and Teams, a sixth one evaluates
alerts, and a seventh one sends the week's digest.

    plan ─▶ Map: ingest (called again while `done` is false) ─▶ Glue: glue_build.py ─▶ publish

What steps hand to each other beyond ids lies in the bronze bucket, below `runs/<run_id>/`: `plan.json`,
`ingested/<batch>.json`, `verdicts.json`. No state carries more than 64 KB for 1,000 media over two years.

HANDLERS (`context` needs `get_remaining_time_in_millis`)

`wistlake.entrypoints.aws.plan.handler`
    in   {"run_id": execution name, "trigger": "schedule" | "manual" | "backfill",
          "scheduled_time"?: ISO time, the clock of the whole run (default: the wall clock, which also decides
          when the run began),
          "execution"?: ARN of the execution that holds the lake's lease until it is over,
          "from"?, "to"?: days of a backfill, "medias"?: [media ids], "reason"?: text,
          "most_media"?: number, of the media named or listed only the first so many,
          "distributed"?: true, each batch is an execution of its own however few there are}
    out  {"run_id", "plan_key", "batches": [{"batch", "phase", "datasets", "medias"}, ...],
          "items": [keys of documents with the batches of each phase], "nothing_to_do": bool}
    Above 500 media, or 200 batches, `batches` is empty and the machine reads `items`: a Distributed Map, each batch
    of which has a history of its own. Below that `items` is empty.
    A batch is what one call of `ingest` reads, and its name begins with what that is: sessions (`events-1`), daily
    counts of up to 50 media (`by_date-1`), descriptions of up to 100 (`metadata-1`), or lifetime figures of media
    that moved (`snapshots-1`, of phase 1: they wait for those of phase 0). The machine has a state for each.
    With `nothing_to_do` the run is already closed, and the machine succeeds without another step.

`wistlake.entrypoints.aws.ingest.handler`
    in   {"run_id", "plan_key", "batch", "continuation": null | {...}}
    out  {"batch", "done": bool, "continuation": null | {"round": n, "left": n}, "landed": n, "requests": n}
    Begins no fetch with less than three minutes left; `continuation` goes back in as it came out. Raises
    when the batch's fetches are through and one of them failed: called again, it repeats only those.

`glue_build.py`, the Glue script (`--extra-py-files` brings the package)
    --run_id --plan_key                          given by the machine for each run
    --stage --bronze_bucket --silver_bucket --watermark_table --ledger_table --key_secret --database
                                                 the job's own arguments; tables by their full names
    --workers --cores                            how many there are, the driver among them, and the cores of each: a
                                                 build takes as many rows as they can hold
    Spark settings that come from outside (`--conf`) win over those of `adapters.aws_spark`. The package also
    carries `tzdata`, for nobody knows which zones Glue's machines have. The tables are
    `lake.<database>.<layer>_<name>`, below s3://<silver_bucket>/warehouse/; what is staged in between lies
    below s3://<silver_bucket>/staging/builds/ and goes with the run. The job fails by its exception.

`glue_keep.py`, the Glue script beside the daily run; it takes the lake's lease as a run does
    --run_id --task forget | rotate | maintain   given by whoever starts it: `wistlake forget`, `wistlake key
                                                 rotate` and `wistlake maintain`, or a schedule (maintain)
    --execution                                  ARN of the execution that starts it, if one does
    --request_key                                what `pipeline.jobs.request` encodes; the job removes it at once
    --retention_days --log_retention_days, and the arguments of `glue_build.py` but --plan_key, --workers and --cores
                                                 the job's own
    What came of it is `kept.json` beside the documents of runs. Where a person is forgotten the receipt also
    stays below `receipts/`, and no error's text is that of another library: it might quote the person.

`wistlake.entrypoints.aws.publish.handler`
    in   {"run_id", "plan_key", "failed": [{"batch", "error", "message"}, ...],
          "build_failed": null | {"error", "message"}}
    out  {"run_id", "published": {"days", "rows", "intervals", "watermarks"}, "failed": n,
          "verdict": "succeeded" | "partial" | "failed", "errors": [at most ten texts]}
    Called whatever failed after `plan`, since it also ends the run in the ledger and frees the lease; a
    `plan` that fails has done both itself. The machine ends FAILED if `verdict` is "failed"; "partial" says
    that few media failed (WISTLAKE_TOLERATED_PERCENT). A failed build leaves intervals and watermarks unmoved; a
    failed media does not keep the others from being published. Called again, it publishes nothing a second time.

`wistlake.entrypoints.aws.release.handler`
    in   EventBridge's "Step Functions Execution Status Change" of an execution that failed, timed out or was aborted
    out  nothing; the lease is free, if that execution held it. The machine's own state `Release` does the same
    after a `plan` or `publish` that failed.

`wistlake.entrypoints.aws.chat.handler`
    in   the topic's messages: notices of `publish`, what the machine says of a failed step, alarms
    out  nothing; each is in Slack and Teams, as far as they have a secret, or in the log that it could not be delivered

`wistlake.entrypoints.aws.watch.handler`
    in   EventBridge's "Step Functions Execution Status Change" of an execution that succeeded or failed
    out  {"new": n, "withdrawn": n}; alerts are in the ledger and told to the topic. It raises nothing, and asks Athena
         only if there are rules and the publication is one that it has not seen

`wistlake.entrypoints.aws.digest.handler`
    in   anything, from a schedule
    out  {"sent": bool}; the topic has the digest of the newest week, and then so have the recipients of mails, with
         the report; each once a day (UTC): called again, it sends only what nobody took. It raises nothing

ERROR NAMES for Retry and Catch are the classes of `wistlake.errors`. Worth trying again: SourceUnavailable
(minutes), StoreBusy (seconds), LeaseHeld by `plan` (every 15 minutes: another execution is under way). Not:
ConfigError, SourceRefused, SourceChanged, ContractViolation, StoreError.

ENVIRONMENT of all functions: BRONZE_BUCKET, SILVER_BUCKET, DDB_TABLE and LEDGER_TABLE (`-<stage>` is appended unless
the name already ends so), WISTLAKE_STAGE, WISTIA_TOKEN_SECRET (plan, ingest) and WISTLAKE_KEY_SECRET (ingest) as ids
or ARNs of secrets, WISTLAKE_TOPIC_ARN (publish, watch, digest), GLUE_DATABASE and ATHENA_WORKGROUP (watch, digest),
WISTLAKE_MAIL_TO, WISTLAKE_MAIL_FROM and WISTLAKE_SMTP_SECRET (digest), WISTLAKE_SLACK_SECRET and
WISTLAKE_TEAMS_SECRET (chat), WISTLAKE_LINEAGE_SECRET (plan, publish), MEDIA_IDS, and any other setting by its
variable.

SECRETS. The token's value is the token. The pseudonym key's is what `wistlake.privacy.keys` writes, or {"key": "<64
random characters>"}, which a template can generate. Slack's and Teams' are the webhooks' addresses, the lineage's the
collector's API key, the mail server's a JSON object of WISTLAKE_SMTP_HOST and whatever else of WISTLAKE_SMTP_...
differs from its default.

TABLES. Watermarks: hash key `dataset`, range key `media_id` (both S). Ledger: hash key `pk`, range key `sk`
(both S). On demand; point-in-time recovery.

RIGHTS that the code uses (L = ledger table, W = watermark table, R = runs/*, B = bronze/*, both in the
bronze bucket, T = the whole silver bucket; KMS where the resource is encrypted)
    plan      s3 PutObject R, GetObject B and settings/*, ListBucket of the bronze bucket · dynamodb GetItem, PutItem,
              UpdateItem, Query, Scan L · secretsmanager GetSecretValue token, the lineage's · states DescribeExecution
    ingest    s3 GetObject, PutObject, AbortMultipartUpload R and B, ListBucket of the bronze bucket ·
              dynamodb GetItem, PutItem, UpdateItem, Query, Scan L · secretsmanager GetSecretValue token, key
    Glue job  s3 GetObject R and B, PutObject R, ListBucket of both, Get-, Put-, DeleteObject T · dynamodb
              GetItem, PutItem, UpdateItem, Query, Scan L · glue database and tables of its database ·
              secretsmanager GetSecretValue key
    keep job  as the Glue job, and s3 Get-, Put-, DeleteObject, GetObjectVersion, DeleteObjectVersion in both
              buckets, ListBucketVersions of both · dynamodb PutItem, Scan W · PutSecretValue key ·
              states DescribeExecution · logs DescribeLogGroups, PutRetentionPolicy below /aws-glue/
    publish   s3 GetObject R, ListBucket of the bronze bucket · dynamodb GetItem, PutItem, UpdateItem,
              Query, Scan L, PutItem, Scan W · sns Publish topic · glue UpdateTable · secretsmanager GetSecretValue
              the lineage's
    release   dynamodb UpdateItem L
    watch     dynamodb GetItem, PutItem, Query L · athena Start-, Stop-, GetQueryExecution and GetQueryResults of its
              workgroup · glue GetDatabase, GetTable, GetTables · s3 ListBucket, GetBucketLocation of the silver bucket,
              GetObject warehouse/*, GetObject and PutObject athena-results/* · sns Publish topic
    digest    as watch · secretsmanager GetSecretValue the mail server's
    chat      secretsmanager GetSecretValue Slack's, Teams'

METRICS come as embedded metric format on standard output of `publish`: namespace `Wistlake`, dimension
`stage`: RunFailed (0 or 1), MediaFailed, DaysPublished, RowsLanded, Requests, QuarantinedRows,
IdentitiesBroken, DataAgeHours (of the media that is furthest behind).

ATHENA. `python -m wistlake.entrypoints.aws.athena_resources` prints the views and named queries as the
resources of a CloudFormation template (JSON; parameters GlueDatabase and Workgroup): views are Glue tables
of type VIRTUAL_VIEW, among them `wistia_gold_fact_media_daily`. Each publication writes them anew, over the
snapshots that it has (GLUE_DATABASE).
"""
