CREATE TABLE IF NOT EXISTS audit_about (
    name String,
    value String
) ENGINE = MergeTree ORDER BY name;
CREATE TABLE IF NOT EXISTS audit_stores (
    store Int64,
    store_id String,
    name String,
    folded String,
    version Int64
) ENGINE = MergeTree ORDER BY store_id;
CREATE TABLE IF NOT EXISTS audit_names (
    field Int8,
    name String,
    folded String
) ENGINE = ReplacingMergeTree ORDER BY (field, name);
CREATE TABLE IF NOT EXISTS audit_events (
    id Int64 CODEC(Delta, ZSTD),
    occurred_us Int64 CODEC(Delta, ZSTD),
    event LowCardinality(String),
    category LowCardinality(Nullable(String)),
    username LowCardinality(Nullable(String)),
    origin LowCardinality(Nullable(String)),
    outcome Int8,
    severity Nullable(Int8),
    key String CODEC(ZSTD),
    description Nullable(String) CODEC(ZSTD(6)),
    source_ip Nullable(String) CODEC(ZSTD),
    target Nullable(String) CODEC(ZSTD),
    metadata Nullable(String) CODEC(ZSTD(6)),
    original Nullable(String) CODEC(ZSTD),
    folded_description Nullable(String) CODEC(ZSTD),
    folded_target Nullable(String) CODEC(ZSTD),
    folded_source_ip Nullable(String) CODEC(ZSTD),
    target_address Nullable(String) CODEC(ZSTD),
    source_address Nullable(String) CODEC(ZSTD),
    texts Nullable(String) CODEC(ZSTD(6)),
    folded_texts Nullable(String) CODEC(ZSTD),
    INDEX numbers id TYPE minmax GRANULARITY 1,
    PROJECTION hours (
        SELECT intDiv(occurred_us, 3600000000), event, category, count()
        GROUP BY intDiv(occurred_us, 3600000000), event, category
    ),
    PROJECTION days (
        SELECT intDiv(occurred_us, 86400000000), username, count()
        GROUP BY intDiv(occurred_us, 86400000000), username
    ),
    PROJECTION pairs (SELECT username, event, category, count() GROUP BY username, event, category),
    INDEX events event TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX users username TYPE bloom_filter(0.01) GRANULARITY 1,
    INDEX words arrayStringConcat([
        coalesce(folded_texts, lower(texts)), coalesce(folded_description, lower(description)),
        coalesce(folded_target, lower(target)), coalesce(folded_source_ip, lower(source_ip))
    ], '\x1f') TYPE ngrambf_v1(4, 32768, 3, 7) GRANULARITY 1
) ENGINE = MergeTree ORDER BY (occurred_us, id)
SETTINGS non_replicated_deduplication_window = 1000;
CREATE TABLE IF NOT EXISTS audit_batches (
    store Int64,
    last_n Int64,
    first_n Int64,
    root String,
    note Nullable(String),
    shipped_us Int64,
    leaves String CODEC(NONE),
    edge String CODEC(NONE)
) ENGINE = ReplacingMergeTree ORDER BY (store, last_n);
CREATE TABLE IF NOT EXISTS audit_leaves (
    store Int64,
    first_n Int64,
    last_n Int64,
    leaves String CODEC(NONE)
) ENGINE = ReplacingMergeTree ORDER BY (store, first_n, last_n);
CREATE TABLE IF NOT EXISTS audit_removed (
    store Int64,
    by_n Int64,
    first_n Int64,
    last_n Int64
) ENGINE = ReplacingMergeTree ORDER BY (store, by_n, first_n);
