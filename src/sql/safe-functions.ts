import type { SqlDialect } from './query.ts';

/**
 * Functions that `safe` stands for: they compute from their arguments, change nothing, read no file, no other table, no
 * other server, wait for nothing, and tell nothing about users, sessions or the catalogue. What they cost is another
 * question: a database has its own limits on time and memory.
 */
export function safeFunctions(dialect: SqlDialect): ReadonlySet<string> {
  return lists[dialect];
}

const aggregates = 'count sum avg min max stddev stddev_pop stddev_samp variance var_pop var_samp';
const windows =
  'row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value grouping';
const numbers =
  'abs ceil ceiling floor round sign sqrt power pow exp ln log log10 log2 mod pi degrees radians sin cos tan asin acos ' +
  'atan atan2 cot';
const texts =
  'lower upper trim ltrim rtrim length replace substring substr concat concat_ws left right reverse lpad rpad repeat ' +
  'ascii position';
const choices = 'coalesce nullif greatest least';
const common = `${aggregates} ${windows} ${numbers} ${texts} ${choices}`;

const mysql = `${common} std bit_and bit_or bit_xor any_value group_concat json_arrayagg json_objectagg if ifnull isnull
  interval truncate rand crc32 conv bin oct hex unhex char char_length character_length octet_length bit_length bit_count
  locate instr mid insert elt field find_in_set make_set export_set format lcase ucase space strcmp substring_index quote
  soundex to_base64 from_base64 md5 sha sha1 sha2 regexp_like regexp_replace regexp_substr regexp_instr
  now curdate curtime sysdate current_date current_time current_timestamp localtime localtimestamp utc_date utc_time
  utc_timestamp date time timestamp datetime year quarter month week weekday weekofyear yearweek day dayname dayofmonth
  dayofweek dayofyear monthname hour minute second microsecond date_add date_sub adddate subdate addtime subtime
  date_format time_format str_to_date datediff timediff timestampadd timestampdiff from_days to_days to_seconds
  from_unixtime unix_timestamp last_day makedate maketime period_add period_diff sec_to_time time_to_sec convert_tz
  get_format json_array json_object json_extract json_value json_unquote json_quote json_contains json_contains_path
  json_keys json_length json_depth json_type json_valid json_search json_merge_patch json_merge_preserve json_overlaps
  json_pretty json_set json_insert json_replace json_remove json_table uuid uuid_to_bin bin_to_uuid inet_aton inet_ntoa
  inet6_aton inet6_ntoa is_ipv4 is_ipv6 st_distance st_distance_sphere st_contains st_within st_intersects st_x st_y
  st_area st_length st_astext st_asgeojson st_geomfromtext st_pointfromtext st_srid point values`;

const lists: Readonly<Record<SqlDialect, ReadonlySet<string>>> = {
  postgresql:
    set(`${common} count bool_and bool_or every bit_and bit_or bit_xor string_agg array_agg json_agg jsonb_agg
    json_object_agg jsonb_object_agg range_agg mode percentile_cont percentile_disc corr covar_pop covar_samp regr_slope
    regr_intercept regr_r2 regr_count regr_avgx regr_avgy any_value trunc div cbrt gcd lcm factorial scale trim_scale
    width_bucket random random_normal sinh cosh tanh asinh acosh atanh sind cosd tand erf gamma
    btrim char_length character_length octet_length bit_length bit_count overlay strpos split_part initcap chr translate
    starts_with format md5 sha224 sha256 sha384 sha512 encode decode to_hex to_bin to_oct quote_literal quote_ident
    quote_nullable regexp_replace regexp_match regexp_matches regexp_split_to_array regexp_split_to_table regexp_count
    regexp_instr regexp_like regexp_substr like_escape similar_to_escape string_to_array string_to_table array_to_string
    normalize is_normalized unistr convert_from convert_to ascii casefold
    now current_date current_time current_timestamp localtime localtimestamp clock_timestamp statement_timestamp
    transaction_timestamp timeofday age date_part date_trunc date_bin date_add date_subtract extract make_date make_time
    make_timestamp make_timestamptz make_interval to_char to_date to_timestamp to_number timezone justify_days
    justify_hours justify_interval isfinite overlaps date time timestamp timestamptz interval text
    array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
    array_prepend array_remove array_replace array_reverse array_sample array_shuffle array_sort array_upper cardinality
    trim_array unnest generate_series generate_subscripts
    to_json to_jsonb row_to_json array_to_json json_build_object jsonb_build_object json_build_array jsonb_build_array
    json_object jsonb_object json_array_length jsonb_array_length json_each jsonb_each json_each_text jsonb_each_text
    json_array_elements jsonb_array_elements json_array_elements_text jsonb_array_elements_text json_extract_path
    jsonb_extract_path json_extract_path_text jsonb_extract_path_text json_object_keys jsonb_object_keys
    json_populate_record jsonb_populate_record json_populate_recordset jsonb_populate_recordset json_to_record
    jsonb_to_record json_to_recordset jsonb_to_recordset json_typeof jsonb_typeof json_strip_nulls jsonb_strip_nulls
    jsonb_set jsonb_set_lax jsonb_insert jsonb_pretty jsonb_path_exists jsonb_path_match jsonb_path_query
    jsonb_path_query_array jsonb_path_query_first jsonb_path_exists_tz jsonb_path_query_tz
    lower_inc upper_inc lower_inf upper_inf isempty range_merge int4range int8range numrange daterange tsrange tstzrange
    num_nulls num_nonnulls gen_random_uuid uuidv4 uuidv7 uuid_extract_timestamp pg_typeof
    to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_rank ts_rank_cd ts_headline setweight
    numnode querytree strip similarity word_similarity levenshtein soundex unaccent
    host masklen netmask network broadcast family hostmask abbrev inet_merge inet_same_family
    st_distance st_dwithin st_contains st_within st_intersects st_x st_y st_area st_length st_astext st_asgeojson st_point
    st_makepoint st_setsrid st_transform st_geomfromtext st_srid st_centroid st_buffer st_union st_makeenvelope`),
  sqlite:
    set(`${aggregates} ${windows} ${numbers} ${choices} total median percentile percentile_cont percentile_disc group_concat string_agg
    json_group_array json_group_object jsonb_group_array jsonb_group_object ifnull iif if abs char concat concat_ws
    format glob hex instr length like likelihood likely lower ltrim max min octet_length printf quote random replace round
    rtrim soundex substr substring trim typeof unhex unicode unistr unistr_quote unlikely upper trunc acosh asinh atanh
    cosh sinh tanh date time datetime julianday unixepoch strftime timediff current_date current_time current_timestamp
    json jsonb json_array jsonb_array json_array_length json_error_position json_extract jsonb_extract json_insert
    jsonb_insert json_object jsonb_object json_patch jsonb_patch json_pretty json_remove jsonb_remove json_replace
    jsonb_replace json_set jsonb_set json_type json_valid json_quote json_each json_tree jsonb_each jsonb_tree match
    highlight snippet bm25 regexp generate_series subtype`),
  mysql: set(mysql),
  mariadb: set(`${mysql} nvl nvl2 json_exists json_query json_detailed json_compact json_loose json_equals
    json_normalize median percentile_cont percentile_disc to_char add_months months_between chr lengthb sformat
    natural_sort_key`),
  transactsql: set(`${common} count_big stdev stdevp var varp string_agg approx_count_distinct percentile_cont
    percentile_disc grouping_id isnull iif choose len datalength charindex patindex stuff replicate space str string_escape
    string_split translate unicode nchar char format concat_ws quotename soundex difference square rand isnumeric isdate
    try_convert convert cast getdate getutcdate sysdatetime sysutcdatetime sysdatetimeoffset current_timestamp dateadd
    datediff datediff_big datename datepart datetrunc date_bucket day month year eomonth datefromparts datetimefromparts
    datetime2fromparts timefromparts datetimeoffsetfromparts smalldatetimefromparts switchoffset todatetimeoffset
    isjson json_value json_query json_modify json_path_exists json_object json_array json_arrayagg json_objectagg openjson
    newid hashbytes checksum binary_checksum generate_series bit_count left_shift right_shift get_bit set_bit
    regexp_like regexp_replace regexp_substr regexp_instr regexp_count trim greatest least`),
  bigquery:
    set(`${common} countif any_value array_agg array_concat_agg string_agg logical_and logical_or bit_and bit_or
    bit_xor approx_count_distinct approx_quantiles approx_top_count approx_top_sum hll_count.init hll_count.merge
    hll_count.extract corr covar_pop covar_samp percentile_cont percentile_disc max_by min_by grouping if ifnull iferror
    nullifzero zeroifnull safe_divide safe_add safe_subtract safe_multiply safe_negate ieee_divide div trunc is_nan is_inf
    rand cbrt range_bucket bit_count offset safe_offset ordinal safe_ordinal struct array array_length array_concat array_to_string
    array_reverse array_first array_last array_includes array_slice generate_array generate_date_array
    generate_timestamp_array unnest byte_length char_length character_length chr code_points_to_string contains_substr
    edit_distance ends_with starts_with format from_base32 from_base64 from_hex to_base32 to_base64 to_hex initcap instr
    normalize normalize_and_casefold octet_length regexp_contains regexp_extract regexp_extract_all regexp_instr
    regexp_replace regexp_substr split soundex strpos to_code_points translate unicode collate md5 sha1 sha256 sha512
    farm_fingerprint generate_uuid current_date current_datetime current_time current_timestamp date datetime time
    timestamp date_add date_sub date_diff date_trunc date_from_unix_date datetime_add datetime_sub datetime_diff
    datetime_trunc time_add time_sub time_diff time_trunc timestamp_add timestamp_sub timestamp_diff timestamp_trunc
    timestamp_seconds timestamp_millis timestamp_micros unix_seconds unix_millis unix_micros unix_date last_day extract
    format_date format_datetime format_time format_timestamp parse_date parse_datetime parse_time parse_timestamp week
    string bool int64 float64 json json_value json_query json_value_array json_query_array json_extract
    json_extract_scalar json_extract_array json_extract_string_array json_type json_keys json_object json_array to_json
    to_json_string parse_json lax_bool lax_int64 lax_float64 lax_string safe_convert_bytes_to_string parse_numeric
    parse_bignumeric make_interval justify_days justify_hours justify_interval net.host net.reg_domain net.public_suffix
    net.ip_from_string net.ip_to_string st_geogpoint st_distance st_dwithin st_contains st_within st_intersects st_x st_y
    st_area st_length st_astext st_asgeojson st_geogfromtext st_geogfromgeojson st_centroid st_buffer
    st_union st_union_agg`),
  snowflake:
    set(`${common} count_if any_value array_agg array_union_agg array_unique_agg object_agg listagg median mode
    approx_count_distinct hll approx_percentile approx_top_k percentile_cont percentile_disc corr covar_pop covar_samp
    regr_slope regr_intercept regr_r2 boolor_agg booland_agg boolxor_agg bitand_agg bitor_agg bitxor_agg kurtosis skew
    max_by min_by grouping_id ratio_to_report conditional_true_event conditional_change_event width_bucket iff ifnull nvl
    nvl2 zeroifnull nullifzero decode equal_null booland boolor boolnot boolxor div0 div0null trunc truncate square cbrt
    factorial random uniform normal zipf seq1 seq2 seq4 seq8 generator bitand bitor bitxor bitnot
    char_length charindex chr contains startswith endswith editdistance initcap insert instr jarowinkler_similarity
    len ltrim md5 md5_hex sha1 sha1_hex sha2 sha2_hex hash hex_encode hex_decode_string base64_encode base64_decode_string
    parse_ip parse_url regexp_count regexp_instr regexp_like regexp_replace regexp_substr regexp_substr_all rlike soundex
    space split split_part split_to_table strtok strtok_to_array strtok_split_to_table translate unicode uuid_string
    collate like ilike like_any current_date current_time current_timestamp localtime localtimestamp sysdate getdate
    add_months convert_timezone date date_from_parts date_part date_trunc dateadd datediff datefromparts dayname day
    dayofmonth dayofweek dayofweekiso dayofyear hour minute second last_day month monthname months_between next_day
    previous_day quarter time time_from_parts time_slice timeadd timediff timestamp_from_parts timestamp_ntz_from_parts
    timestampadd timestampdiff trunc week weekofyear weekiso year yearofweek yearofweekiso extract
    to_array to_binary to_boolean to_char to_date to_decimal to_double to_json to_number to_numeric to_object to_time
    to_timestamp to_timestamp_ltz to_timestamp_ntz to_timestamp_tz to_varchar to_variant to_geography to_geometry
    try_to_binary try_to_boolean try_to_date try_to_decimal try_to_double try_to_number try_to_numeric try_to_time
    try_to_timestamp try_to_timestamp_ltz try_to_timestamp_ntz try_to_timestamp_tz try_parse_json parse_json parse_xml
    check_json as_array as_char as_varchar as_integer as_double as_date as_object as_boolean is_array is_boolean is_object
    is_integer is_varchar is_null_value typeof get get_path xmlget array_append array_cat array_compact array_construct
    array_construct_compact array_contains array_distinct array_except array_flatten array_generate_range array_insert
    array_intersection array_max array_min array_position array_prepend array_remove array_size array_slice array_sort
    array_to_string arrays_overlap arrays_to_object arrays_zip object_construct object_construct_keep_null object_delete
    object_insert object_keys object_pick flatten strip_null_value st_makepoint st_point st_distance st_dwithin
    st_contains st_within st_intersects st_x st_y st_area st_length st_astext st_asgeojson`),
};

function set(text: string): ReadonlySet<string> {
  return new Set(text.split(/\s+/).filter(Boolean));
}
